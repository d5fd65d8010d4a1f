"""What supports an answer: the trained pairs nearest to it, with the passages that the person may read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from rest_framework.test import APIClient

from chat import viewing
from chat.evidence import copying, sources
from chat.evidence.grading import Grade
from chat.evidence.sources import Sources, SupportingPair
from chat.models import SubQuery, Turn
from chat.provenance import NoSuchSubQuery, all_supporting, as_markdown, supporting
from knowledge import services
from knowledge.models import Corpus, Document, Reflection, ReflectionSource
from tests.factories import (
    ConversationFactory,
    CorpusFactory,
    DocumentFactory,
    MemoryVersionFactory,
    ReflectionFactory,
    SubQueryFactory,
    TrainedPairFactory,
    TurnFactory,
    UserFactory,
)
from training.memory import DONT_KNOW
from training.models import MemoryVersion, TrainedPair

pytestmark = pytest.mark.django_db
QUESTION, ANSWER = "Who leads Project Atlas?", "Ada Lund leads Project Atlas."
TEXT = "Norvik has two projects. Ada Lund leads Project Atlas. Bo Ek leads Project Boreas."


@pytest.fixture
def corpus() -> Corpus:
    return CorpusFactory(slug="handbook", name="Handbook")


@pytest.fixture
def document(corpus: Corpus) -> Document:
    return DocumentFactory(corpus=corpus, name="projects.md", title="Projects", text=TEXT)


@pytest.fixture
def version(corpus: Corpus) -> MemoryVersion:
    return MemoryVersionFactory(corpus=corpus, live=True)


@pytest.fixture
def turn(corpus: Corpus, version: MemoryVersion) -> Turn:
    turn = TurnFactory(
        conversation=ConversationFactory(corpus=corpus), version=version, answer="Ada Lund leads it. [1]"
    )
    turn.versions.add(version)
    return turn


def asked(turn: Turn, question: str = QUESTION, answer: str = ANSWER, **fields: Any) -> SubQuery:
    """A sub-query of the turn that its version answered."""
    known = answer not in ("", DONT_KNOW)
    fields = {"known": known, "version": turn.version, "confidence": 0.97 if known else None, **fields}
    return SubQueryFactory(turn=turn, question=question, answer=answer, **fields)


def taught(
    version: MemoryVersion,
    document: Document | None = None,
    question: str = QUESTION,
    answer: str = ANSWER,
    **fields: Any,
) -> TrainedPair:
    """A pair that the version was trained on; with a document, made from the sentence that is its answer."""
    corpus = document.corpus if document else version.corpus
    reflection = ReflectionFactory(corpus=corpus, question=question, answer=answer, trained=True)
    if document:
        chunk = document.chunks.get()
        start = chunk.text.index(answer)
        ReflectionSource.objects.create(
            reflection=reflection, chunk=chunk, start=start, end=start + len(answer)
        )
    fields = {"reflection": reflection, **fields}
    return TrainedPairFactory(version=version, question=question, answer=answer, **fields)


def seen(turn: Turn, person: Any = None) -> Sources:
    return supporting(turn, 1, person or turn.conversation.person)


def only_pair(turn: Turn, person: Any = None) -> SupportingPair:
    (pair,) = seen(turn, person).pairs
    return pair


# --- What is found -----------------------------------------------------------------------------------------
def test_an_answer_that_was_taught_is_supported_exactly_with_its_passage_marked(turn, version, document):
    asked(turn)
    taught(version, document)
    found = seen(turn)
    assert (found.grade, found.version, found.why_none) == (Grade.EXACT, "Handbook v1", "")
    (pair,) = found.pairs
    assert (pair.question, pair.answer, pair.since) == (QUESTION, ANSWER, ())
    (passage,) = pair.passages
    assert (passage.document, passage.marked, passage.since) == ("Projects", ANSWER, "")
    assert "".join(piece.text for piece in passage.stretches) == TEXT
    assert passage.url == reverse("document", args=["handbook", document.pk])


def test_any_of_the_wordings_that_went_to_memory_finds_the_pair(turn, version):
    asked(turn, "Who runs Atlas?", "Ada Lund.", wordings=["Who runs Atlas?", QUESTION])
    taught(version, answer="Ada Lund.")
    assert seen(turn).grade == Grade.EXACT


def test_other_wordings_of_the_same_fact_are_counted_rather_than_listed(turn, version, document):
    asked(turn)
    for question in (QUESTION, "Who is in charge of Project Atlas?", "What does Ada Lund lead?"):
        taught(version, document, question)
    pair = only_pair(turn)
    assert (pair.question, pair.other_wordings) == (QUESTION, 2)
    assert len(pair.passages) == 1  # all rest on the same sentence


def test_a_pair_with_another_answer_is_near_and_says_so(turn, version):
    asked(turn)
    taught(version, answer="Bo Ek leads Project Atlas.")
    pair = only_pair(turn)
    assert (pair.grade, pair.answers_otherwise) == (Grade.NEAR, True)
    assert seen(turn).in_words == "memory was taught another answer"


def test_at_most_three_pairs_are_shown_the_exact_one_first(turn, version):
    asked(turn)
    for year in range(2015, 2020):
        taught(version, None, f"Who led Project Atlas in {year}?", f"Ada Lund led Project Atlas in {year}.")
    taught(version)
    pairs = seen(turn).pairs
    assert [pair.grade for pair in pairs] == [Grade.EXACT, Grade.NEAR, Grade.NEAR]


def test_pairs_of_another_version_and_pairs_held_out_do_not_count(turn, version, corpus):
    asked(turn)
    taught(MemoryVersionFactory(corpus=corpus))
    TrainedPairFactory(version=version, question=QUESTION, answer=ANSWER, held_out=True)
    taught(version, None, "Where does Bo Ek live?", "Bo Ek lives in Oslo.")
    found = seen(turn)
    assert (found.grade, found.pairs, found.why_none) == (Grade.NONE, (), sources.NOTHING_NEAR)


def test_each_answer_is_looked_up_in_the_version_that_gave_it(turn, version):
    other = MemoryVersionFactory(corpus=CorpusFactory(name="Towns"))
    turn.conversation.person.groups.add(other.corpus.reader_group)
    taught(other)
    asked(turn)
    asked(turn, version=other)
    taught(version, None, "Where does Bo Ek live?", "Bo Ek lives in Oslo.")
    first, second = all_supporting(turn, turn.conversation.person)
    assert (first.grade, second.grade, second.version) == (Grade.NONE, Grade.EXACT, "Towns v1")


@pytest.mark.parametrize(
    ("answer", "why"),
    [("", sources.UNANSWERED), (DONT_KNOW, sources.ABSTAINED), (ANSWER, sources.WITHOUT_PAIRS)],
)
def test_where_there_is_nothing_to_support_the_reason_is_told(turn, answer, why):
    asked(turn, answer=answer)
    found = seen(turn)
    assert (found.grade, found.pairs, found.why_none) == (Grade.NONE, (), why)


def test_an_abstention_gets_no_pairs_however_near(turn, version):
    asked(turn, answer=DONT_KNOW)
    taught(version, answer=DONT_KNOW)
    assert seen(turn).pairs == ()


def test_a_deleted_version_supports_nothing_and_that_is_told(turn, version):
    asked(turn)
    taught(version)
    version.aliases.all().delete()
    version.delete()
    turn.refresh_from_db()
    assert seen(turn).why_none == sources.DELETED


def test_of_several_memories_a_deleted_one_is_not_taken_for_another(turn, version):
    turn.conversation.others.add(CorpusFactory())
    asked(turn, version=None)
    taught(version)
    assert seen(turn).why_none == sources.DELETED


def test_an_answer_from_before_answers_named_their_version_is_looked_up_in_the_turns(turn, version):
    asked(turn, version=None)
    taught(version)
    assert seen(turn).grade == Grade.EXACT


def test_a_sub_query_that_is_not_there_is_refused(turn):
    with pytest.raises(NoSuchSubQuery, match="no sub-query 1"):
        seen(turn)


# --- What became of a pair since ---------------------------------------------------------------------------
def test_the_pair_is_shown_as_trained_and_an_edit_since_is_told(turn, version, document):
    asked(turn)
    pair = taught(version, document)
    revision = services.revise(pair.reflection, {"answer": "Bo Ek leads Project Atlas."}, UserFactory())
    assert revision != pair.reflection
    shown = only_pair(turn)
    assert (shown.answer, shown.grade) == (ANSWER, Grade.EXACT)
    assert shown.since == (f"{sources.EDITED} It now reads: {QUESTION} Bo Ek leads Project Atlas.",)
    assert len(shown.passages) == 1


def test_new_words_that_no_curator_approved_are_not_shown(turn, version):
    asked(turn)
    pair = taught(version)
    changes = {"answer": "Secret.", "status": "pending"}
    services.revise(pair.reflection, changes, UserFactory())
    assert only_pair(turn).since == (sources.UNDER_REVIEW, sources.EDITED)


def test_a_pair_that_was_rejected_or_retired_since_says_so(turn, version):
    asked(turn)
    pair = taught(version)
    Reflection.objects.filter(pk=pair.reflection_id).update(status="rejected", retired=True)
    assert only_pair(turn).since == (sources.REJECTED, sources.RETIRED)


def test_a_pair_of_an_imported_memory_has_no_document_and_says_so(turn, version):
    asked(turn)
    taught(version, reflection=None)
    shown = only_pair(turn)
    assert (shown.grade, shown.passages, shown.since) == (Grade.EXACT, (), (sources.NO_RECORD,))


def test_a_passage_of_a_document_that_was_replaced_or_taken_out_says_so(turn, version, document):
    asked(turn)
    taught(version, document)
    services.remove_document(document)
    assert only_pair(turn).passages[0].since == "taken out of the corpus since"
    DocumentFactory(corpus=document.corpus, name=document.name, version=2)
    assert only_pair(turn).passages[0].since == "replaced by a newer version since"


def test_a_long_passage_is_cut_around_what_is_marked(turn, version, corpus):
    around = "Nothing of note happened here. " * 12
    document = DocumentFactory(corpus=corpus, text=f"{around}{ANSWER} {around}")
    asked(turn)
    taught(version, document)
    (passage,) = only_pair(turn).passages
    shown = "".join(piece.text for piece in passage.stretches)
    assert passage.marked == ANSWER
    assert shown.startswith("… ")
    assert shown.endswith(" …")
    assert len(shown) < 400


def test_a_passage_is_shown_as_far_as_its_paragraph_goes(turn, version, corpus):
    document = DocumentFactory(corpus=corpus, text=f"# Projects\n\nA list:\n- {ANSWER}\n\nMore follows.")
    asked(turn)
    taught(version, document)
    (passage,) = only_pair(turn).passages
    assert "".join(piece.text for piece in passage.stretches) == f"A list:\n- {ANSWER}"


def test_more_passages_than_are_shown_are_counted(turn, version, corpus):
    asked(turn)
    pair = taught(version)
    for chunk in [DocumentFactory(corpus=corpus).chunks.get() for _ in range(5)]:
        ReflectionSource.objects.create(reflection=pair.reflection, chunk=chunk, start=0, end=8)
    shown = only_pair(turn)
    assert (len(shown.passages), shown.more_passages) == (viewing.PASSAGES_SHOWN, 2)


# --- What a person may see ---------------------------------------------------------------------------------
@pytest.fixture
def closed() -> Corpus:
    return CorpusFactory(slug="board", name="Board")


@pytest.fixture
def merged(turn, corpus, closed) -> MemoryVersion:
    """A version of two corpora, of which the turn's person reads one (and once read the other)."""
    merged = MemoryVersionFactory(corpus=corpus, corpora=[closed])
    Turn.objects.filter(pk=turn.pk).update(version=merged)
    turn.refresh_from_db()
    turn.versions.set([merged])
    return merged


