"""What was asked, in numbers: counted once a turn, and summed up for those who are responsible."""

from __future__ import annotations

import csv
import io
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connections, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from chat import services, usage
from chat.models import DayOfUse, Turn
from chat.protocol.events import AnyData, DecisionMade, Event, Failed, FinalAnswer, StageStarted, Stopped
from chat.storing import store
from chat.tasks import end_lost_turns
from chat.usage_chart import charts_of, round_above
from chat.usage_report import BadPeriod, Figures, Part, period_of
from knowledge.models import Corpus
from memosite.errors import Conflict
from tests.factories import (
    ConversationFactory,
    CorpusFactory,
    DayOfUseFactory,
    EndpointFactory,
    TurnFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
STAGE = StageStarted(stage="grounding", note="")
DECISION = DecisionMade(action="ask", calls=2, prompt_tokens=1000, completion_tokens=100)
FAILED = Failed(message="The model is gone.", code="gone")


def final(**fields: Any) -> FinalAnswer:
    told = {"text": "Ada Lund.", "values": [], "known": True, "sub_queries": [], "justification": ""}
    return FinalAnswer(**(told | fields))


def play(turn: Turn, *happened: AnyData) -> Turn:
    """Store what happened in a turn, one event after the other."""
    for seq, data in enumerate(happened, start=1):
        store(turn, [Event(seq=seq, data=data)])
    return turn


def today() -> date:
    return timezone.now().astimezone(UTC).date()


# --- Counting ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("ending", "outcome"),
    [
        (final(), "answered"),
        (final(known=False), "abstained"),
        (final(known=False, from_memory=False), "answered"),
        (Stopped(), "stopped"),
        (FAILED, "failed"),
    ],
    ids=["known", "unknown", "a greeting", "stopped", "failed"],
)
def test_a_turn_counts_as_it_ended(ending, outcome):
    turn = play(TurnFactory(), STAGE, ending)
    row = DayOfUse.objects.get()
    assert (row.corpus, row.day, row.executive) == (turn.conversation.corpus, today(), "rules")
    counted = {name: getattr(row, name) for name in ("answered", "abstained", "stopped", "failed")}
    assert (row.questions, counted) == (1, {**dict.fromkeys(counted, 0), outcome: 1})


def test_a_turn_that_goes_on_is_not_counted():
    play(TurnFactory(), STAGE, DECISION)
    assert not DayOfUse.objects.exists()


def test_what_the_executive_took_is_added_up_with_its_price():
    EndpointFactory(name="gpt", role="executive", input_price=2, output_price=10)
    conversation = ConversationFactory()
    for _ in range(2):
        play(TurnFactory(conversation=conversation, executive="gpt"), DECISION, final())
    row = DayOfUse.objects.get()
    assert (row.executive, row.questions, row.calls) == ("gpt", 2, 4)
    assert (row.prompt_tokens, row.completion_tokens, row.cost) == (2000, 200, Decimal("0.006"))


def test_the_seconds_are_those_from_the_question_to_its_end():
    asked = timezone.now() - timedelta(seconds=30)
    turn = TurnFactory()
    Turn.objects.update(created_at=asked)
    turn.refresh_from_db()
    play(turn, final())
    assert 30 <= DayOfUse.objects.get().seconds < 60


def test_each_executive_and_each_day_has_a_row_of_its_own():
    conversation = ConversationFactory()
    for executive, ended in (
        ("rules", datetime(2026, 5, 3, 23, 59, tzinfo=UTC)),
        ("rules", datetime(2026, 5, 4, 0, 1, tzinfo=UTC)),
        ("gpt", datetime(2026, 5, 4, 0, 2, tzinfo=UTC)),
    ):
        fields = {"status": "answered", "known": True, "finished_at": ended}
        usage.count(TurnFactory(conversation=conversation, executive=executive, **fields))
    rows = DayOfUse.objects.order_by("day", "executive").values_list("day", "executive", "questions")
    assert list(rows) == [
        (date(2026, 5, 3), "rules", 1),
        (date(2026, 5, 4), "gpt", 1),
        (date(2026, 5, 4), "rules", 1),
    ]


def test_a_question_to_several_corpora_counts_under_the_conversations_own_alone():
    conversation = ConversationFactory()
    conversation.others.add(CorpusFactory())
    play(TurnFactory(conversation=conversation), final())
    assert DayOfUse.objects.get().corpus == conversation.corpus


