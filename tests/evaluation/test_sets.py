"""Sets of questions: by hand, from files, from what people said, from pairs; pages, REST, admin, command."""

from __future__ import annotations

import json
from io import BytesIO
from random import Random
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.urls import reverse

from knowledge.models import ReflectionSource, ReviewStatus
from knowledge.pipeline.types import DONT_KNOW
from memosite.errors import Conflict, NotAllowed
from tests.factories import (
    CorpusFactory,
    DemandFactory,
    DocumentFactory,
    EvaluationQuestionFactory,
    EvaluationSetFactory,
    FeedbackFactory,
    MemoryVersionFactory,
    ReflectionFactory,
    TrainedPairFactory,
    UserFactory,
)
from training.engine.augment import Augmenter
from training.engine.pairs import Pair
from training.engine.words import Lexicon
from training.evaluation.questions import LONGEST_QUESTION
from training.evaluation.readers import Loaded, read_stream
from training.evaluation.types import Question
from training.evaluation.wordings import new_wordings, wording_key
from training.lab.sets import services as sets
from training.lab.sets.drafting import NothingToAsk, make_set
from training.models import EvaluationQuestion, EvaluationSet, SetSource

pytestmark = pytest.mark.django_db
ATLAS = "Who leads Project Atlas?"
GOOD = b"question,answers\nWho leads Project Atlas?,Ada Lund\nWho leads Project Zeus?,Bo Marsh\n"
BAD = b"question,answers\nWho leads Project Atlas?,Ada Lund\n,Bo\nWho?,\n"


@pytest.fixture
def corpus() -> Any:
    return CorpusFactory(slug="handbook")


@pytest.fixture
def curator(corpus: Any) -> Any:
    return UserFactory(username="curator", curates=corpus, is_staff=True)


@pytest.fixture
def owner(corpus: Any) -> Any:
    return UserFactory(username="owner", owns=corpus, is_staff=True)


@pytest.fixture
def page(client: Any, curator: Any) -> Any:
    client.force_login(curator)
    return client


