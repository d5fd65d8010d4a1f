"""The review queue: order, decisions, undo, clashes, and who may use it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from knowledge.admin.desk import SESSION_KEY
from knowledge.models import Corpus, Reflection, ReflectionFlag, ReflectionSource, Role
from knowledge.services import review, revise
from tests.factories import CorpusFactory
from tests.workbench import browser_of, make_document, make_pair, make_person

pytestmark = pytest.mark.django_db
QUEUE = "/admin/knowledge/reflection/queue/"
SECONDS = 0.3
MOST_OF_A_DECISION = 42  # looking takes 20; the rest writes the pair, its flags, its history and the session
PART = {"Queue-Part": "1"}


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    cache.clear()


@pytest.fixture
def corpus() -> Corpus:
    return CorpusFactory(slug="harbour")


@pytest.fixture
def ann(corpus: Corpus) -> Any:
    return make_person("ann", corpus, Role.CURATOR)


@pytest.fixture
def bob(corpus: Corpus) -> Any:
    return make_person("bob", corpus, Role.CURATOR)


@pytest.fixture
def desk(ann: Any) -> Client:
    return browser_of(ann)


def look(browser: Client, query: str = "") -> Any:
    return browser.get(f"{QUEUE}{query}", headers=PART)


def shown(browser: Client, query: str = "") -> Reflection | None:
    return look(browser, query).context["pair"]


def act(browser: Client, pair: Reflection, deed: str, query: str = "", **data: Any) -> Any:
    """What a browser posts: the pair as ``pair`` has it, and what the person typed."""
    seen = {"pair": pair.pk, "edit": pair.edit, "question": pair.question, "answer": pair.answer}
    return browser.post(f"{QUEUE}{query}", {**seen, "deed": deed, **data}, headers=PART)


def passages(corpus: Corpus, count: int, name: str = "harbour.md") -> list[Any]:
    text = "\n\n".join(
        f"# Part {number}\n\n" + "Ada Marsh leads the Harbour. " * 40 for number in range(count)
    )
    chunks = list(make_document(corpus, text, name=name).chunks.all())
    assert len(chunks) >= count
    return chunks


# --- Order -------------------------------------------------------------------------------------------------
def test_flagged_pairs_come_first_and_pairs_of_a_passage_together(corpus: Corpus, desk: Client) -> None:
    one, two = passages(corpus, 2)[:2]
    by_hand = make_pair(corpus, "By hand?")
    late, early, beside = (
        make_pair(corpus, f"{name}?", (chunk, 0, 3)) for name, chunk in (("A", two), ("B", one), ("C", one))
    )
    flagged = make_pair(corpus, "Flagged?", (two, 0, 3))
    ReflectionFlag.objects.create(reflection=flagged, flag="very_long", note="60 words")
    order, query = [], ""
    while pair := shown(desk, query):
        order.append(pair)
        query = f"?pair={pair.pk}&go=next"
    assert order == [flagged, early, beside, late, by_hand]
    assert shown(desk, f"?pair={late.pk}&go=previous") == beside
    assert shown(desk, f"?pair={flagged.pk}&go=previous") == flagged


def test_the_pair_is_shown_with_flags_origin_marked_passage_and_neighbours(
    corpus: Corpus, desk: Client
) -> None:
    chunk = make_document(corpus, "Ada <b>Marsh</b> leads the Harbour.").chunks.get()
    pair, other = (
        make_pair(corpus, "Who leads?", (chunk, 0, 3)),
        make_pair(corpus, "Who else?", (chunk, 4, 9)),
    )
    origin = {"step": "surface", "model": "small-1", "prompt_version": "p7", "entity": "Harbour"}
    Reflection.objects.filter(pk=pair.pk).update(**origin)
    ReflectionFlag.objects.create(reflection=pair, flag="near_duplicate", note="Says the same", other=other)
    page = look(desk, "?corpus=harbour").content.decode()
    for text in ("Who leads?", "small-1", "step surface", "prompt p7", "about Harbour", "Says the same"):
        assert text in page
    assert "<mark>Ada</mark> &lt;b&gt;Marsh" in page
    assert f"pair={other.pk}" in page


def test_pending_pairs_are_gone_through_unless_the_list_had_another_filter(
    corpus: Corpus, desk: Client
) -> None:
    pending, approved, retired = (make_pair(corpus, f"{name}?") for name in "ABC")
    review(Reflection.objects.filter(pk=approved.pk), "approved", None)
    Reflection.objects.filter(pk=retired.pk).update(retired=True)
    assert shown(desk) == pending
    assert shown(desk, f"?pair={pending.pk}&go=next") is None
    assert shown(desk, "?status__exact=approved") == approved
    assert shown(desk, "?q=B") is None
    assert shown(desk, "?retired__exact=1") == retired


def test_an_empty_queue_says_what_to_do_next(corpus: Corpus, desk: Client) -> None:
    assert "There are no pairs here" in look(desk).content.decode()
    pair = make_pair(corpus)
    assert "That was the last pair" in look(desk, f"?pair={pair.pk}&go=next").content.decode()
    assert "is reviewed" in " ".join(act(desk, pair, "approved").content.decode().split())


def test_list_and_corpus_lead_to_the_queue(corpus: Corpus, desk: Client) -> None:
    make_pair(corpus)
    page = desk.get("/admin/knowledge/reflection/?kind__exact=direct&corpus=harbour").content.decode()
    assert f'href="{QUEUE}?' in page
    assert "kind__exact=direct" in page.split(QUEUE)[1][:60]
    corpus_page = desk.get(reverse("admin:knowledge_corpus_change", args=[corpus.pk])).content.decode()
    assert f'href="{QUEUE}?corpus=harbour"' in corpus_page


# --- Decisions ---------------------------------------------------------------------------------------------
def test_a_decision_is_recorded_and_answers_with_the_next_pair(
    corpus: Corpus, ann: Any, desk: Client
) -> None:
    one, two = make_pair(corpus, "One?"), make_pair(corpus, "Two?")
    answer = act(desk, one, "approved")
    assert answer.context["pair"] == two
    assert "Approved." in answer.content.decode()
    one.refresh_from_db()
    assert (one.status, one.reviewed_by, one.history.first().history_user) == ("approved", ann, ann)
    assert act(desk, two, "rejected").context["pair"] is None
    two.refresh_from_db()
    assert two.status == "rejected"


def test_a_double_press_decides_one_pair(corpus: Corpus, desk: Client) -> None:
    one, two = make_pair(corpus, "One?"), make_pair(corpus, "Two?")
    act(desk, one, "approved")
    again = act(desk, one, "approved")
    assert (again.status_code, again.context["pair"]) == (200, two)
    assert corpus.reflections.counts() == {"pending": 1, "approved": 1, "rejected": 0}
    assert one.history.count() == 2


def test_without_the_script_a_decision_leads_to_the_page_of_the_next_pair(
    corpus: Corpus, desk: Client
) -> None:
    one, two = make_pair(corpus, "One?"), make_pair(corpus, "Two?")
    form = {"pair": one.pk, "edit": 0, "question": one.question, "answer": one.answer, "deed": "approved"}
    answer = desk.post(f"{QUEUE}?corpus=harbour", form, follow=True)
    assert answer.redirect_chain == [(f"{QUEUE}?corpus=harbour&pair={two.pk}", 302)]
    assert "Two?" in answer.content.decode()


def test_an_edit_is_saved_and_the_pair_stays(corpus: Corpus, ann: Any, desk: Client) -> None:
    pair = make_pair(corpus, "Who?")
    answer = act(desk, pair, "save", question="Who leads?\r\nNow?")
    pair.refresh_from_db()
    assert (pair.question, pair.status, pair.edit) == ("Who leads?\nNow?", "pending", 1)
    assert answer.context["pair"] == pair
    refused = act(desk, pair, "save", answer="  ")
    assert "must not be empty" in refused.content.decode()
    pair.refresh_from_db()
    assert pair.edit == 1


def test_an_edit_of_a_trained_pair_goes_on_with_its_revision(corpus: Corpus, desk: Client) -> None:
    pair = make_pair(corpus, "Who?")
    Reflection.objects.filter(pk=pair.pk).update(trained=True)
    answer = act(desk, pair, "save", question="Who leads?")
    revision = answer.context["pair"]
    assert (revision.revises, revision.question) == (pair, "Who leads?")
    assert shown(desk, f"?pair={pair.pk}") == revision
    assert act(desk, revision, "undo").context["pair"].question == "Who?"
    pair.refresh_from_db()
    assert (pair.is_latest, pair.question) == (False, "Who?")


@pytest.mark.parametrize(
    "data", [{"deed": "delete"}, {"deed": "approved", "pair": "x"}, {"deed": "approved"}]
)
def test_what_makes_no_sense_is_refused(corpus: Corpus, desk: Client, data: dict[str, str]) -> None:
    assert desk.post(QUEUE, data).status_code == 400


# --- Undo --------------------------------------------------------------------------------------------------
def test_undo_goes_back_several_steps_and_each_is_recorded(corpus: Corpus, desk: Client) -> None:
    one, two = make_pair(corpus, "One?"), make_pair(corpus, "Two?")
    act(desk, one, "save", question="One and only?")
    one.refresh_from_db()
    act(desk, one, "approved")
    act(desk, two, "rejected")
    for expected in (two, one, one):
        assert act(desk, one, "undo").context["pair"] == expected
    one.refresh_from_db(), two.refresh_from_db()
    assert (one.question, one.status, two.status) == ("One?", "pending", "pending")
    assert (one.history.count(), two.history.count()) == (5, 3)
    assert "nothing to undo" in act(desk, one, "undo").content.decode()


def test_undo_never_undoes_what_somebody_else_did_since(corpus: Corpus, bob: Any, desk: Client) -> None:
    pair = make_pair(corpus, "One?")
    act(desk, pair, "approved")
    revise(pair, {"answer": "Bob's."}, bob)
    answer = act(desk, pair, "undo")
    assert "bob changed this pair after you" in answer.content.decode()
    pair.refresh_from_db()
    assert (pair.status, pair.answer) == ("approved", "Bob's.")


def test_undoing_two_steps_stops_at_what_somebody_else_did_between_them(
    corpus: Corpus, bob: Any, desk: Client
) -> None:
    pair = make_pair(corpus, "One?")
    act(desk, pair, "save", answer="Ann's.")
    pair = revise(pair, {"answer": "Bob's."}, bob)
    act(desk, pair, "approved")
    act(desk, pair, "undo")
    assert "Nothing was undone" in act(desk, pair, "undo").content.decode()
    pair.refresh_from_db()
    assert (pair.status, pair.answer) == ("pending", "Bob's.")


# --- Two curators ------------------------------------------------------------------------------------------
def test_two_curators_are_given_different_pairs(corpus: Corpus, bob: Any, desk: Client) -> None:
    one, two, three = (make_pair(corpus, f"{name}?") for name in "ABC")
    other = browser_of(bob)
    assert (shown(desk), shown(other)) == (one, two)
    assert act(desk, one, "approved").context["pair"] == three
    assert shown(other, f"?pair={two.pk}&go=next") is None


def test_a_decision_on_a_pair_that_changed_meanwhile_is_refused_with_both_texts(
    corpus: Corpus, bob: Any, desk: Client
) -> None:
    pair = make_pair(corpus, "Who?")
    revise(pair, {"answer": "Bob's answer."}, bob)
    refused = act(desk, pair, "approved")
    page = refused.content.decode()
    assert refused.status_code == 409
    assert "bob changed this pair" in page
    assert "Bob&#x27;s answer." in page
    assert pair.answer in page
    pair.refresh_from_db()
    assert (pair.status, pair.answer) == ("pending", "Bob's answer.")


def test_mine_is_saved_over_theirs_only_knowingly(corpus: Corpus, bob: Any, desk: Client) -> None:
    pair = make_pair(corpus, "Who?")
    revise(pair, {"answer": "Bob's."}, bob)
    assert act(desk, pair, "save", answer="Ann's.").status_code == 409
    over = {"question": "Who?", "answer": "Ann's.", "over": "1"}
    assert act(desk, pair, "save", **over, edit=1).status_code == 200
    pair.refresh_from_db()
    assert (pair.answer, pair.edit) == ("Ann's.", 2)
    assert act(desk, pair, "undo").context["pair"].answer == "Bob's."


def test_a_pair_that_somebody_else_decided_alike_is_skipped_with_a_note(
    corpus: Corpus, bob: Any, desk: Client
) -> None:
    one, two = make_pair(corpus, "One?"), make_pair(corpus, "Two?")
    review(Reflection.objects.filter(pk=one.pk), "approved", bob)
    answer = act(desk, one, "approved")
    assert "bob approved that pair already" in answer.content.decode()
    assert answer.context["pair"] == two
    assert act(desk, one, "rejected").status_code == 409


def test_a_decision_on_a_pair_that_was_revised_meanwhile_shows_the_revision(
    corpus: Corpus, bob: Any, desk: Client
) -> None:
    pair = make_pair(corpus, "Who?")
    Reflection.objects.filter(pk=pair.pk).update(trained=True)
    revision = revise(pair, {"answer": "Bob's."}, bob)
    refused = act(desk, pair, "rejected")
    assert (refused.status_code, refused.context["pair"]) == (409, revision)
    revision.refresh_from_db()
    assert revision.status == "pending"


# --- Permissions -------------------------------------------------------------------------------------------
def test_foreign_pairs_are_neither_shown_nor_decided(corpus: Corpus, desk: Client) -> None:
    foreign = make_pair(CorpusFactory(slug="foreign"), "Secret?")
    for query in ("", "?corpus=foreign", f"?pair={foreign.pk}", f"?pair={foreign.pk}&go=next"):
        answer = look(desk, query)
        assert answer.context["pair"] is None
        assert "Secret?" not in answer.content.decode()
    for deed in ("approved", "rejected", "save"):
        act(desk, foreign, deed, answer="Taken over.")
    foreign.refresh_from_db()
    assert (foreign.status, foreign.edit) == ("pending", 0)


@pytest.mark.parametrize(("role", "status"), [(None, 403), (Role.READER, 403), (Role.OWNER, 200)])
def test_the_queue_is_for_curators(corpus: Corpus, role: Role | None, status: int) -> None:
    browser = browser_of(make_person("cy", corpus, role))
    assert look(browser).status_code == status


def test_people_who_are_not_staff_go_to_the_login(corpus: Corpus) -> None:
    browser = browser_of(make_person("cy", corpus, Role.OWNER, is_staff=False))
    assert "login" in look(browser)["Location"]


# --- Progress and speed ------------------------------------------------------------------------------------
def test_progress_counts_the_list_and_tells_the_time_left_from_the_own_pace(
    corpus: Corpus, desk: Client
) -> None:
    rows = [make_pair(corpus, f"Question {number}?") for number in range(20)]
    session = desk.session
    now = time.time()
    session[SESSION_KEY] = {"seconds": [10.0, 12.0, 900.0], "decided_at": now - 3600}
    session.save()
    review(Reflection.objects.filter(pk__in=[row.pk for row in rows[:9]]), "approved", None)
    answer = act(desk, rows[9], "approved")
    assert str(answer.context["progress"]) == "10 of 20, about 2 min left"
    assert desk.session[SESSION_KEY]["seconds"] == [10.0, 12.0, 900.0]  # an hour away is no measure


def test_before_some_decisions_no_time_is_told(corpus: Corpus, desk: Client) -> None:
    make_pair(corpus)
    assert str(look(desk).context["progress"]) == "0 of 1"


def many_pairs(corpus: Corpus, count: int) -> None:
    chunks = passages(corpus, 40)
    first = make_pair(corpus, "First?", (chunks[0], 0, 3))
    Reflection.objects.bulk_create(
        Reflection(
            corpus=corpus,
            reflection_set=first.reflection_set,
            key=str(number),
            question=f"Question {number}?",
            answer="Ada.",
            kind="direct",
            fact=str(number),
        )
        for number in range(count - 1)
    )
    rows = corpus.reflections.exclude(pk=first.pk)
    ReflectionSource.objects.bulk_create(
        ReflectionSource(reflection=row, chunk=chunks[row.pk % len(chunks)], start=0, end=3) for row in rows
    )
    ReflectionFlag.objects.bulk_create(ReflectionFlag(reflection=row, flag="very_long") for row in rows[:200])


def test_ten_thousand_pairs_are_gone_through_with_few_queries_and_quickly(
    corpus: Corpus, desk: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    many_pairs(corpus, 10_000)
    middle = corpus.reflections.order_by("pk")[5000]
    look(desk)
    for query in ("?corpus=harbour", f"?pair={middle.pk}&go=next", f"?pair={middle.pk}&go=previous"):
        with django_assert_max_num_queries(20):
            assert took(lambda query=query: look(desk, query)) < SECONDS
    with django_assert_max_num_queries(MOST_OF_A_DECISION):
        assert took(lambda: act(desk, middle, "approved")) < SECONDS


def took(work: Callable[[], Any]) -> float:
    """Seconds of this thread's processor: other work on the machine does not count."""
    started = time.thread_time()
    assert work().context["pair"]
    return time.thread_time() - started