def test_a_turn_whose_process_died_counts_as_failed_once_whoever_finds_it():
    turn = play(TurnFactory(), STAGE)
    Turn.objects.update(heartbeat_at=timezone.now() - timedelta(hours=1))
    services.end_abandoned_turns(turn.conversation)
    services.end_abandoned_turns(turn.conversation)
    with pytest.raises(Conflict), transaction.atomic():  # the process was only slow, and comes back
        store(turn, [Event(seq=2, data=final())])
    row = DayOfUse.objects.get()
    assert (row.questions, row.failed, row.answered) == (1, 1, 0)


def test_a_worker_ends_turns_whose_process_died_though_nobody_looks_at_them():
    lost, alive = play(TurnFactory(), STAGE), play(TurnFactory(), STAGE)
    Turn.objects.filter(pk=lost.pk).update(heartbeat_at=timezone.now() - timedelta(hours=1))
    end_lost_turns()
    end_lost_turns()
    assert [row.failed for row in DayOfUse.objects.all()] == [1]
    alive.refresh_from_db()
    assert alive.is_running


def test_a_turn_whose_last_event_is_not_kept_is_not_counted():
    with pytest.raises(RuntimeError), transaction.atomic():
        play(TurnFactory(), final())
        raise RuntimeError("killed before the commit")
    assert not DayOfUse.objects.exists()


def test_the_numbers_outlive_the_conversation():
    turn = play(TurnFactory(), final())
    services.delete_conversation(turn.conversation)
    assert DayOfUse.objects.get().questions == 1


@pytest.mark.django_db(transaction=True)
def test_turns_that_end_at_the_same_moment_are_all_counted():
    turns = [TurnFactory(conversation=ConversationFactory(corpus=corpus)) for corpus in [CorpusFactory()] * 8]
    gate = threading.Barrier(len(turns))

    def end(turn: Turn) -> None:
        try:
            gate.wait(timeout=30)
            store(turn, [Event(seq=1, data=final())])
        finally:
            connections.close_all()

    at_once([lambda turn=turn: end(turn) for turn in turns])
    assert DayOfUse.objects.get().questions == len(turns)