def upload(data: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("questions.csv", data)


def texts_of(row: EvaluationSet) -> list[str]:
    return list(row.questions.values_list("text", flat=True))


# --- Services ----------------------------------------------------------------------------------------------
def test_the_longest_question_can_be_stored_in_any_writing(corpus, curator):
    draw = Random(1)
    text = "".join(
        chr(draw.randrange(0x4E00, 0x9FA5)) for _ in range(LONGEST_QUESTION)
    )  # three bytes a character
    made = sets.create_set(corpus, curator, "Long")
    sets.add_question(made, curator, Question(text, ("Ada Lund",)))
    assert made.questions.get().text == text
    with pytest.raises(Conflict):
        sets.add_question(made, curator, Question(text, ("Bo Marsh",)))


def test_a_question_stands_once_in_a_set(corpus, curator):
    row = EvaluationSetFactory(corpus=corpus, questions=[ATLAS])
    with pytest.raises(Conflict, match="already"):
        sets.add_question(row, curator, Question(ATLAS, ("Bo",)))
    other = sets.add_question(row, curator, Question("Who else?", ("Bo",)))
    with pytest.raises(Conflict):
        sets.change_question(other, curator, Question(ATLAS, ("Bo",)))
    assert sets.change_question(other, curator, Question("Who else?", ("Cy",))).answers == ["Cy"]


def test_two_sets_of_a_corpus_do_not_share_a_name(corpus, curator):
    sets.create_set(corpus, curator, "First")
    with pytest.raises(sets.NameTaken):
        sets.create_set(corpus, curator, " First ")
    assert sets.create_set(CorpusFactory(), None, "First").pk


def test_owners_alone_change_what_the_gate_rests_on(corpus, curator, owner):
    golden = sets.create_set(corpus, owner, "Golden", is_golden=True)
    asked = sets.add_question(golden, owner, Question(ATLAS, ("Ada",)))
    loaded = Loaded((Question("Who else?", ("Bo",)),))
    for deed in (
        lambda: sets.create_set(corpus, curator, "Mine", is_golden=True),
        lambda: sets.add_question(golden, curator, Question("Who else?", ("Bo",))),
        lambda: sets.change_question(asked, curator, Question("Who else?", ("Bo",))),
        lambda: sets.delete_question(asked, curator),
        lambda: sets.delete_set(golden, curator),
        lambda: sets.change_set(golden, curator, name="Golden", description="", is_golden=False),
        lambda: sets.import_set(corpus, curator, "Golden", loaded),
    ):
        with pytest.raises(NotAllowed):
            deed()
    assert texts_of(golden) == [ATLAS]
    assert golden.is_golden


def test_a_file_updates_what_a_set_asks_and_adds_the_rest(corpus, curator):
    row = EvaluationSetFactory(corpus=corpus, name="File", questions=[ATLAS, "Who stays?"])
    loaded = Loaded(
        (Question(ATLAS, ("Bo",)), Question("Who is new?", ("Cy",)), Question("Who stays?", ("Ada Lund",)))
    )
    again, stored = sets.import_set(corpus, curator, "File", loaded)
    assert again == row
    assert str(stored) == "1 added, 1 updated, 1 unchanged"
    assert row.questions.get(text=ATLAS).answers == ["Bo"]


def test_a_set_that_grows_too_large_takes_nothing(corpus, curator, monkeypatch):
    monkeypatch.setattr(sets, "MOST_QUESTIONS", 1)
    loaded = Loaded((Question("One?", ("1",)), Question("Two?", ("2",))))
    with pytest.raises(sets.BadSet, match="2 questions; 1 is the limit"):
        sets.import_set(corpus, curator, "Large", loaded)
    assert not EvaluationSet.objects.exists()


def test_what_is_exported_can_be_brought_in_again(corpus):
    row = EvaluationSetFactory(corpus=corpus, questions=[ATLAS])
    EvaluationQuestionFactory(
        evaluation_set=row, text="Who?", answers=[], answerable=False, tags={"hops": "2"}
    )
    expected = tuple(asked.as_question() for asked in row.questions.all())
    for format in sets.EXPORTS:
        assert read_stream(BytesIO(b"".join(sets.export_set(row, format))), format).questions == expected


def test_questions_that_a_version_was_trained_on_are_told(corpus):
    version = MemoryVersionFactory(corpus=corpus)
    TrainedPairFactory(version=version, question="Trained?")
    TrainedPairFactory(version=version, question="Held out?", held_out=True)
    row = EvaluationSetFactory(corpus=corpus, questions=["Trained?", "Held out?", "New?"])
    assert [asked.text for asked in sets.trained_questions(row, version)] == ["Trained?"]


# --- Wordings ----------------------------------------------------------------------------------------------
TRAINED = [
    "Who leads Project Atlas?",
    "What is the budget of Project Atlas?",
    "When did Project Atlas begin?",
    "Which city is Project Atlas in?",
    "What are the goals of Project Atlas?",
]


@pytest.mark.parametrize("question", TRAINED)
def test_no_new_wording_is_one_that_training_makes(question):
    pairs = [Pair(str(number), text, "Yes.", str(number)) for number, text in enumerate(TRAINED)]
    augmenter, random = Augmenter(pairs, Lexicon(pairs)), Random(1)
    trained = {wording_key(augmenter.reword(question, random)) for _ in range(2000)} | {wording_key(question)}
    made = new_wordings(question)
    assert len(made) >= 2
    assert not trained & set(map(wording_key, made))


def test_new_wordings_keep_what_is_asked():
    assert new_wordings(ATLAS)[0] == "Who is it that leads Project Atlas?"
    assert new_wordings("What is the budget of Atlas?")[0] == "Can anyone recall what the budget of Atlas is?"
    assert new_wordings("List the members of Atlas.") == ()


# --- Made from approved pairs ------------------------------------------------------------------------------
def approved(corpus: Any, question: str, answer: str, **fields: Any) -> Any:
    pair = ReflectionFactory(corpus=corpus, question=question, answer=answer, **fields)
    document = corpus.documents.first() or DocumentFactory(corpus=corpus, title="Projects")
    ReflectionSource.objects.create(reflection=pair, chunk=document.chunks.first(), start=0, end=5)
    return pair


def test_a_held_out_wording_is_asked_with_the_bare_value_its_document_and_its_pair(corpus, curator):
    approved(corpus, ATLAS, "Ada Lund leads Project Atlas.", fact="1")
    fields = {"fact": "1", "kind": "cross_document"}
    pair = approved(corpus, "Who is the leader of Project Atlas?", "Ada Lund leads Project Atlas.", **fields)
    version = MemoryVersionFactory(corpus=corpus)
    TrainedPairFactory(version=version, question=ATLAS)
    TrainedPairFactory(version=version, question=pair.question, reflection=pair, held_out=True)
    row, stored, told = make_set(corpus, curator, "Held out", SetSource.HELD_OUT)
    asked = row.questions.get()
    assert asked.text == "Who is the leader of Project Atlas?"
    assert asked.answers == ["Ada Lund", "Ada Lund leads Project Atlas."]
    assert asked.documents == ["Projects"]
    assert asked.tags == {"kind": "cross document", "wording": "held out"}
    assert asked.reflection == pair
    assert (stored.added, told) == (1, "")


def test_a_wording_that_any_version_was_trained_on_is_not_asked(corpus, curator):
    pair = approved(corpus, ATLAS, "Ada Lund leads Project Atlas.")
    TrainedPairFactory(
        version=MemoryVersionFactory(corpus=corpus), question=ATLAS, reflection=pair, held_out=True
    )
    elsewhere = MemoryVersionFactory(corpora=[corpus])  # a merge that learned from this corpus too
    TrainedPairFactory(version=elsewhere, question="who leads project Atlas")
    TrainedPairFactory(version=elsewhere, question="Who is it that leads Project Atlas?")
    row, *_ = make_set(corpus, curator, "Held out", SetSource.HELD_OUT)
    assert texts_of(row) == ["By the way, who leads Project Atlas?"]
    assert row.questions.get().tags["wording"] == "new"


def test_several_values_are_a_set_and_what_has_no_answer_is_not_answerable(corpus, curator):
    approved(corpus, "Who are the friends of Cy Bo?", "The friends of Cy Bo are Di Bo, Ed Bo and Flo Ray.")
    approved(corpus, "What is the hobby of Cy Bo?", DONT_KNOW, kind="unanswerable")
    row, *_ = make_set(corpus, curator, "Held out", SetSource.HELD_OUT)
    friends, hobby = row.questions.order_by("text").reverse()
    assert (friends.is_set, sorted(friends.answers)) == (True, ["Di Bo", "Ed Bo", "Flo Ray"])
    assert (hobby.answerable, hobby.answers) == (False, [])


def test_pairs_that_are_not_approved_and_values_that_are_not_named_make_no_question(corpus, curator):
    approved(corpus, ATLAS, "Ada Lund leads Project Atlas.", status=ReviewStatus.PENDING)
    with pytest.raises(NothingToAsk, match="held-out wordings"):
        make_set(corpus, curator, "Held out", SetSource.HELD_OUT)
    approved(corpus, "Who leads Project Zeus?", "Nothing of the kind was ever begun.")
    approved(corpus, "Who leads Project Hera?", "Bo Marsh leads Project Hera.")
    row, _, told = make_set(corpus, curator, "Held out", SetSource.HELD_OUT)
    assert texts_of(row) == ["Who is it that leads Project Hera?"]
    assert told == "Left out: 1 fact with an answer that names no value to look for."


def test_the_same_corpus_gives_the_same_questions_and_no_more_than_wanted(corpus, curator):
    for number in range(6):
        approved(corpus, f"Who leads Project {number}A?", f"Ada Lund leads Project {number}A.")
    first, *_ = make_set(corpus, curator, "First", SetSource.HELD_OUT, most=3)
    again, *_ = make_set(corpus, curator, "Again", SetSource.HELD_OUT, most=3)
    assert len(texts_of(first)) == 3
    assert texts_of(first) == texts_of(again)


def test_each_passage_with_a_pair_is_probed_and_the_others_are_counted(corpus, curator):
    approved(corpus, ATLAS, "Ada Lund leads Project Atlas.")
    approved(corpus, "When did Project Atlas begin?", "Project Atlas began in 2019.")
    DocumentFactory(corpus=corpus, title="Silent")
    row, _, told = make_set(corpus, curator, "Probes", SetSource.PROBES)
    assert texts_of(row) == ["Who is it that leads Project Atlas?"]
    assert told == "Left out: 1 passage without an approved pair."


# --- Made from what people said ----------------------------------------------------------------------------
def test_corrections_and_demands_that_curators_answered_become_questions(corpus, curator):
    corrected = approved(corpus, ATLAS, "Ada Lund leads Project Atlas.")
    FeedbackFactory(turn__conversation__corpus=corpus, corrected="Ada Lund leads it.", reflection=corrected)
    pair = approved(corpus, "Who leads Project Beacon?", "Bo Marsh leads Project Beacon.")
    DemandFactory(corpus=corpus, question="Beacon is led by whom?", reflection=pair)
    row, *_ = make_set(corpus, curator, "People", SetSource.FEEDBACK)
    found = {asked.text: (asked.answers[0], asked.tags["kind"]) for asked in row.questions.all()}
    assert found == {ATLAS: ("Ada Lund", "correction"), "Beacon is led by whom?": ("Bo Marsh", "demand")}


def test_what_no_curator_approved_and_what_other_corpora_asked_stays_out(corpus, curator):
    pending = approved(corpus, ATLAS, "Ada Lund leads Project Atlas.", status=ReviewStatus.PENDING)
    FeedbackFactory(turn__conversation__corpus=corpus, corrected="Ada Lund leads it.", reflection=pending)
    DemandFactory(corpus=corpus)
    other = CorpusFactory()
    DemandFactory(corpus=other, reflection=approved(other, ATLAS, "Ada Lund leads Project Atlas."))
    with pytest.raises(NothingToAsk):
        make_set(corpus, curator, "People", SetSource.FEEDBACK)
    assert not EvaluationSet.objects.exists()


# --- Pages -------------------------------------------------------------------------------------------------
def test_the_list_tells_what_each_set_holds(page, corpus):
    row = EvaluationSetFactory(corpus=corpus, name="Golden ones", is_golden=True, questions=[ATLAS])
    EvaluationQuestionFactory(evaluation_set=row, answers=[], answerable=False)
    text = page.get(reverse("evaluation-sets", args=[corpus.slug])).content.decode()
    for told in ("Golden ones", "golden", "<td>2</td>", "<td>1</td>", "written by hand"):
        assert told in text


def test_a_set_is_made_filled_changed_and_deleted_by_hand(page, corpus):
    page.post(reverse("evaluation-sets", args=[corpus.slug]), {"name": "By hand"})
    row = EvaluationSet.objects.get(name="By hand")
    new = reverse("new-evaluation-question", args=[corpus.slug, row.pk])
    answer = page.post(
        new,
        {
            "text": ATLAS,
            "answerable": "on",
            "answers": "Ada Lund\nAda",
            "documents": "Projects",
            "tags": "hops: 1",
        },
    )
    assert answer.status_code == 302
    asked = row.questions.get()
    assert asked.as_question() == Question(
        ATLAS, ("Ada Lund", "Ada"), documents=("Projects",), tags={"hops": "1"}
    )
    address = reverse("evaluation-question", args=[corpus.slug, row.pk, asked.pk])
    assert "hops: 1" in page.get(address).content.decode()
    page.post(address, {"text": "Who leads Zeus?"})
    asked.refresh_from_db()
    assert (asked.text, asked.answerable, asked.answers) == ("Who leads Zeus?", False, [])
    page.post(reverse("delete-evaluation-question", args=[corpus.slug, row.pk, asked.pk]))
    assert not row.questions.exists()
    page.post(reverse("change-evaluation-set", args=[corpus.slug, row.pk]), {"name": "Renamed"})
    assert EvaluationSet.objects.get().name == "Renamed"
    page.post(reverse("delete-evaluation-set", args=[corpus.slug, row.pk]))
    assert not EvaluationSet.objects.exists()


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"text": ATLAS, "answerable": "on"}, "There is no answer."),
        ({"text": ATLAS, "answers": "Ada"}, "is not answerable has no answers"),
        ({"text": "", "answerable": "on", "answers": "Ada"}, "This field is required."),
        ({"text": ATLAS, "answerable": "on", "answers": "Ada", "tags": "hops"}, "The tag “hops” is no name"),
    ],
)
def test_a_bad_question_is_told_on_its_page_and_not_stored(page, corpus, typed, told):
    row = EvaluationSetFactory(corpus=corpus)
    answer = page.post(reverse("new-evaluation-question", args=[corpus.slug, row.pk]), typed)
    assert answer.status_code == 422
    assert told in answer.content.decode()
    assert not row.questions.exists()