def test_a_pair_of_a_corpus_that_the_person_may_not_read_is_left_out_and_counted(turn, merged, closed):
    asked(turn)
    taught(merged, DocumentFactory(corpus=closed, title="Minutes", text=TEXT))
    found = seen(turn)
    assert (found.pairs, found.hidden_pairs, found.why_none) == ((), 1, sources.ALL_HIDDEN)
    assert (found.grade, found.version) == (Grade.NONE, "")
    turn.conversation.person.groups.add(closed.reader_group)
    assert (seen(turn).grade, seen(turn).hidden_pairs) == (Grade.EXACT, 0)
    assert only_pair(turn).passages[0].document == "Minutes"


def test_of_the_same_pair_in_two_corpora_the_readable_one_is_shown(turn, merged, closed, document):
    asked(turn)
    taught(merged, DocumentFactory(corpus=closed, title="Minutes", text=TEXT))
    taught(merged, document)
    found = seen(turn)
    assert (found.grade, found.hidden_pairs) == (Grade.EXACT, 0)
    assert [passage.document for passage in only_pair(turn).passages] == ["Projects"]
    assert only_pair(turn).other_wordings == 0


def test_a_passage_of_a_document_that_the_person_may_not_read_is_left_out_and_counted(
    turn, version, document, closed
):
    asked(turn)
    pair = taught(version, document)
    elsewhere = DocumentFactory(corpus=closed, title="Minutes", text=TEXT).chunks.get()
    ReflectionSource.objects.create(reflection=pair.reflection, chunk=elsewhere, start=0, end=10)
    shown = only_pair(turn)
    assert [passage.document for passage in shown.passages] == ["Projects"]
    assert shown.hidden_passages == 1


