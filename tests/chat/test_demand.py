"""What memory could not answer, gathered for curators."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connections
from django.urls import reverse
from django.utils import timezone

from chat import demand
from chat.checking import make_up, perform_check
from chat.models import CheckRun, Demand, Turn, TurnStatus, UnansweredQuestion
from chat.tasks import check
from chat.views.demand import DEMANDS_ON_A_PAGE, QUESTIONS_SHOWN
from knowledge.models import Reflection
from memosite.errors import Conflict
from memosite.runs import Status, requeue_stranded, work_on
from memosite.worker import chores
from tests.chat.checks import run_checks
from tests.factories import (
    AnsweredTurnFactory,
    ConversationFactory,
    CorpusFactory,
    DemandFactory,
    MemoryVersionFactory,
    SubQueryFactory,
    UserFactory,
)
from tests.fakes import PairMemory, ScriptedMemory
from training.microbatch import Busy
from training.models import Alias
from training.services import promote

pytestmark = pytest.mark.django_db

BEACON = "Who leads Project Beacon?"


@pytest.fixture
def corpus():
    return CorpusFactory(name="Harbour", slug="harbour")


@pytest.fixture
def live(corpus):
    return MemoryVersionFactory(corpus=corpus, number=1, live=True)


@pytest.fixture
def curator(client, corpus):
    person = UserFactory(username="cara", curates=corpus, is_staff=True)
    client.force_login(person)
    return person


@pytest.fixture
def knows(monkeypatch):
    pairs: dict[str, str] = {}
    monkeypatch.setattr("chat.checking.memory_for", lambda version: PairMemory(pairs.items()))
    return pairs


def unknown(version, question: str = BEACON, **fields) -> Turn:
    """A turn that asked the version in vain."""
    conversation = fields.pop("conversation", None) or ConversationFactory(corpus=version.corpus)
    return AnsweredTurnFactory(
        conversation=conversation, version=version, question=question, known=False, **fields
    )


def again(row):
    return type(row).objects.get(pk=row.pk)


# --- Gathering ---------------------------------------------------------------------------------------------
def test_a_question_that_memory_did_not_know_becomes_a_demand(live, corpus):
    turn = unknown(live)
    SubQueryFactory(turn=turn, question=BEACON)
    SubQueryFactory(turn=turn, question="Who manages Project Beacon?")
    SubQueryFactory(turn=turn, question="What is Project Beacon?", known=True)
    assert demand.file_unanswered() == 1
    row = Demand.objects.get()
    assert (row.corpus, row.question, row.times, row.status) == (corpus, BEACON, 1, "open")
    assert row.first_asked_at == row.last_asked_at == turn.created_at
    assert row.questions.get().missing == ["Who manages Project Beacon?"]


def test_like_questions_are_one_demand_and_others_are_not(live):
    for question in (BEACON, "who is leading project beacon", "Who leads Project Comet?"):
        unknown(live, question)
    demand.file_unanswered()
    assert [(row.question, row.times) for row in Demand.objects.order_by("pk")] == [
        (BEACON, 2),
        ("Who leads Project Comet?", 1),
    ]
    assert UnansweredQuestion.objects.count() == 3


def test_a_turn_is_filed_once_however_often_workers_look(live):
    unknown(live)
    assert [demand.file_unanswered() for _ in range(3)] == [1, 0, 0]
    assert Demand.objects.get().times == 1


def test_a_turn_that_died_in_the_middle_of_its_filing_is_filed_whole_the_next_time(live, monkeypatch):
    unknown(live)
    create = UnansweredQuestion.objects.create

    def killed(**fields):
        raise KeyboardInterrupt

    monkeypatch.setattr(UnansweredQuestion.objects, "create", killed)
    with pytest.raises(KeyboardInterrupt):
        demand.file_unanswered()
    assert not Demand.objects.exists()
    monkeypatch.setattr(UnansweredQuestion.objects, "create", create)
    assert demand.file_unanswered() == 1
    assert (Demand.objects.get().times, UnansweredQuestion.objects.count()) == (1, 1)


def test_workers_file_what_is_left_when_they_look_after_things(live):
    unknown(live)
    import chat.tasks  # noqa: F401 - the worker's chores are in it

    next(chore for chore in chores if chore.work.__name__ == "file_unanswered").work()
    assert Demand.objects.get().question == BEACON


@pytest.mark.parametrize(
    "fields",
    [
        {"known": True},
        {"needed_memory": False},
        {"status": TurnStatus.RUNNING},
        {"status": TurnStatus.STOPPED},
        {"status": TurnStatus.FAILED},
    ],
)
def test_what_was_answered_stopped_or_needed_no_memory_is_no_demand(live, fields):
    Turn.objects.filter(pk=unknown(live).pk).update(**fields)
    assert demand.file_unanswered() == 0
    assert not Demand.objects.exists()


def test_a_follow_up_is_filed_as_it_was_understood(live):
    unknown(live, "And who leads it?", asked=BEACON)
    demand.file_unanswered()
    assert Demand.objects.get().question == BEACON


def test_the_demand_outlives_the_turn_and_names_nobody(live):
    turn = unknown(live)
    demand.file_unanswered()
    turn.conversation.delete()
    kept = UnansweredQuestion.objects.get()
    assert (kept.question, kept.turn) == (BEACON, None)
    assert not {field.name for field in UnansweredQuestion._meta.fields} & {"person", "user"}


def test_a_dismissed_demand_counts_on_without_coming_back(live, curator):
    unknown(live)
    demand.file_unanswered()
    demand.dismiss(Demand.objects.get(), curator)
    unknown(live)
    demand.file_unanswered()
    row = Demand.objects.get()
    assert (row.status, row.times) == ("dismissed", 2)


def test_an_answered_demand_is_open_again_when_the_live_version_does_not_know_it(live):
    row = DemandFactory(corpus=live.corpus, status="answered", answered_by=live)
    unknown(live)
    demand.file_unanswered()
    assert (again(row).status, again(row).times) == ("open", 2)


def test_it_stays_answered_when_a_former_version_did_not_know_it(live, corpus):
    new = MemoryVersionFactory(corpus=corpus, number=2)
    row = DemandFactory(corpus=corpus, status="answered", answered_by=new, checked_version=new)
    unknown(live)
    promote(new, reason="Newer")
    demand.file_unanswered()
    assert (again(row).status, again(row).times) == ("answered", 2)


# --- Several corpora ---------------------------------------------------------------------------------------
@pytest.fixture
def both(live):
    """A conversation about two corpora, with the live version of the other."""
    other = MemoryVersionFactory(corpus=CorpusFactory(name="Tower"), live=True)
    conversation = ConversationFactory(corpus=live.corpus)
    conversation.others.add(other.corpus)
    return conversation, other


def test_each_corpus_that_was_asked_has_the_demand(live, both):
    conversation, other = both
    unknown(live, conversation=conversation, asked_versions=[live, other])
    demand.file_unanswered()
    assert {row.corpus for row in Demand.objects.all()} == {live.corpus, other.corpus}


def test_curators_of_one_corpus_read_nothing_that_the_other_may_have_said(live, both):
    conversation, other = both
    turn = unknown(live, conversation=conversation, asked_versions=[live, other])
    SubQueryFactory(turn=turn, question="Where does Ada Lund live?")
    unknown(live, "And her manager?", asked="Who is the manager of Ada Lund?", conversation=conversation)
    assert demand.file_unanswered() == 2
    assert {row.question for row in UnansweredQuestion.objects.all()} == {BEACON}
    assert all(row.missing == [] for row in UnansweredQuestion.objects.all())


def test_nor_what_a_version_said_that_learned_from_elsewhere(corpus):
    merged = MemoryVersionFactory(corpus=corpus, live=True, corpora=[CorpusFactory()])
    SubQueryFactory(turn=unknown(merged), question="Where does Ada Lund live?")
    demand.file_unanswered()
    assert UnansweredQuestion.objects.get().missing == []


# --- A new version -----------------------------------------------------------------------------------------
def test_a_demand_that_a_new_live_version_answers_is_answered(live, corpus, knows):
    row = DemandFactory(corpus=corpus, checked_version=live)
    other = DemandFactory(corpus=corpus, question="Who leads Project Comet?", checked_version=live)
    knows[BEACON] = "Bo Marsh leads Project Beacon."
    new = MemoryVersionFactory(corpus=corpus, number=2)
    promote(new, reason="It learned")
    assert [run.done for run in run_checks()] == [2]
    assert (again(row).status, again(row).answered_by) == ("answered", new)
    assert (again(other).status, again(other).checked_version) == ("open", new)


@pytest.mark.django_db(transaction=True)
def test_the_workers_task_does_the_check_that_it_is_sent(live, corpus, knows):
    row = DemandFactory(corpus=corpus, checked_version=live)
    knows[BEACON] = "Bo Marsh leads Project Beacon."
    promote(MemoryVersionFactory(corpus=corpus, number=2), reason="It learned")
    check(CheckRun.objects.get().pk)
    assert again(row).status == "answered"


def test_a_version_that_becomes_the_candidate_is_not_asked(live, corpus, knows):
    DemandFactory(corpus=corpus, checked_version=live)
    promote(MemoryVersionFactory(corpus=corpus, number=2), reason="To look at", alias="candidate")
    assert not CheckRun.objects.exists()


def test_nothing_is_concluded_for_a_version_that_is_live_no_more(live, corpus, knows, monkeypatch):
    row = DemandFactory(corpus=corpus, checked_version=live)
    knows[BEACON] = "Bo Marsh leads Project Beacon."
    second, third = (MemoryVersionFactory(corpus=corpus, number=number) for number in (2, 3))
    promote(second, reason="Newer")

    def moves_meanwhile(version):
        Alias.objects.filter(corpus=corpus).update(version=third)
        return PairMemory(knows.items())

    monkeypatch.setattr("chat.checking.memory_for", moves_meanwhile)
    run_checks()
    assert (again(row).status, again(row).checked_version) == ("open", live)


class DyingMemory(ScriptedMemory):
    """Its process is killed at the second batch."""

    def answer(self, questions):
        if self.asked:
            raise KeyboardInterrupt
        return super().answer(questions)


@pytest.mark.django_db(transaction=True)
def test_a_check_whose_worker_died_goes_on_with_what_is_left(live, corpus, monkeypatch):
    rows = [
        DemandFactory(corpus=corpus, question=f"Who leads Project {name}?", checked_version=live)
        for name in ("Atlas", "Beacon", "Comet")
    ]
    promote(MemoryVersionFactory(corpus=corpus, number=2), reason="Newer")
    run = CheckRun.objects.get()
    monkeypatch.setattr("chat.checking.ASKED_TOGETHER", 1)
    monkeypatch.setattr("chat.checking.memory_for", lambda version: DyingMemory({rows[0].question: "Ada."}))
    with pytest.raises(KeyboardInterrupt):
        work_on(run, perform_check)
    assert again(run).status == Status.RUNNING  # as a killed process leaves it
    CheckRun.objects.update(heartbeat_at=timezone.now() - timedelta(minutes=5))
    asked_later = PairMemory([(rows[1].question, "Bo.")])
    monkeypatch.setattr("chat.checking.memory_for", lambda version: asked_later)
    work_on(run, perform_check)
    assert [again(row).status for row in rows] == ["answered", "answered", "open"]
    assert [rows[0].question] not in asked_later.asked


def test_a_lost_message_is_sent_again_by_any_worker(live, corpus, monkeypatch):
    DemandFactory(corpus=corpus, checked_version=live)
    promote(MemoryVersionFactory(corpus=corpus, number=2), reason="Newer")
    sent: list[int] = []
    monkeypatch.setattr(CheckRun, "_send", lambda run: sent.append(run.pk))
    requeue_stranded(even_if_just_sent=True)
    assert sent == [CheckRun.objects.get().pk]


@pytest.mark.django_db(transaction=True)
def test_a_check_that_was_never_made_or_failed_a_while_ago_is_made_up_for(live, corpus, knows, monkeypatch):
    DemandFactory(corpus=corpus)
    make_up()
    make_up()
    assert CheckRun.objects.count() == 1

    def is_down(version):
        raise Busy

    monkeypatch.setattr("chat.checking.memory_for", is_down)
    work_on(CheckRun.objects.get(), perform_check)
    assert CheckRun.objects.get().status == Status.FAILED
    make_up()
    assert CheckRun.objects.count() == 1  # not at once
    CheckRun.objects.update(finished_at=timezone.now() - timedelta(hours=1))
    make_up()
    assert CheckRun.objects.filter(status=Status.QUEUED).count() == 1


def test_nothing_is_made_up_for_what_the_live_version_was_asked(live, corpus):
    DemandFactory(corpus=corpus, checked_version=live)
    DemandFactory(corpus=corpus, question="Who leads Project Comet?", status="dismissed")
    make_up()
    assert not CheckRun.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_many_workers_at_once_file_each_turn_once_and_group_alike(live):
    for _ in range(6):
        unknown(live)
    errors: list[BaseException] = []

    def look() -> None:
        try:
            demand.file_unanswered()
        except BaseException as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert (Demand.objects.get().times, UnansweredQuestion.objects.count()) == (6, 6)


# --- Curators ----------------------------------------------------------------------------------------------
def page(client, **query: str) -> str:
    return client.get(reverse("demand", args=["harbour"]), query).content.decode()


def test_the_page_lists_what_was_asked_most_often_first(client, corpus, curator):
    DemandFactory(corpus=corpus, question="Who leads Project Comet?")
    DemandFactory(corpus=corpus, times=3, asked=[BEACON, "who leads beacon"])
    DemandFactory(question="Who leads another corpus?")
    shown = page(client)
    assert shown.index(BEACON) < shown.index("Who leads Project Comet?")
    assert "asked 3 times" in shown
    assert "who leads beacon" in shown
    assert "another corpus" not in shown


def test_an_empty_page_says_what_to_do(client, corpus, curator):
    assert "Add documents that answer them, or write a pair" in page(client)
    assert "Nothing is dismissed" in page(client, status="dismissed")
    assert "When a version goes live" in page(client, status="answered")


def test_a_long_list_is_paged_and_keeps_its_tab(client, corpus, curator):
    for number in range(DEMANDS_ON_A_PAGE + 1):
        DemandFactory(corpus=corpus, question=f"What is {number}?", status="dismissed")
    assert "?status=dismissed&amp;page=2" in page(client, status="dismissed")
    assert "Page 2 of 2" in page(client, status="dismissed", page="2")


def test_the_page_asks_as_many_queries_for_one_demand_as_for_many(
    client, corpus, curator, django_assert_max_num_queries
):
    for number in range(DEMANDS_ON_A_PAGE):
        DemandFactory(corpus=corpus, asked=[f"What is {number}?"] * (QUESTIONS_SHOWN + 5))
    with django_assert_max_num_queries(12):
        shown = page(client)
    assert shown.count("What is 3?") == QUESTIONS_SHOWN


def test_the_corpus_page_counts_the_open_ones_for_curators_and_not_for_readers(client, corpus, curator):
    DemandFactory(corpus=corpus)
    assert (
        "1 question</strong> that memory could not answer is open"
        in client.get(corpus.get_absolute_url()).content.decode()
    )
    client.force_login(UserFactory(reads=corpus))
    assert "could not answer" not in client.get(corpus.get_absolute_url()).content.decode()


def test_a_demand_is_dismissed_and_reopened(client, corpus, curator, live):
    row = DemandFactory(corpus=corpus)
    address = reverse("demand-decide", args=["harbour", row.pk])
    client.post(address, {"do": "dismiss"})
    assert (again(row).status, again(row).decided_by) == ("dismissed", curator)
    client.post(address, {"do": "reopen"})
    assert (again(row).status, again(row).checked_version) == ("open", live)


def test_deciding_twice_is_a_conflict_and_nonsense_is_refused(client, corpus, curator):
    row = DemandFactory(corpus=corpus)
    with pytest.raises(Conflict, match="open already"):
        demand.reopen(row, curator)
    answer = client.post(reverse("demand-decide", args=["harbour", row.pk]), {"do": "burn"})
    assert answer.status_code == 422
    assert again(row).status == "open"


def test_a_pair_is_written_from_a_demand(client, corpus, curator):
    row = DemandFactory(corpus=corpus)
    words = {"question": BEACON, "answer": "Bo Marsh leads Project Beacon."}
    client.post(reverse("demand-pair", args=["harbour", row.pk]), {**words, "approve": "on"})
    pair = Reflection.objects.get()
    assert (pair.status, pair.reviewed_by, again(row).reflection) == ("approved", curator, pair)
    assert f"pair {pair.pk}</a> is approved" in page(client)
    assert again(row).status == "open"  # until a live version knows it


def test_without_approval_the_pair_waits_for_review(client, corpus, curator):
    row = DemandFactory(corpus=corpus)
    client.post(reverse("demand-pair", args=["harbour", row.pk]), {"question": BEACON, "answer": "Bo."})
    assert Reflection.objects.get().status == "pending"


@pytest.mark.parametrize("words", [{"question": " ", "answer": "Bo."}, {"question": BEACON, "answer": ""}])
def test_a_pair_without_words_is_refused(client, corpus, curator, words):
    row = DemandFactory(corpus=corpus)
    answer = client.post(reverse("demand-pair", args=["harbour", row.pk]), words)
    assert answer.status_code == 422
    assert not Reflection.objects.exists()


def test_questions_are_shown_as_text(client, corpus, curator):
    DemandFactory(corpus=corpus, question="<script>alert(1)</script> [x](javascript:alert(1))")
    assert "<script>alert" not in page(client)


def test_a_demand_of_another_corpus_is_out_of_reach(client, corpus, curator):
    row = DemandFactory()
    for name in ("demand-decide", "demand-pair"):
        assert client.post(reverse(name, args=["harbour", row.pk]), {"do": "dismiss"}).status_code == 404


# --- REST --------------------------------------------------------------------------------------------------
def test_rest_lists_demand_and_dismisses_it(client, corpus, curator):
    row = DemandFactory(corpus=corpus, times=2)
    address = reverse("api-demand", args=["harbour"])
    listed = client.get(address).json()["results"]
    assert [(each["question"], each["times"], len(each["questions"])) for each in listed] == [(BEACON, 2, 1)]
    group = reverse("api-demand-group", args=["harbour", row.pk])
    changed = client.patch(group, {"status": "dismissed"}, content_type="application/json")
    assert changed.json()["status"] == "dismissed"
    assert client.get(address, {"status": "open"}).json()["results"] == []
    assert client.get(address, {"status": "lost"}).status_code == 400
    assert client.patch(group, {"status": "answered"}, content_type="application/json").status_code == 400
    assert client.patch(group, {"status": "dismissed"}, content_type="application/json").status_code == 409