def at_once(works: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


# --- Periods -----------------------------------------------------------------------------------------------
def test_a_period_is_the_last_days_today_included():
    period = period_of({"days": "7"})
    assert (period.last, len(list(period))) == (today(), 7)
    assert len(list(period_of({}))) == 30


def test_a_period_may_be_typed_in():
    period = period_of({"from": "2026-01-01", "to": "2026-01-31"})
    assert (period.first, period.last, len(list(period))) == (date(2026, 1, 1), date(2026, 1, 31), 31)


@pytest.mark.parametrize(
    "asked",
    [
        {"days": "0"},
        {"days": "many"},
        {"days": "367"},
        {"from": "2026-02-01", "to": "2026-01-01"},
        {"from": "2020-01-01", "to": "2026-01-01"},
        {"from": "yesterday"},
        {"from": "2026-02-30"},
    ],
)
def test_a_period_that_makes_no_sense_is_refused(asked):
    with pytest.raises(BadPeriod):
        period_of(asked)


# --- The page ----------------------------------------------------------------------------------------------
@pytest.fixture
def corpus() -> Corpus:
    return CorpusFactory(slug="handbook", name="Handbook")


@pytest.fixture
def owner(corpus: Corpus) -> Client:
    return logged_in(UserFactory(owns=corpus))


def logged_in(person: Any) -> Client:
    client = Client()
    client.force_login(person)
    return client


def page(client: Client, query: str = "") -> str:
    return client.get(f"{reverse('usage')}{query}").content.decode()


def test_an_owner_sees_the_numbers_of_the_own_corpora_and_of_no_others(corpus, owner):
    DayOfUseFactory(corpus=corpus, questions=3, answered=2, abstained=1)
    DayOfUseFactory(corpus__name="Secrets", questions=40)
    shown = page(owner)
    assert "Handbook" in shown
    assert "Secrets" not in shown
    assert "3 in all" in shown


def test_an_administrator_sees_all(corpus):
    DayOfUseFactory(corpus=corpus, questions=3)
    DayOfUseFactory(corpus__name="Secrets", questions=40)
    shown = page(logged_in(UserFactory(is_superuser=True)))
    assert "Secrets" in shown
    assert "43 in all" in shown


def test_one_corpus_may_be_chosen_but_not_somebody_elses(corpus, owner):
    other = CorpusFactory(slug="other")
    DayOfUseFactory(corpus=corpus, questions=3)
    assert "3 in all" in page(owner, "?corpus=handbook")
    assert owner.get(f"{reverse('usage')}?corpus={other.slug}").status_code == 404


def test_without_questions_the_page_says_so(owner):
    assert "Nothing was asked from" in page(owner)


def test_a_bad_period_is_told_beside_the_form(owner):
    refused = owner.get(f"{reverse('usage')}?from=2026-02-01&to=2026-01-01")
    assert refused.status_code == 422
    assert "its first day first" in refused.content.decode()


def test_only_the_days_of_the_period_count(corpus, owner):
    DayOfUseFactory(corpus=corpus, questions=3)
    DayOfUseFactory(corpus=corpus, day=today() - timedelta(days=7), questions=40)
    assert "3 in all" in page(owner, "?days=7")
    assert "43 in all" in page(owner, "?days=8")


def test_the_page_takes_as_many_queries_for_a_year_as_for_a_week(
    corpus, owner, django_assert_max_num_queries
):
    for days in range(100):
        DayOfUseFactory(corpus=corpus, day=today() - timedelta(days=days))
    with django_assert_max_num_queries(12):
        page(owner, "?days=366")


def test_the_file_holds_a_line_for_each_row_with_nothing_that_runs_in_a_table_program(corpus, owner):
    DayOfUseFactory(corpus=corpus, executive="=HYPERLINK(1)", questions=3, cost=Decimal("0.5"))
    answer = owner.get(f"{reverse('usage-csv')}?days=7&corpus=handbook")
    lines = list(csv.DictReader(io.StringIO(b"".join(answer).decode("utf-8-sig"))))
    assert "usage-handbook-" in answer["Content-Disposition"]
    assert [(line["corpus"], line["executive"], line["questions"]) for line in lines] == [
        ("handbook", "'=HYPERLINK(1)", "3")
    ]
    assert Decimal(lines[0]["cost"]) == Decimal("0.5")


def test_rest_tells_the_same_numbers(corpus):
    DayOfUseFactory(corpus=corpus, questions=3, answered=3, seconds=6.0, prompt_tokens=5)
    client = APIClient()
    client.force_authenticate(UserFactory(owns=corpus))
    report = client.get("/api/usage/?days=7&corpus=handbook").json()
    assert (report["total"]["questions"], report["total"]["mean_seconds"]) == (3, 2.0)
    assert [part["key"] for part in report["by_corpus"]] == ["handbook"]
    assert (len(report["by_day"]), report["by_day"][-1]["figures"]["questions"]) == (7, 3)
    refused = client.get("/api/usage/?days=0")
    assert (refused.status_code, refused.json()["code"]) == (422, "bad_period")


# --- The charts --------------------------------------------------------------------------------------------
def days(*figures: Figures) -> list[Part]:
    return [Part(f"2026-05-0{number}", f"{number} May 2026", each) for number, each in enumerate(figures, 1)]


def test_the_parts_of_a_column_stand_on_each_other_and_end_at_the_days_number():
    chart = charts_of(days(Figures(questions=10, answered=6, abstained=4), Figures()))[0]
    answered, abstained = chart.boxes
    assert answered.y + answered.height == pytest.approx(chart.height)
    assert abstained.y + abstained.height == pytest.approx(answered.y)
    assert abstained.y == pytest.approx(0)
    assert chart.keys == [("answered", "answered"), ("abstained", "memory did not know")]


def test_money_and_tokens_are_drawn_only_where_there_were_any():
    free = Figures(questions=1, answered=1)
    paid = Figures(questions=1, answered=1, prompt_tokens=5, cost=Decimal("0.5"))
    assert [chart.title for chart in charts_of(days(free))] == ["Questions a day"]
    assert [chart.title for chart in charts_of(days(free, paid))][1:] == ["US dollars a day", "Tokens a day"]
    assert charts_of(days(Figures())) == []


@pytest.mark.parametrize(
    ("value", "above"), [(0, 1), (1, 1), (3, 5), (7, 10), (10, 10), (1234, 2000), (0.03, 0.05)]
)
def test_an_axis_ends_with_a_round_number(value, above):
    assert round_above(value) == pytest.approx(above)