def test_a_set_is_searched_and_paged(page, corpus, django_assert_max_num_queries):
    row = EvaluationSetFactory(corpus=corpus, questions=[f"Who leads Project {n}?" for n in range(120)])
    EvaluationQuestionFactory(evaluation_set=row, text="Who leads nothing?", answers=[], answerable=False)
    address = reverse("evaluation-set", args=[corpus.slug, row.pk])
    with django_assert_max_num_queries(16):
        text = page.get(address).content.decode()
    assert "121 questions" in text
    assert "Page 1 of 3" in text
    found = page.get(address, {"q": "nothing", "kind": "unanswerable"}).content.decode()
    assert "Who leads nothing?" in found
    assert "Who leads Project 1?" not in found
    assert "No question matches" in page.get(address, {"q": "nowhere"}).content.decode()


def test_the_page_warns_of_questions_that_the_live_version_was_trained_on(page, corpus):
    version = MemoryVersionFactory(corpus=corpus, live=True)
    TrainedPairFactory(version=version, question=ATLAS)
    row = EvaluationSetFactory(corpus=corpus, questions=[ATLAS])
    text = page.get(reverse("evaluation-set", args=[corpus.slug, row.pk])).content.decode()
    assert "worded exactly as version 1 was trained on it" in text


def test_curators_see_golden_sets_and_are_not_offered_to_change_them(page, corpus):
    row = EvaluationSetFactory(corpus=corpus, is_golden=True, questions=[ATLAS])
    text = page.get(reverse("evaluation-set", args=[corpus.slug, row.pk])).content.decode()
    assert ATLAS in text
    assert "Add a question" not in text
    assert "owners alone change it" in text
    assert page.get(reverse("new-evaluation-question", args=[corpus.slug, row.pk])).status_code == 403


