"""Pairs in files, without a database: what is written comes back, and what is bad is told by its line."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.exchange.formats import FORMATS, format_of
from knowledge.exchange.records import FIELDS, STATUSES, FileRefused, Line, PairRecord, SourceRecord
from knowledge.exchange.table import as_it_was, harmless
from knowledge.models import ReviewStatus
from knowledge.pipeline.types import Kind

HARD_TEXTS = [
    "=1+1",
    "'=1+1",
    "''=1+1",
    "'tis so",
    "@SUM(A1)",
    "-5",
    "+4",
    "\tindented\tby a tab",
    "＝1",
    'He said "no", twice',
    "a,b;c\td",
    "first\nsecond\r\nthird\rfourth",
    "🐙 née Ωmega 日本語 e\u0301",
    "line\u2028separator and \u0085 next",
    "[1, 2]",
    "null",
    "NaN",
    "007",
    "\ufeffmark",
    "\\u0000 is written out",
    '"messages": [',
    "long " * 30_000 + "end",
]
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
SAID = st.one_of(st.sampled_from(HARD_TEXTS), TEXT).filter(lambda text: bool(text.strip()))
SHORT = TEXT.map(lambda text: text.strip())
NUMBER = st.integers(0, 2**31)
SOURCES = st.builds(
    SourceRecord,
    document=SHORT,
    title=SHORT,
    version=NUMBER,
    passage=NUMBER,
    start=NUMBER,
    end=NUMBER,
    text=TEXT,
)
MOMENT = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
RECORDS = st.builds(
    PairRecord,
    question=SAID,
    answer=SAID,
    id=st.none() | st.integers(1, 2**63 - 1),
    key=SHORT,
    kind=st.sampled_from(["", *Kind]).map(str),
    fact=SHORT,
    entity=SHORT,
    status=st.sampled_from(["", *STATUSES]),
    step=SHORT,
    prompt_version=SHORT,
    model=SHORT,
    generator=SHORT,
    retired=st.booleans(),
    reviewed_by=SHORT,
    reviewed_at=st.none() | MOMENT,
    flags=st.lists(SHORT, max_size=2).map(tuple),
    sources=st.lists(SOURCES, max_size=2).map(tuple),
)


def written(name: str, records: list[PairRecord]) -> bytes:
    return b"".join(FORMATS[name].write(iter(records)))


def lines_of(name: str, data: bytes | str) -> list[Line]:
    return list(FORMATS[name].read(io.BytesIO(data.encode() if isinstance(data, str) else data)))


def problems(name: str, data: bytes | str) -> dict[int, str]:
    return {line.number: line.problem for line in lines_of(name, data) if line.problem}


def read_again(name: str, records: list[PairRecord]) -> list[PairRecord | None]:
    return [line.record for line in lines_of(name, written(name, records))]


def as_held(name: str, record: PairRecord) -> PairRecord:
    """What the format holds of a record."""
    kept = {field: getattr(record, field) for field in FORMATS[name].fields}
    return replace(PairRecord("", ""), **kept)


# --- Round trips -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", [name for name in FORMATS if name != "memo"])
@settings(max_examples=60, deadline=None)
@given(records=st.lists(RECORDS, max_size=4))
def test_a_format_gives_back_all_that_it_can_hold(name: str, records: list[PairRecord]) -> None:
    assert read_again(name, records) == [as_held(name, record) for record in records]


@settings(max_examples=60, deadline=None)
@given(records=st.lists(RECORDS, max_size=4))
def test_the_research_format_gives_back_every_pair_with_the_kinds_that_it_knows(
    records: list[PairRecord],
) -> None:
    back = read_again("memo", records)
    assert sorted((pair.question, pair.answer) for pair in back if pair) == sorted(
        (record.question, record.answer) for record in records
    )


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("text", HARD_TEXTS)
def test_hard_texts_survive_in_every_format(name: str, text: str) -> None:
    (pair,) = read_again(name, [PairRecord(text, text)])
    assert pair is not None
    assert (pair.question, pair.answer) == (text, text)


@pytest.mark.parametrize("name", FORMATS)
def test_no_pair_at_all_is_a_file_that_can_be_read(name: str) -> None:
    assert read_again(name, []) == []


@given(text=TEXT)
def test_no_text_of_a_table_runs_as_a_formula_and_each_comes_back(text: str) -> None:
    assert not harmless(text).startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"))
    assert as_it_was(harmless(text)) == text


def test_every_cell_of_a_table_is_in_quotation_marks_so_that_no_separator_opens_a_new_one() -> None:
    assert '"a;=1+1"' in written("csv", [PairRecord("a;=1+1", "b")]).decode()


@pytest.mark.parametrize("name", FORMATS)
def test_a_writer_takes_one_batch_of_pairs_at_a_time(name: str) -> None:
    taken = 0

    def pairs() -> Iterator[PairRecord]:
        nonlocal taken
        for number in range(20_000):
            taken += 1
            yield PairRecord(f"Question {number}?", "Ada.")

    parts = FORMATS[name].write(pairs())
    next(parts), next(parts)
    assert taken <= 2000 or name == "memo"  # which gathers the pairs of each document


def test_lines_are_read_one_by_one() -> None:
    stream = io.BytesIO(b'{"question": "Q?", "answer": "A."}\n' * 100_000)
    lines = FORMATS["jsonl"].read(stream)
    assert next(lines).record == PairRecord("Q?", "A.")
    assert stream.tell() < 10_000


# --- What people and programs write ------------------------------------------------------------------------
def test_the_statuses_are_those_of_the_reviews() -> None:
    assert set(STATUSES) == set(ReviewStatus.values)


def test_a_table_needs_two_columns_and_takes_them_in_any_order_from_any_table_program() -> None:
    for data in (
        "Answer,Question\r\nAda.,Who?\r\n",
        "\ufeffanswer;question\nAda.;Who?\n",
        "answer\tquestion\nAda.\tWho?",
    ):
        assert [line.record for line in lines_of("csv", data)] == [PairRecord("Who?", "Ada.")]


def test_messages_may_begin_with_a_system_message() -> None:
    turns = [("system", "Be brief."), ("user", "Who?"), ("assistant", "Ada.")]
    data = json.dumps({"messages": [{"role": role, "content": words} for role, words in turns]})
    assert lines_of("openai", data)[0].record == PairRecord("Who?", "Ada.")


def test_an_alpaca_input_follows_the_instruction_and_one_object_a_line_is_read_too() -> None:
    first = '{"instruction": "Who?", "input": "Of the Harbour", "output": "Ada."}'
    data = f'{first}\n{{"instruction": "A?", "output": "B"}}'
    assert [line.record for line in lines_of("alpaca", data)] == [
        PairRecord("Who?\n\nOf the Harbour", "Ada."),
        PairRecord("A?", "B"),
    ]


# --- The research code's files -----------------------------------------------------------------------------
def cache(*entries: dict[str, Any], **others: Any) -> str:
    return json.dumps({**others, "qa_pairs_cache": list(entries)}, indent=2)


WHO = {"question": "Who?", "answer": "Ada."}
WHERE = {"question": "Where?", "answer": "Here."}


def test_a_research_cache_is_read_with_its_kinds() -> None:
    data = cache(
        {"doc_id": "1", "client_id": 0, "qa_pairs": [WHO, WHERE], "consolidated_qa_pairs": [WHERE]},
        {"type": "crossdoc", "doc_id": "1", "source_doc_ids": ["1", "2"], "qa_pairs": [WHO]},
        {"doc_id": "3", "qa_pairs": [], "error": {"type": "TIMEOUT"}},
        total_entries=3,
    )
    found = [line.record for line in lines_of("memo", data)]
    assert [(pair.question, pair.kind) for pair in found if pair] == [
        ("Who?", ""),
        ("Where?", "consolidated"),
        ("Who?", "cross_document"),
    ]


def test_a_bare_list_a_wrapped_list_and_checked_pairs_are_read() -> None:
    checked = {"doc_id": "1", "is_self_contained": True, "final_question": "Who?", "final_answer": "Ada."}
    for entry in ({"doc_id": "1", "qa_pairs": {"qa_pairs": [WHO]}}, checked, WHO):
        assert [line.record for line in lines_of("memo", json.dumps([entry]))] == [PairRecord("Who?", "Ada.")]
    assert lines_of("memo", cache({**checked, "is_self_contained": False})) == []


def test_a_research_cache_is_written_with_one_entry_a_document() -> None:
    one, two = SourceRecord("one.md"), SourceRecord("two.md")
    records = [
        PairRecord("A?", "a", sources=(one,)),
        PairRecord("B?", "b", sources=(two,)),
        PairRecord("C?", "c", kind="consolidated", sources=(one, one)),
        PairRecord("D?", "d", kind="cross_document", sources=(two, one)),
        PairRecord("E?", "e", generator="by hand"),
    ]
    data = json.loads(written("memo", records))
    assert (data["total_entries"], data["total_qa_pairs"]) == (4, 5)
    first, second, third, last = data["qa_pairs_cache"]
    assert first == {
        "doc_id": "one.md",
        "qa_pairs": [{"question": "A?", "answer": "a"}, {"question": "C?", "answer": "c"}],
        "consolidated_qa_pairs": [{"question": "C?", "answer": "c"}],
    }
    assert second == {"doc_id": "two.md", "qa_pairs": [{"question": "B?", "answer": "b"}]}
    assert (third["type"], third["doc_id"], third["source_doc_ids"]) == (
        "crossdoc",
        "one.md",
        ["one.md", "two.md"],
    )
    assert last["doc_id"] == "by hand"


def test_a_bad_pair_of_a_research_cache_has_the_line_on_which_it_stands() -> None:
    data = cache({"doc_id": "1", "qa_pairs": [WHO, {"question": "Why?"}]}, {"doc_id": "2"})
    number = next(place for place, line in enumerate(data.splitlines(), start=1) if "Why?" in line) - 1
    assert "answer is missing" in problems("memo", data)[number]
    assert len(problems("memo", data)) == 2


# --- Bad files ---------------------------------------------------------------------------------------------
GOOD = '{"question": "Who?", "answer": "Ada."}'
BAD_LINES = {
    "not JSON": ("{'question': 1}", "not JSON"),
    "no object": ("[1]", "an object with a question and an answer"),
    "no answer": ('{"question": "Who?"}', "answer is missing"),
    "blank answer": ('{"question": "Who?", "answer": "  "}', "answer is missing"),
    "a number for an answer": ('{"question": "Who?", "answer": 5}', "quotation marks"),
    "a null byte": ('{"question": "Who?", "answer": "A\\u0000"}', "null byte"),
    "half a character": ('{"question": "Who?", "answer": "A\\ud800"}', "not UTF-8"),
    "unknown kind": (
        '{"question": "Who?", "answer": "A", "kind": "funny"}',
        "no kind “funny”. Choose from direct",
    ),
    "unknown status": (
        '{"question": "Q", "answer": "A", "status": "ok"}',
        "no status “ok”. Choose from pending",
    ),
    "a kind that is a list": ('{"question": "Q", "answer": "A", "kind": [[]]}', "no kind"),
    "text for an id": ('{"question": "Q", "answer": "A", "id": "five"}', "no whole number"),
    "an id that no database holds": (
        '{"question": "Q", "answer": "A", "id": 9223372036854775808}',
        "no whole number",
    ),
    "true for an id": ('{"question": "Q", "answer": "A", "id": true}', "no whole number"),
    "a time that is none": ('{"question": "Q", "answer": "A", "reviewed_at": "today"}', "no time like"),
    "a time before all times": (
        '{"question": "Q", "answer": "A", "reviewed_at": "0001-01-01T00:00:00+14:00"}',
        "no time like",
    ),
    "sources that are none": (
        '{"question": "Q", "answer": "A", "sources": [1]}',
        "A source names its document",
    ),
    "a fact too long": (json.dumps({"question": "Q", "answer": "A", "fact": "f" * 65}), "longer than 64"),
    "too deep": ("[" * 100_000, "not JSON"),
    "digits without end": ('{"id": ' + "9" * 5000 + "}", "not JSON"),
}


@pytest.mark.parametrize("case", BAD_LINES)
def test_a_bad_line_is_told_by_its_number_and_the_others_are_read(case: str) -> None:
    line, reason = BAD_LINES[case]
    data = f"{GOOD}\n\n{line}\r\n{GOOD}\n"
    found = problems("jsonl", data)
    assert list(found) == [3]
    assert reason in found[3]
    assert [line.number for line in lines_of("jsonl", data) if line.record] == [1, 4]


def test_a_line_that_is_not_utf_8_is_told_by_its_number() -> None:
    data = f"{GOOD}\n".encode() + '{"question": "Wer führt?", "answer": "A"}\n'.encode("latin-1")
    assert "Save the file as UTF-8" in problems("jsonl", data)[2]
    assert "Save the file as UTF-8" in problems("csv", b"question,answer\nW\xfc?,A\n")[2]


def test_a_row_of_a_table_is_told_by_the_line_on_which_it_begins() -> None:
    data = 'question,answer,id\n"Two\nlines?",Ada.,1\nToo few\n"Quoted" badly,A.,2\nWho?,,3\nWho?,Ada.,x\nQ,A,4\n'
    found = problems("csv", data)
    assert list(found) == [4, 5, 6, 7]
    assert "1 cells" in found[4]
    assert "quotation marks" in found[5]
    assert "answer is missing" in found[6]
    assert "no whole number" in found[7]


def test_a_broken_list_is_told_where_it_breaks_and_what_came_before_is_read() -> None:
    data = '[\n{"instruction": "Q", "output": "A"},\n{"instruction": "Q",\n oops},\n{}]'
    assert list(problems("alpaca", data)) == [4]
    assert len(lines_of("alpaca", data)) == 2
    assert "more after its end" in problems("alpaca", "[]\n[]")[2]
    assert "broken" in lines_of("alpaca", '[{"instruction": "Q", "output": "A"}')[-1].problem


def test_a_row_of_a_parquet_file_is_told_by_its_number() -> None:
    import pyarrow as pa
    from pyarrow import parquet

    sink = io.BytesIO()
    table = pa.table(
        {"question": ["Who?", None], "answer": ["Ada.", "Bo."], "id": [1.0, None], "other": [1, 2]}
    )
    parquet.write_table(table, sink)
    good, bad = lines_of("parquet", sink.getvalue())
    assert good.record == PairRecord("Who?", "Ada.", id=1)
    assert (bad.number, bad.problem) == (2, "The question is missing. Write one, or take the line out.")


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("jsonl", GOOD.encode("utf-16"), "UTF-16. Save it as UTF-8"),
        ("csv", "question,answer".encode("utf-16"), "UTF-16. Save it as UTF-8"),
        ("jsonl", b"\x00\x01\x02", "null bytes"),
        ("alpaca", b"PAR1\x00", "null bytes"),
        ("jsonl", b'[{"question": 1}]', "one JSON list"),
        ("csv", GOOD.encode(), "one column “question”"),
        ("csv", b"question,answer,answer\n", "one column “answer”"),
        ("csv", b"question,answer\rWho?,Ada.\r", "end in an old way"),
        ("csv", b"", "one column “question”"),
        ("alpaca", b"question,answer\n", "no JSON list"),
        ("sharegpt", b"", "no JSON list"),
        ("memo", b'{"pairs": []}', "“qa_pairs_cache” is not in the file"),
        ("memo", b"Who?", "no JSON"),
        ("parquet", GOOD.encode(), "no Parquet"),
        ("parquet", b"", "no Parquet"),
        ("parquet", b"PAR1" + b"\xff" * 400 + b"PAR1", "no Parquet"),
    ],
)
def test_a_file_in_another_format_is_refused_with_what_to_do(name: str, data: bytes, reason: str) -> None:
    with pytest.raises(FileRefused, match=reason):
        lines_of(name, data)


def test_a_pair_in_the_wrong_place_says_to_choose_the_format() -> None:
    assert "Choose the format" in problems("openai", GOOD)[1]
    assert "Choose the format" in problems("alpaca", f"[{GOOD}]")[1]
    assert "Choose the format" in problems("sharegpt", f"[{GOOD}]")[1]
    turns = [{"from": "human", "value": "Q"}] * 2
    assert "Split the conversation" in problems("sharegpt", json.dumps([{"conversations": turns}]))[1]


def tells_or_refuses(name: str, data: bytes) -> None:
    try:
        for line in FORMATS[name].read(io.BytesIO(data)):
            assert (line.record is None) == bool(line.problem)
    except FileRefused as refusal:
        assert str(refusal)


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=100, deadline=None)
@given(data=st.binary(max_size=60), text=st.text('[]{}":,\n\\ aé0', max_size=60))
def test_whatever_comes_a_reader_tells_or_refuses(name: str, data: bytes, text: str) -> None:
    tells_or_refuses(name, data)
    tells_or_refuses(name, text.encode())


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=60, deadline=None)
@given(place=st.integers(0, 5000), damage=st.binary(max_size=3))
def test_a_damaged_file_is_told_of_or_refused(name: str, place: int, damage: bytes) -> None:
    record = PairRecord(
        "Who?", "Ada.", id=1, reviewed_at=datetime(2026, 1, 1, tzinfo=UTC), flags=("very_long",)
    )
    data = written(name, [record, replace(record, sources=(SourceRecord("a.md"),), kind="consolidated")])
    place %= len(data)
    tells_or_refuses(name, data[:place] + damage + data[place + 1 :])
    tells_or_refuses(name, data[:place])


# --- Which format ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", FORMATS)
def test_a_file_that_was_exported_is_recognised(name: str) -> None:
    data = written(name, [PairRecord('Who is "messages": {?', "Ada.")])
    assert format_of(f"Pairs{FORMATS[name].suffix.upper()}", io.BytesIO(data)) == name


def test_a_name_that_says_nothing_asks_for_the_format() -> None:
    for file in ("pairs.docx", "pairs", "pairs.json"):
        with pytest.raises(FileRefused, match=r"Choose"):
            format_of(file, io.BytesIO(b"[]"))


def test_every_format_names_what_it_holds() -> None:
    for each in FORMATS.values():
        assert {"question", "answer"} <= each.fields <= set(FIELDS)
