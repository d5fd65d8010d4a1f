"""Files of questions: ours, and those of four benchmarks in the layouts that they are published in."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.evaluation.readers import READERS, BadFile, Loaded, guess, read, read_stream
from training.evaluation.readers.plain import write_csv, write_jsonl
from training.evaluation.types import Question


def file_of(*lines: Any) -> io.BytesIO:
    texts = (line if isinstance(line, str) else json.dumps(line) for line in lines)
    return io.BytesIO("\n".join(texts).encode())


def loaded(*lines: Any, format: str = "") -> Loaded:
    return read_stream(file_of(*lines), format)


def refused(*lines: Any, format: str = "") -> BadFile:
    with pytest.raises(BadFile) as caught:
        read_stream(file_of(*lines), format)
    return caught.value


# --- CSV ---------------------------------------------------------------------------------------------------
def test_a_table_needs_no_more_than_questions_and_answers():
    found = loaded("question,answers", "Who leads Atlas?,Ann Lee | Dr. Ann Lee")
    assert found.questions == (Question("Who leads Atlas?", ("Ann Lee", "Dr. Ann Lee")),)


def test_a_table_tells_sets_unanswerable_questions_documents_and_tags():
    found = loaded(
        "question;answers;is_set;answerable;documents;hops;tag:team;notes",
        "Who are the sons?;Cy | Di;yes;;Bo | Family;2;red;mine",
        "Who leads Zeus?;;;no;;;;",
    )
    assert found.questions == (
        Question(
            "Who are the sons?",
            ("Cy", "Di"),
            is_set=True,
            documents=("Bo", "Family"),
            tags={"hops": "2", "team": "red"},
        ),
        Question("Who leads Zeus?", answerable=False),
    )


def test_each_bad_line_of_a_table_is_told_with_its_number():
    error = refused(
        "question,answers,is_set",
        "Who?,Ann,maybe",
        ",Ann,",
        "Who else?,,",
        "Too,few",
        '"Over two\nlines?",Bo,',
        "Last?,,no",
    )
    assert [(one.line, one.message.partition(".")[0]) for one in error.problems] == [
        (2, "“is_set” is neither true nor false"),
        (3, "The question is empty"),
        (4, "There is no answer"),
        (5, "This line has more cells or fewer than the first one"),
        (8, "There is no answer"),
    ]
    assert str(error).startswith("5 lines are bad. Line 2: “is_set” is neither true nor false.")
    assert "And 2 more." in str(error)
    assert error.members()["errors"][0]["line"] == 2


def test_a_table_without_the_columns_is_refused_as_a_whole():
    assert "“answers”" in str(refused("question,reply", "Who?,Ann"))


# --- JSON lines --------------------------------------------------------------------------------------------
def test_a_line_may_hold_one_answer_or_several_and_numbers():
    found = loaded(
        {"question": "How many?", "answer": 35}, {"question": "Who?", "answers": ["Ann", "Bo", "Ann"]}
    )
    assert [question.answers for question in found.questions] == [("35",), ("Ann", "Bo")]


def test_each_bad_line_of_json_is_told_with_its_number():
    error = refused(
        {"question": "Who?", "answers": ["Ann"]},
        "",
        "{broken",
        ["a list"],
        {"answers": ["Ann"]},
        {"question": "Who is it?", "answers": ["Ann"], "answerable": False},
        {"question": "Who?", "answers": ["Bo"]},
        format="jsonl",
    )
    assert [problem.line for problem in error.problems] == [3, 4, 5, 6, 7]
    assert error.problems[-1].message.startswith("Line 1 asks the same question with other answers.")


def test_one_list_is_read_as_well_and_its_lines_are_told():
    text = (
        '[{"question": "Who?", "answers": ["Ann"]},\n {"question": "", "answers": ["Bo"]},\n {"question": 1'
    )
    error = refused(text)
    assert [problem.line for problem in error.problems] == [2, 3]
    assert "The JSON is broken here" in error.problems[1].message


def test_the_same_question_with_the_same_answers_is_read_once():
    twice = {"question": "Who?", "answers": ["Ann", "Bo"]}
    assert len(loaded(twice, twice | {"answers": ["Bo", "Ann"]}).questions) == 1


def test_what_is_no_text_or_holds_nothing_is_refused():
    assert "UTF-16" in str(refused_bytes("question,answers".encode("utf-16"), "csv"))
    assert "empty" in str(refused_bytes(b"  \n", ""))
    assert "no question" in str(refused_bytes(b"question,answers\n", ""))
    assert "not UTF-8" not in str(refused_bytes(b"question,answers\nWh\xffo?,Ann\n", "csv"))
    assert "lines end in an old way" in str(refused_bytes(b"question,answers\r1,2\r", "csv"))
    assert "no format “xml”" in str(refused_bytes(b"<a/>", "xml"))


def refused_bytes(data: bytes, format: str) -> BadFile:
    with pytest.raises(BadFile) as caught:
        read_stream(io.BytesIO(data), format)
    return caught.value


# --- There and back ----------------------------------------------------------------------------------------
TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\0"), min_size=1, max_size=20
)
SAID = st.one_of(
    st.sampled_from(["=1+1", "-5", "'=x", "a|b", "[1, 2]", '["x"]', "a, b; c", 'say "no"']), TEXT
)
WORDS = SAID.map(lambda text: " ".join(text.split())).filter(bool)
TAGS = st.dictionaries(st.sampled_from(["hops", "kind", "team"]), WORDS, max_size=3)


@st.composite
def questions(draw: Any) -> list[Question]:
    texts = draw(st.lists(WORDS, min_size=1, max_size=5, unique=True))
    return [_question(draw, text) for text in texts]


def _question(draw: Any, text: str) -> Question:
    answerable = draw(st.booleans())
    answers = draw(st.lists(WORDS, min_size=1, max_size=3, unique=True)) if answerable else []
    documents = draw(st.lists(WORDS, max_size=2, unique=True))
    return Question(text, tuple(answers), draw(st.booleans()), answerable, tuple(documents), draw(TAGS))


@pytest.mark.parametrize(("format", "write"), [("csv", write_csv), ("jsonl", write_jsonl)])
@given(written=questions())
@settings(max_examples=60, deadline=None)
def test_what_is_written_is_read_back_as_it_was(format, write, written):
    data = io.BytesIO(b"".join(write(written)))
    assert read_stream(data, format).questions == tuple(written)


def test_a_table_program_runs_nothing_of_what_is_written():
    data = b"".join(write_csv([Question("=1+1", ("-5", "x"))])).decode("utf-8-sig")
    _, cells = csv.reader(io.StringIO(data))
    assert cells[:2] == ["'=1+1", "'-5 | x"]


# --- MuSiQue -----------------------------------------------------------------------------------------------
MUSIQUE = {
    "id": "2hop__1_2",
    "paragraphs": [
        {"idx": 0, "title": "Atlas", "paragraph_text": "Atlas is led by Ann.", "is_supporting": True},
        {"idx": 1, "title": "Atlas", "paragraph_text": "Atlas is a mountain.", "is_supporting": False},
        {"idx": 2, "title": "Ann", "paragraph_text": "Ann was born in Oslo.", "is_supporting": True},
    ],
    "question": "Where was the leader of Atlas born?",
    "question_decomposition": [{"id": 1, "question": "q", "answer": "Ann", "paragraph_support_idx": 0}],
    "answer": "Oslo",
    "answer_aliases": ["Christiania"],
    "answerable": True,
}


def test_musique_brings_aliases_hops_supporting_documents_and_paragraphs_under_names_of_their_own():
    found = loaded(MUSIQUE)
    assert found.questions == (
        Question(
            "Where was the leader of Atlas born?",
            ("Oslo", "Christiania"),
            documents=("Atlas", "Ann"),
            tags={"hops": "2"},
        ),
    )
    assert [passage.title for passage in found.passages] == ["Atlas", "Atlas (2)", "Ann"]


def test_a_musique_question_that_only_its_own_paragraphs_leave_open_is_asked_with_its_answer():
    open_twin = MUSIQUE | {"answerable": False, "paragraphs": MUSIQUE["paragraphs"][1:2]}
    other = open_twin | {"question": "Who else?"}
    found = loaded(open_twin, MUSIQUE, other)
    assert [(question.text, question.answerable) for question in found.questions] == [
        ("Where was the leader of Atlas born?", True),
        ("Who else?", False),
    ]


def test_musique_paragraphs_may_lie_beside_the_questions(tmp_path):
    line = {
        "id": "3hop1__1",
        "question": "Where?",
        "answers": ["Oslo"],
        "hops": 3,
        "supporting_documents": [7],
    }
    (tmp_path / "questions.jsonl").write_text(json.dumps(line))
    (tmp_path / "documents.jsonl").write_text(json.dumps({"id": 7, "title": "Ann", "text": "Born in Oslo."}))
    found = read(tmp_path)
    assert found.questions == (Question("Where?", ("Oslo",), documents=("Ann",), tags={"hops": "3"}),)
    assert [passage.text for passage in found.passages] == ["Born in Oslo."]


# --- HotpotQA ----------------------------------------------------------------------------------------------
HOTPOT = {
    "_id": "5a",
    "question": "Were both born in Oslo?",
    "answer": "yes",
    "type": "comparison",
    "level": "hard",
    "supporting_facts": [["Ann", 0], ["Bo", 1], ["Ann", 1]],
    "context": [
        ["Ann", ["Born in Oslo.", " Lives there."]],
        ["Cy", ["Nobody."]],
        ["Bo", ["Bo.", " From Oslo."]],
    ],
}
HOTPOT_COLUMNS = HOTPOT | {
    "supporting_facts": {"title": ["Ann", "Bo", "Ann"], "sent_id": [0, 1, 1]},
    "context": {"title": ["Ann", "Cy", "Bo"], "sentences": [row[1] for row in HOTPOT["context"]]},
}


@pytest.mark.parametrize("text", [json.dumps([HOTPOT], indent=1), json.dumps(HOTPOT_COLUMNS)])
def test_hotpotqa_is_read_as_one_list_and_as_lines_of_columns(text):
    found = loaded(text)
    assert found.questions == (
        Question(
            "Were both born in Oslo?",
            ("yes",),
            documents=("Ann", "Bo"),
            tags={"hops": "2", "kind": "comparison", "level": "hard"},
        ),
    )
    assert next((one.title, one.text) for one in found.passages) == ("Ann", "Born in Oslo. Lives there.")


# --- NarrativeQA -------------------------------------------------------------------------------------------
def test_narrativeqa_is_read_with_the_summaries_and_titles_beside_it(tmp_path):
    (tmp_path / "qaps.csv").write_text(
        "document_id,set,question,answer1,answer2,question_tokenized,answer1_tokenized,answer2_tokenized\n"
        "d1,test,Who dies?,Ann,Ann Lee,who dies,ann,ann lee\n"
        "d2,test,Who dies?,Bo,Bo,who dies,bo,bo\n"
        "d2,test,Who lives?,Cy,Cy,who lives,cy,cy\n"
    )
    (tmp_path / "summaries.csv").write_text(
        "document_id,set,summary,summary_tokenized\nd1,test,Ann dies.,x\nd2,test,Bo dies.,x\n"
    )
    (tmp_path / "documents.csv").write_text("document_id,wiki_title\nd1,The First\nd2,The Second\n")
    found = read(tmp_path)
    assert [(one.text, one.answers, one.documents) for one in found.questions] == [
        ("In “The First”: Who dies?", ("Ann", "Ann Lee"), ("The First",)),
        ("In “The Second”: Who dies?", ("Bo",), ("The Second",)),
        ("Who lives?", ("Cy",), ("The Second",)),
    ]
    assert [passage.title for passage in found.passages] == ["The First", "The Second"]


def test_narrativeqa_is_read_as_objects_too():
    found = loaded(
        {
            "document": {"id": "d1", "kind": "movie", "summary": {"title": "The First", "text": "Ann dies."}},
            "question": {"text": "Who dies?", "tokens": []},
            "answers": [{"text": "Ann", "tokens": []}, {"text": "Ann Lee", "tokens": []}],
        }
    )
    assert found.questions == (
        Question("Who dies?", ("Ann", "Ann Lee"), documents=("The First",), tags={"kind": "movie"}),
    )
    assert found.passages[0].text == "Ann dies."


def test_a_question_of_several_stories_without_titles_stays_as_it_is():
    untitled = {"document": {}, "question": {"text": "Who dies?"}, "answers": [{"text": "Ann"}]}
    titled = {**untitled, "document": {"id": "d1"}}
    texts = [question.text for question in loaded(titled, untitled, format="narrativeqa").questions]
    assert texts == ["In “d1”: Who dies?", "Who dies?"]


# --- PhantomWiki -------------------------------------------------------------------------------------------
PHANTOM = {"id": "1", "question": "Who is the son?", "difficulty": 2, "template": ["Who", "is"]}


def test_phantomwiki_asks_for_sets_and_has_its_people_beside_it(tmp_path):
    line = PHANTOM | {"answers": ["Cy Bo", "Di Bo"], "kind": "stated"}
    (tmp_path / "questions.jsonl").write_text(json.dumps(line))
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "Cy_Bo.md").write_text("# Cy Bo\n\nThe father of Cy Bo is Bo.")
    (tmp_path / "documents" / "Di_Bo.md").write_text("No heading.")
    found = read(tmp_path)
    assert found.questions == (
        Question(
            "Who is the son?", ("Cy Bo", "Di Bo"), is_set=True, tags={"kind": "stated", "difficulty": "2"}
        ),
    )
    assert [passage.title for passage in found.passages] == ["Cy Bo", "Di Bo"]


def test_phantomwiki_as_published_has_articles_in_one_file(tmp_path):
    (tmp_path / "questions.jsonl").write_text(json.dumps(PHANTOM | {"answer": ["Cy Bo"], "prolog": {}}))
    (tmp_path / "articles.json").write_text(json.dumps([{"title": "Cy Bo", "article": "# Cy Bo"}]))
    found = read(tmp_path)
    assert found.questions[0].answers == ("Cy Bo",)
    assert found.passages[0].title == "Cy Bo"


# --- Whatever comes ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("value", "format"),
    [
        (MUSIQUE, "musique"),
        ({"question": "Q?", "answers": ["A"], "supporting_documents": [1], "decomposition": []}, "musique"),
        (HOTPOT, "hotpotqa"),
        ([HOTPOT], "hotpotqa"),
        ({"document": {}, "question": {}, "answers": []}, "narrativeqa"),
        (PHANTOM, "phantomwiki"),
        ({"question": "Q?", "answers": ["A"]}, "jsonl"),
        ("question,answers", "csv"),
        ("document_id,set,question,answer1,answer2", "narrativeqa"),
    ],
)
def test_the_format_is_told_by_what_stands_in_the_file(value, format):
    assert guess(file_of(value)) == format


NAMES = ["question", "answer", "answers", "paragraphs", "supporting_documents", "context", "supporting_facts"]
NAMES += ["document", "is_set", "answerable", "tags", "documents", "decomposition", "answer_aliases", "kind"]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=2),
    max_leaves=6,
)


@pytest.mark.parametrize("format", READERS)
@given(values=st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=6))
@settings(max_examples=60, deadline=None)
def test_no_object_whatever_breaks_a_reader(format, values):
    try:
        found = read_stream(file_of(values), format)
    except BadFile as error:
        assert str(error)
    else:
        assert found.questions


def test_a_file_that_is_not_there_and_a_folder_without_questions_are_told(tmp_path):
    with pytest.raises(BadFile, match="cannot be read"):
        read(tmp_path / "none.csv")
    with pytest.raises(BadFile, match="holds neither"):
        read(tmp_path)


def test_too_many_bad_lines_are_the_wrong_file():
    assert "More than 1,000 lines are bad" in str(refused(*["{}"] * 1002))


def test_a_problem_beside_the_questions_names_its_file(tmp_path: Path):
    (tmp_path / "questions.jsonl").write_text(json.dumps(MUSIQUE))
    (tmp_path / "documents.jsonl").write_text('{"id": 1}')
    with pytest.raises(BadFile, match=r"Line 1 of documents\.jsonl"):
        read(tmp_path)