def test_a_pair_of_unknown_origin_is_shown_only_to_those_who_may_ask_the_version(turn, merged, closed):
    asked(turn)
    taught(merged, reflection=None)
    assert seen(turn).hidden_pairs == 1
    turn.conversation.person.groups.add(closed.reader_group)
    assert seen(turn).grade == Grade.EXACT


def test_passages_are_checked_against_the_person_who_looks_not_the_one_who_asked(turn, version, document):
    asked(turn)
    taught(version, document)
    assert seen(turn, UserFactory(reads=document.corpus)).grade == Grade.EXACT
    stranger = seen(turn, UserFactory(reads=CorpusFactory()))
    assert (stranger.pairs, stranger.hidden_pairs, stranger.version) == ((), 1, "")


# --- The index ---------------------------------------------------------------------------------------------
def test_the_pairs_of_a_version_are_read_once_in_a_process(turn, version, document):
    asked(turn)
    taught(version, document)
    with CaptureQueriesContext(connection) as first:
        seen(turn)
    with CaptureQueriesContext(connection) as second:
        seen(turn)
    assert len(second) == len(first) - 1
    assert len(second) < 12


def test_the_number_of_queries_does_not_grow_with_the_pairs_shown(turn, version, document):
    asked(turn)
    for year in range(2015, 2018):
        taught(version, None, f"Who led Project Atlas in {year}?", f"Ada Lund led Project Atlas in {year}.")
    with CaptureQueriesContext(connection) as queries:
        assert len(seen(turn).pairs) == 3
    assert len(queries) < 14