# --- Files on the page -------------------------------------------------------------------------------------
def test_a_good_file_is_checked_and_then_stored(page, corpus):
    address = reverse("import-evaluation-set", args=[corpus.slug])
    checked = page.post(address, {"file": upload(GOOD), "name": "File", "check": "1"})
    assert "All lines are good" in checked.content.decode()
    assert "Who leads Project Zeus?" in checked.content.decode()
    assert not EvaluationSet.objects.exists()
    page.post(address, {"file": upload(GOOD), "name": "File"})
    assert texts_of(EvaluationSet.objects.get(name="File", source=SetSource.FILE)) == [
        ATLAS,
        "Who leads Project Zeus?",
    ]


def test_a_bad_file_tells_each_line_and_stores_nothing(page, corpus):
    answer = page.post(
        reverse("import-evaluation-set", args=[corpus.slug]), {"file": upload(BAD), "name": "File"}
    )
    assert answer.status_code == 422
    text = answer.content.decode()
    assert '<th scope="row">3</th>' in text
    assert "The question is empty." in text
    assert '<th scope="row">4</th>' in text
    assert not EvaluationSet.objects.exists()


def test_a_file_that_is_too_large_is_told(page, corpus, settings):
    settings.MAX_UPLOAD_BYTES = 10
    answer = page.post(
        reverse("import-evaluation-set", args=[corpus.slug]), {"file": upload(GOOD), "name": "File"}
    )
    assert "The file is larger than 0 MB" in answer.content.decode()


