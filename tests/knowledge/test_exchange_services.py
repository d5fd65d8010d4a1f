"""Export and import of a corpus's pairs: what is stored, what is refused, and how much it costs."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test.utils import CaptureQueriesContext

from knowledge import services
from knowledge.exchange.formats import FORMATS
from knowledge.exchange.records import FileRefused
from knowledge.exchanging import ImportReport, export_pairs, import_pairs
from knowledge.models import Corpus, Reflection, ReflectionFlag
from memosite.errors import Conflict
from tests.factories import (
    CorpusFactory,
    DocumentFactory,
    ReflectionFactory,
    ReflectionSetFactory,
    UserFactory,
)
from tests.workbench import make_pair

pytestmark = pytest.mark.django_db


@pytest.fixture
def corpus() -> Corpus:
    return CorpusFactory(slug="handbook")


@pytest.fixture
def ann(corpus: Corpus) -> Any:
    return UserFactory(username="ann", curates=corpus)


def exported(corpus: Corpus, format: str = "jsonl") -> bytes:
    return b"".join(export_pairs(corpus.reflections.all(), format))


def objects(corpus: Corpus) -> list[dict[str, Any]]:
    return [json.loads(line) for line in exported(corpus).splitlines()]


def lines(*pairs: dict[str, Any] | str) -> bytes:
    return "\n".join(pair if isinstance(pair, str) else json.dumps(pair) for pair in pairs).encode()


def pair(question: str = "Who?", answer: str = "Ada.", **fields: Any) -> dict[str, Any]:
    return {"question": question, "answer": answer, **fields}


def bring_in(
    corpus: Corpus, data: bytes, person: Any = None, format: str = "jsonl", **options: Any
) -> ImportReport:
    return import_pairs(corpus, data, format, person or AnonymousUser(), **options)


def counts(report: ImportReport) -> tuple[int, int, int]:
    return report.added, report.updated, report.unchanged


def many_pairs(corpus: Corpus, count: int) -> None:
    chunk = DocumentFactory(corpus=corpus).chunks.get()
    made_by = ReflectionSetFactory(corpus=corpus)
    rows = Reflection.objects.bulk_create(
        Reflection(
            corpus=corpus,
            reflection_set=made_by,
            key=f"{number}",
            question=f"Question {number}?",
            answer="Ada.",
            kind="direct",
            fact=f"{number}",
        )
        for number in range(count)
    )
    through = Reflection.sources.through
    through.objects.bulk_create(through(reflection=row, chunk=chunk, start=0, end=3) for row in rows)


# --- Export ------------------------------------------------------------------------------------------------
def test_an_export_holds_all_that_is_known_of_a_pair(corpus: Corpus, ann: Any) -> None:
    document = DocumentFactory(corpus=corpus, name="atlas.md", title="Atlas", version=3)
    row = make_pair(corpus, "Who leads?", (document.chunks.get(), 0, 8))
    services.review(corpus.reflections.all(), "approved", ann)
    Reflection.objects.update(
        entity="Ada",
        step="surface",
        prompt_version="s1",
        model="m",
        reviewed_at=datetime(2026, 1, 2, tzinfo=UTC),
    )
    row.flags.all().delete()
    ReflectionFlag.objects.create(reflection=row, flag="very_short")
    (found,) = objects(corpus)
    assert found == {
        "question": "Who leads?",
        "answer": row.answer,
        "id": row.pk,
        "key": row.key,
        "kind": "direct",
        "fact": row.fact,
        "entity": "Ada",
        "status": "approved",
        "step": "surface",
        "prompt_version": "s1",
        "model": "m",
        "generator": "rules",
        "retired": False,
        "reviewed_by": "ann",
        "reviewed_at": "2026-01-02T00:00:00+00:00",
        "flags": ["very_short"],
        "sources": [
            {
                "document": "atlas.md",
                "title": "Atlas",
                "version": 3,
                "passage": 0,
                "start": 0,
                "end": 8,
                "text": "Ada Lund",
            }
        ],
    }


@pytest.mark.parametrize("format", FORMATS)
def test_an_export_that_comes_in_again_changes_nothing(corpus: Corpus, format: str) -> None:
    chunk = DocumentFactory(corpus=corpus).chunks.get()
    make_pair(corpus, '=1+1, "quoted"\nand 🐙', (chunk, 0, 3))
    make_pair(corpus, "Who?", (chunk, 0, 3), (chunk, 4, 8))
    ReflectionFactory(corpus=corpus, kind="consolidated", status="rejected")
    before = list(Reflection.objects.values())
    report = bring_in(corpus, exported(corpus, format), format=format)
    assert (counts(report), report.errors, report.stored) == ((0, 0, 3), [], True)
    assert list(Reflection.objects.values()) == before


@pytest.mark.parametrize("format", FORMATS)
def test_two_thousand_pairs_take_few_queries_out_and_in_again(corpus: Corpus, format: str) -> None:
    many_pairs(corpus, 2000)
    with CaptureQueriesContext(connection) as out:
        data = exported(corpus, format)
    assert len(out) <= 9  # the pairs, then sources and flags of each batch of 500
    with CaptureQueriesContext(connection) as again:
        assert counts(bring_in(corpus, data, format=format)) == (0, 0, 2000)
    assert len(again) <= 8


def test_two_thousand_new_pairs_are_stored_in_batches(corpus: Corpus) -> None:
    data = lines(*(pair(f"Question {number}?") for number in range(2000)))
    with CaptureQueriesContext(connection) as queries:
        assert counts(bring_in(corpus, data)) == (2000, 0, 0)
    assert len(queries) <= 120  # SQLite takes some forty rows at once
    assert Reflection.history.count() == 2000


def test_an_export_fetches_a_batch_of_pairs_when_the_one_before_is_written(corpus: Corpus) -> None:
    many_pairs(corpus, 1200)
    Reflection.objects.update(answer="A long answer. " * 100)
    with CaptureQueriesContext(connection) as queries:
        blocks = export_pairs(corpus.reflections.all(), "jsonl")
        assert (len(next(blocks)) < 70_000, len(queries)) == (True, 3)
        assert sum(1 for _ in blocks) > 20
        assert len(queries) == 7


# --- Import by id ------------------------------------------------------------------------------------------
def test_a_line_with_an_id_updates_that_pair_as_an_edit_does(corpus: Corpus, ann: Any) -> None:
    row = make_pair(corpus, "Who leads?")
    (found,) = objects(corpus)
    report = bring_in(corpus, lines({**found, "answer": "Bo.", "status": "approved"}), ann)
    assert counts(report) == (0, 1, 0)
    row.refresh_from_db()
    assert (row.answer, row.status, row.reviewed_by) == ("Bo.", "approved", ann)
    assert row.history.count() == 2


def test_what_a_line_does_not_say_stays(corpus: Corpus, ann: Any) -> None:
    row = make_pair(corpus, "Who leads?")
    services.review(corpus.reflections.all(), "approved", ann)
    bring_in(corpus, lines(pair("Who leads now?", row.answer, id=row.pk)))
    row.refresh_from_db()
    assert (row.question, row.status, row.kind) == ("Who leads now?", "approved", "direct")


def test_an_id_of_another_corpus_is_refused_like_one_that_does_not_exist(corpus: Corpus) -> None:
    foreign = make_pair(CorpusFactory(), "Theirs?")
    report = bring_in(corpus, lines(pair(id=foreign.pk), pair(id=foreign.pk + 77)))
    assert [line for line, _ in report.errors] == [1, 2]
    assert {message.replace(str(foreign.pk + 77), str(foreign.pk)) for _, message in report.errors} == {
        f"This corpus has no pair {foreign.pk}. Take the id out to add the line as a new pair."
    }
    foreign.refresh_from_db()
    assert foreign.question == "Theirs?"
    assert not corpus.reflections.exists()


def test_an_id_that_stands_twice_is_told_with_the_first_line(corpus: Corpus) -> None:
    row = make_pair(corpus)
    report = bring_in(corpus, lines(pair(id=row.pk), pair("B?", id=row.pk)), store_good=True)
    assert report.errors == [(2, f"Pair {row.pk} stands in line 1 already. Keep one of the two.")]
    row.refresh_from_db()
    assert row.question == "Who?"


def test_a_pair_that_was_revised_since_is_told_unless_it_reads_the_same(corpus: Corpus) -> None:
    old, middle, new = (make_pair(corpus, f"Wording {number}?") for number in range(3))
    Reflection.objects.filter(pk=old.pk).update(is_latest=False)
    Reflection.objects.filter(pk=middle.pk).update(is_latest=False, revises=old)
    Reflection.objects.filter(pk=new.pk).update(revises=middle)
    same = pair(new.question, new.answer, id=old.pk)
    assert counts(bring_in(corpus, lines(same))) == (0, 0, 1)
    report = bring_in(corpus, lines({**same, "answer": "Bo."}))
    assert f"Pair {old.pk} was revised as pair {new.pk} since" in report.errors[0][1]


def test_an_edit_that_the_services_refuse_is_a_bad_line_and_undoes_the_others(
    corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = make_pair(corpus, "One?"), make_pair(corpus, "Two?")
    revise = services.revise

    def revise_the_first(row: Reflection, changes: dict[str, str], person: Any) -> Reflection:
        if row == second:
            raise Conflict("Somebody has changed this pair meanwhile.")
        return revise(row, changes, person)

    monkeypatch.setattr(services, "revise", revise_the_first)
    data = lines(pair("New?"), pair("1?", id=first.pk), pair("2?", id=second.pk))
    report = bring_in(corpus, data)
    assert (report.stored, report.errors) == (False, [(3, "Somebody has changed this pair meanwhile.")])
    assert set(corpus.reflections.values_list("question", flat=True)) == {"One?", "Two?"}
    assert bring_in(corpus, data, store_good=True).stored
    assert set(corpus.reflections.values_list("question", flat=True)) == {"1?", "Two?", "New?"}


# --- Import without ids ------------------------------------------------------------------------------------
def test_a_new_pair_is_one_by_hand_with_its_history(corpus: Corpus, ann: Any) -> None:
    data = lines(
        pair(" Who? ", "Ada.", kind="entity", status="approved", fact="f", entity="Ada"), pair("Where?")
    )
    assert counts(bring_in(corpus, data, ann)) == (2, 0, 0)
    who, where = corpus.reflections.all()
    assert (who.question, who.kind, who.status, who.fact, who.entity) == (
        "Who?",
        "entity",
        "approved",
        "f",
        "Ada",
    )
    assert (where.kind, where.status, where.fact) == ("direct", "pending", where.key)
    assert who.reflection_set.generator == services.BY_HAND
    assert (who.reviewed_by, who.history.get().history_user) == (ann, ann)
    with pytest.raises(Conflict, match="here already"):
        services.add_pair(corpus, ann, question="Who?", answer="Ada.", kind="direct", status="pending")


def test_a_pair_without_an_id_finds_the_one_of_the_same_words(corpus: Corpus) -> None:
    services.add_pair(
        corpus, AnonymousUser(), question="Who?", answer="Ada.", kind="direct", status="pending"
    )
    generated = make_pair(corpus, "Generated?")
    data = lines(pair("Who?", " Ada."), pair(generated.question, generated.answer, status="approved"))
    assert counts(bring_in(corpus, data)) == (0, 1, 1)
    generated.refresh_from_db()
    assert generated.status == "approved"


def test_a_pair_that_somebody_has_reworded_is_neither_doubled_nor_put_back(corpus: Corpus, ann: Any) -> None:
    row = services.add_pair(corpus, ann, question="Who?", answer="Ada.", kind="direct", status="pending")
    services.revise(row, {"answer": "Bo."}, ann)
    report = bring_in(corpus, lines(pair()))
    assert f"is here as number {row.pk}, which somebody has reworded" in report.errors[0][1]
    assert counts(bring_in(corpus, lines(pair("Who?", "Bo.")))) == (0, 0, 1)


def test_the_same_pair_twice_in_a_file_is_one_pair(corpus: Corpus) -> None:
    assert counts(bring_in(corpus, lines(pair(), pair("Who? "), pair("B?")))) == (2, 0, 1)
    assert counts(bring_in(corpus, lines(pair(status="approved"), pair(status="approved")))) == (0, 1, 1)


def test_pairs_of_a_research_cache_come_in_and_go_out_again(corpus: Corpus) -> None:
    entries = [
        {"doc_id": "12", "qa_pairs": [pair(), pair("B?", "b")], "consolidated_qa_pairs": [pair("B?", "b")]},
        {"doc_id": "12", "type": "crossdoc", "source_doc_ids": ["12", "9"], "qa_pairs": [pair("C?", "c")]},
    ]
    data = json.dumps({"qa_pairs_cache": entries}, indent=2).encode()
    assert counts(bring_in(corpus, data, format="memo")) == (3, 0, 0)
    assert list(corpus.reflections.values_list("kind", flat=True)) == [
        "direct",
        "consolidated",
        "cross_document",
    ]
    out = json.loads(exported(corpus, "memo"))["qa_pairs_cache"]
    assert [entry.get("consolidated_qa_pairs") for entry in out] == [[pair("B?", "b")], None]
    assert [len(entry["qa_pairs"]) for entry in out] == [2, 1]


# --- Bad files ---------------------------------------------------------------------------------------------
def test_nothing_of_a_bad_file_is_stored_unless_asked(corpus: Corpus) -> None:
    row = make_pair(corpus, "Old?")
    data = lines(pair(), "oops", pair("Changed?", id=row.pk), pair(kind="funny"), pair("B?", status="ok"))
    report = bring_in(corpus, data)
    assert [line for line, _ in report.errors] == [2, 4, 5]
    assert (counts(report), report.stored) == ((1, 1, 0), False)
    assert list(corpus.reflections.values_list("question", flat=True)) == ["Old?"]
    report = bring_in(corpus, data, store_good=True)
    assert (counts(report), report.stored) == ((1, 1, 0), True)
    assert list(corpus.reflections.values_list("question", flat=True)) == ["Changed?", "Who?"]


def test_a_dry_run_tells_and_stores_nothing(corpus: Corpus) -> None:
    report = bring_in(corpus, lines(pair()), dry_run=True)
    assert (counts(report), report.stored) == ((1, 0, 0), False)
    assert not corpus.reflections.exists()


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"", "empty"), (b"\n\n", "holds no pair"), (b"x" * 2_000_000, "1 MB are the limit. Split it")],
)
def test_a_file_with_nothing_or_too_much_in_it_says_what_to_do(
    corpus: Corpus, settings, data, reason
) -> None:
    settings.MAX_UPLOAD_BYTES = 2**20
    with pytest.raises(FileRefused, match=reason):
        bring_in(corpus, data)


def test_a_file_with_more_than_a_thousand_bad_lines_is_not_read_to_its_end(corpus: Corpus) -> None:
    stream = io.BytesIO(b"{}\n" * 500_000)
    with pytest.raises(
        FileRefused, match=r"More than 1,000 lines are bad, the first: line 1: The question is miss"
    ):
        import_pairs(corpus, stream, "jsonl", None, store_good=True)


def test_an_unknown_format_names_the_known_ones(corpus: Corpus) -> None:
    with pytest.raises(FileRefused, match=r"no format “xml”\. Choose from jsonl, csv"):
        export_pairs(corpus.reflections.all(), "xml")