# --- The page ----------------------------------------------------------------------------------------------
@pytest.fixture
def supported(client, turn, version, document) -> Turn:
    asked(turn)
    taught(version, document)
    client.force_login(turn.conversation.person)
    return turn


def page_of(client, turn: Turn, index: int = 1) -> str:
    return client.get(reverse("turn-sources", args=[turn.pk, index])).content.decode()


def test_the_page_shows_badge_label_pair_and_marked_passage(client, supported, document):
    page = page_of(client, supported)
    for said in ("Exact", "Supporting", "Handbook v1", QUESTION, f"<mark>{ANSWER}</mark>", "Projects"):
        assert said in page
    assert reverse("document", args=["handbook", document.pk]) in page
    assert "from its weights, and those were not read" in page
    assert "source of" not in page


def test_the_page_says_why_nothing_is_there(client, supported):
    asked(supported, "Where does Ada Lund live?", DONT_KNOW)
    page = page_of(client, supported, 2)
    assert "None" in page
    assert "so there is nothing to support" in page


def test_the_page_of_a_sub_query_that_is_not_there_is_not_found(client, supported):
    assert client.get(reverse("turn-sources", args=[supported.pk, 7])).status_code == 404


def test_documents_and_pairs_are_shown_as_text(client, turn, version, corpus):
    answer = "Ada Lund leads <script>alert(1)</script> Atlas."
    asked(turn, answer=answer)
    taught(version, DocumentFactory(corpus=corpus, title="<b>x</b>", text=answer), answer=answer)
    client.force_login(turn.conversation.person)
    page = page_of(client, turn)
    assert "<script" not in page
    assert "<b>" not in page


@pytest.mark.parametrize("name", ["turn-sources", "turn-copy"])
def test_only_ones_own_turns_have_these_pages(client, supported, name):
    arguments = [supported.pk, 1] if name == "turn-sources" else [supported.pk]
    client.force_login(UserFactory(owns=supported.conversation.corpus))
    assert client.get(reverse(name, args=arguments)).status_code == 404
    client.force_login(supported.conversation.person)
    supported.conversation.person.groups.clear()
    assert client.get(reverse(name, args=arguments)).status_code == 404


# --- REST --------------------------------------------------------------------------------------------------
@pytest.fixture
def api(supported: Turn) -> APIClient:
    client = APIClient()
    client.force_authenticate(supported.conversation.person)
    return client