@pytest.mark.parametrize("format", ["csv", "jsonl"])
def test_a_set_is_downloaded(page, corpus, format):
    row = EvaluationSetFactory(corpus=corpus, name="Über alles", questions=[ATLAS])
    answer = page.get(reverse("export-evaluation-set", args=[corpus.slug, row.pk]), {"as": format})
    assert ATLAS in b"".join(answer.streaming_content).decode()
    assert f".{format}" in answer["Content-Disposition"]
    assert (
        page.get(reverse("export-evaluation-set", args=[corpus.slug, row.pk]), {"as": "xml"}).status_code
        == 422
    )


def test_questions_are_made_on_the_page(page, corpus):
    approved(corpus, ATLAS, "Ada Lund leads Project Atlas.")
    make = reverse("make-evaluation-set", args=[corpus.slug])
    answer = page.post(make, {"source": "held_out", "name": "Made", "most": "10"}, follow=True)
    assert "Questions: 1 added" in answer.content.decode()
    assert page.post(make, {"source": "held_out", "name": "", "most": "10"}).status_code == 422


# --- REST --------------------------------------------------------------------------------------------------
@pytest.fixture
def rest(client: Any, curator: Any) -> Any:
    client.force_login(curator)

    def send(method: str, name: str, *arguments: Any, data: Any = None) -> Any:
        extra = {"content_type": "application/json"} if data is not None and method != "get" else {}
        return getattr(client, method)(reverse(name, args=arguments), data, **extra)

    return send


def test_rest_makes_reads_changes_and_deletes_sets(rest, corpus):
    made = rest("post", "api-evaluation-sets", corpus.slug, data={"name": "Nightly"})
    assert made.status_code == 201
    pk = made.json()["id"]
    assert rest("post", "api-evaluation-sets", corpus.slug, data={"name": "Nightly"}).status_code == 409
    assert rest("patch", "api-evaluation-set", pk, data={"name": "Weekly"}).json()["name"] == "Weekly"
    assert rest("patch", "api-evaluation-set", pk, data={"is_golden": True}).status_code == 403
    assert [row["name"] for row in rest("get", "api-evaluation-sets", corpus.slug).json()["results"]] == [
        "Weekly"
    ]
    assert rest("delete", "api-evaluation-set", pk).status_code == 204


def test_rest_adds_all_questions_or_none(rest, corpus):
    row = EvaluationSetFactory(corpus=corpus)
    good, bad = {"question": ATLAS, "answers": ["Ada Lund"]}, {"question": "Who?", "answers": []}
    assert rest("post", "api-evaluation-questions", row.pk, data=[good, bad]).status_code == 400
    assert rest("post", "api-evaluation-questions", row.pk, data=[good, good]).status_code == 409
    assert not row.questions.exists()
    added = rest("post", "api-evaluation-questions", row.pk, data=good)
    assert added.status_code == 201
    pk = added.json()[0]["id"]
    changed = rest("patch", "api-evaluation-question", pk, data={"answers": [], "answerable": False})
    assert (changed.status_code, changed.json()["question"]) == (200, ATLAS)
    assert rest("patch", "api-evaluation-question", pk, data={"answerable": True}).status_code == 400
    listed = rest("get", "api-evaluation-questions", row.pk, data={"kind": "unanswerable"}).json()
    assert listed["count"] == 1
    assert rest("delete", "api-evaluation-question", pk).status_code == 204


def test_rest_imports_a_file_and_tells_each_bad_line(client, curator, corpus):
    client.force_login(curator)
    address = reverse("api-evaluation-set-import", args=[corpus.slug])
    refused = client.post(address, {"file": upload(BAD), "name": "File"})
    assert refused.status_code == 422
    assert [error["line"] for error in refused.json()["errors"]] == [3, 4]
    stored = client.post(address, {"file": upload(GOOD), "name": "File"})
    assert (stored.status_code, stored.json()["added"]) == (201, 2)
    again = client.post(address, {"file": upload(GOOD), "name": "File", "as": "csv"})
    assert (again.status_code, again.json()["unchanged"]) == (200, 2)