def test_rest_gives_what_supports_each_answer(api, supported):
    asked(supported, "Where does Ada Lund live?", DONT_KNOW)
    first, second = api.get(f"/api/turns/{supported.pk}/sources/").json()
    assert (first["grade"], second["grade"]) == ("exact", "none")
    (pair,) = first["pairs"]
    (passage,) = pair["passages"]
    assert [piece["text"] for piece in passage["stretches"] if piece["marked"]] == [ANSWER]
    assert "were not read" in first["note"]
    assert json.dumps(second["why_none"])


def test_rest_gives_one_sub_query_alone(api, supported):
    asked(supported, "Where does Ada Lund live?", DONT_KNOW)
    (one,) = api.get(f"/api/turns/{supported.pk}/sources/?index=2").json()
    assert one["index"] == 2


@pytest.mark.parametrize(("index", "status"), [("9", 404), ("x", 400), ("-1", 400), ("²", 400)])
def test_rest_refuses_an_index_that_is_none(api, supported, index, status):
    answer = api.get(f"/api/turns/{supported.pk}/sources/", {"index": index})
    assert answer.status_code == status
    assert answer["content-type"] == "application/problem+json"


# --- To take along -----------------------------------------------------------------------------------------
def test_the_copied_text_has_answer_sub_queries_and_supporting_documents(client, supported, document):
    asked(supported, "Where does Ada Lund live?", DONT_KNOW)
    answer = client.get(reverse("turn-copy", args=[supported.pk]))
    assert answer["content-type"] == "text/markdown; charset=utf-8"
    text = answer.content.decode()
    assert text.startswith("**Who leads Project Atlas?**\n\nAda Lund leads it. [1]\n")
    assert "Sub-questions to memory (Handbook v1, trained on " in text
    assert "1. Who leads Project Atlas?\n   Ada Lund leads Project Atlas. (97 % sure)\n" in text
    address = f"http://testserver{reverse('document', args=['handbook', document.pk])}"
    assert (
        f"- Supporting (exact): {QUESTION} {ANSWER}\n     - [Projects, version 1]({address}): “{ANSWER}”"
        in text
    )
    assert "2. Where does Ada Lund live?\n   I don't know." in text
    assert "they are not its source" in text


def test_the_copied_text_says_where_no_answer_and_no_support_is(turn):
    Turn.objects.filter(pk=turn.pk).update(answer="")
    turn.refresh_from_db()
    asked(turn)
    text = as_markdown(turn, turn.conversation.person)
    assert copying.NO_ANSWER in text
    assert f"- Supporting (none): {sources.WITHOUT_PAIRS}" in text


def test_the_copied_text_leaves_out_and_counts_what_the_person_may_not_read(turn, merged, closed):
    asked(turn)
    taught(merged, DocumentFactory(corpus=closed, title="Minutes", text=TEXT))
    text = as_markdown(turn, turn.conversation.person)
    assert "1 pair is not shown" in text
    assert "Minutes" not in text


@pytest.mark.parametrize(
    ("written", "copied"),
    [
        ("See [this](javascript:alert(1)) [1].", r"See \[this](javascript:alert(1)) [1]."),
        (r"See \[this](x) and \\[that](x).", r"See \[this](x) and \[that](x)."),
        ("[1](javascript:alert(1)), [1][a]", r"\[1](javascript:alert(1)), \[1]\[a]"),
        ("[a]: javascript:alert(1)", r"\[a]: javascript:alert(1)"),
        ("<script>alert(1)</script>", r"\<script>alert(1)\</script>"),
        ("**Ada Lund** [1], [2]", "**Ada Lund** [1], [2]"),
    ],
)
def test_the_copied_answer_keeps_its_markdown_but_no_links_and_no_html(turn, written, copied):
    Turn.objects.filter(pk=turn.pk).update(answer=written)
    turn.refresh_from_db()
    assert copied in as_markdown(turn, turn.conversation.person)


def test_what_memory_said_cannot_write_markup_into_the_copied_text(turn):
    asked(turn, "Who\n# leads?", "[x](javascript:alert(1)) <img src=x> `*_*`\n\n- item")
    text = as_markdown(turn, turn.conversation.person)
    assert "1. Who \\# leads?\n" in text
    assert r"\[x\](javascript:alert(1)) \<img src=x\> \`\*\_\*\` - item" in text