def test_rest_makes_questions_and_exports_them(rest, corpus):
    wanted = {"source": "probes", "name": "Probes"}
    assert rest("post", "api-evaluation-set-make", corpus.slug, data=wanted).status_code == 409
    approved(corpus, ATLAS, "Ada Lund leads Project Atlas.")
    made = rest("post", "api-evaluation-set-make", corpus.slug, data=wanted)
    assert made.status_code == 201
    lines = b"".join(
        rest("get", "api-evaluation-set-export", made.json()["id"]).streaming_content
    ).splitlines()
    assert json.loads(lines[0])["answers"][0] == "Ada Lund"


# --- Admin -------------------------------------------------------------------------------------------------
def test_the_admin_renames_a_set_and_leaves_golden_ones_to_owners(client, corpus, curator, owner):
    row = EvaluationSetFactory(corpus=corpus, questions=[ATLAS])
    address = reverse("admin:training_evaluationset_change", args=[row.pk])
    client.force_login(curator)
    assert client.get(address).status_code == 200
    client.post(address, {"name": "Renamed", "description": ""})
    refused = client.post(address, {"name": "Mine", "description": "", "is_golden": "on"}, follow=True)
    assert "owner" in refused.content.decode()
    row.refresh_from_db()
    assert (row.name, row.is_golden) == ("Renamed", False)
    client.force_login(owner)
    client.post(address, {"name": "Renamed", "description": "", "is_golden": "on"})
    row.refresh_from_db()
    assert row.is_golden
    client.force_login(curator)
    client.post(reverse("admin:training_evaluationset_delete", args=[row.pk]), {"post": "yes"})
    assert EvaluationSet.objects.exists()


def test_the_admin_finds_questions(client, corpus, curator):
    asked = EvaluationQuestionFactory(evaluation_set__corpus=corpus, text=ATLAS)
    client.force_login(curator)
    listed = client.get(reverse("admin:training_evaluationquestion_changelist"), {"q": "Atlas"})
    assert ATLAS in listed.content.decode()
    shown = client.get(reverse("admin:training_evaluationquestion_change", args=[asked.pk]))
    assert "Ada Lund" in shown.content.decode()


# --- Command -----------------------------------------------------------------------------------------------
def test_the_command_reads_a_file_makes_questions_and_writes_a_file(corpus, tmp_path, capsys):
    (tmp_path / "questions.csv").write_bytes(GOOD)
    call_command("evaluation_set", "handbook", "Golden", file=tmp_path / "questions.csv", golden=True)
    assert "Golden: 2 added, 0 updated, 0 unchanged." in capsys.readouterr().out
    assert EvaluationSet.objects.get(name="Golden").is_golden
    call_command("evaluation_set", "handbook", "Golden", output=tmp_path / "out.jsonl")
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 2
    approved(corpus, ATLAS, "Ada Lund leads Project Atlas.")
    call_command("evaluation_set", "handbook", "Made", make="held_out")
    assert "Made: 1 added" in capsys.readouterr().out


def test_the_command_tells_each_bad_line_and_stores_nothing(corpus, tmp_path, capsys):
    (tmp_path / "questions.csv").write_bytes(BAD)
    with pytest.raises(CommandError, match="Nothing was stored"):
        call_command("evaluation_set", "handbook", "Bad", file=tmp_path / "questions.csv")
    assert f"{tmp_path / 'questions.csv'}, line 3: The question is empty." in capsys.readouterr().err
    with pytest.raises(CommandError, match="has no set"):
        call_command("evaluation_set", "handbook", "Bad", output=tmp_path / "out.csv")
    with pytest.raises(CommandError, match="owner"):
        UserFactory(username="curious", curates=corpus)
        (tmp_path / "questions.csv").write_bytes(GOOD)
        call_command(
            "evaluation_set", "handbook", "Bad", file=tmp_path / "questions.csv", golden=True, user="curious"
        )
    assert not EvaluationQuestion.objects.exists()
