"""The protocol session: order, numbers, budgets and endings, with any EXECUTIVE and any MEMORY."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from chat.protocol.candidates import Candidate, named
from chat.protocol.events import CandidatesRanked, Event
from chat.protocol.executive import Decision, Say, Synthesis
from chat.protocol.state import Budget, Clue, State, SubQuery, WrongBudget
from chat.protocol.stream import blocking, interrogate
from memosite.errors import Unavailable
from tests.fakes import PairMemory, ScriptedMemory
from training.memory import MemoryAnswer


@dataclass
class PlannedExecutive:
    """Asks what it was told to ask in each stage, one decision a list, and answers with all that is known."""

    plan: Mapping[str, list[list[str]]]
    name: str = "planned"
    seen: list[State] = field(default_factory=list)
    reserve: float = 0.0

    async def decide(self, state: State, say: Say) -> Decision:
        self.seen.append(state)
        rounds = self.plan.get(state.stage, [])
        turn = sum(earlier.stage == state.stage for earlier in self.seen) - 1
        questions = rounds[turn] if turn < len(rounds) else []
        return Decision(ask=tuple(map(SubQuery, questions)), note=f"round {turn}")

    async def synthesise(self, state: State, say: Say) -> Synthesis:
        known = [exchange for exchange in state.exchanges if exchange.known]
        return Synthesis(
            text=" ".join(exchange.answer for exchange in known) or "Memory does not know.",
            known=bool(known),
            sub_queries=tuple(exchange.index for exchange in known),
        )


LEADS = "Who leads Project Atlas?"
LIVES = "Where does Mara Lind live?"
MEMORY = {LEADS: "Mara Lind leads Project Atlas.", LIVES: "Mara Lind lives in Oslo."}
TWO_HOPS = {"grounding": [[LEADS]], "answer_seeking": [[LIVES]]}


def run(plan: Mapping[str, list[list[str]]], memory: object = None, **options: object) -> list[Event]:
    memory = memory or ScriptedMemory(MEMORY)
    return turn(PlannedExecutive(plan), memory, **options)


def turn(
    executive: object, memory: object, question: str = "Where does the lead of Atlas live?", **options: object
) -> list[Event]:
    return list(blocking(interrogate(question, executive, memory, **options)))  # type: ignore[arg-type]


def types(events: list[Event]) -> list[str]:
    """What happened, but for what the EXECUTIVE decided."""
    return [event.type for event in events if event.type != "decision"]


def first(events: list[Event], kind: str) -> dict[str, object]:
    """The data of the first event of a type."""
    return next(event for event in events if event.type == kind).as_dict()["data"]


def asked(events: list[Event]) -> list[str]:
    return [event.as_dict()["data"]["question"] for event in events if event.type == "sub_query"]


def test_the_three_stages_come_in_order_and_one_final_answer_ends_the_turn() -> None:
    events = run(TWO_HOPS)
    assert types(events) == [
        "stage", "sub_query", "memory_answer",
        "stage",
        "stage", "sub_query", "memory_answer",
        "final",
    ]  # fmt: skip
    stages = [event.as_dict()["data"]["stage"] for event in events if event.type == "stage"]
    assert stages == ["grounding", "entity_identification", "answer_seeking"]
    assert events[-1].as_dict()["data"]["text"] == "Mara Lind leads Project Atlas. Mara Lind lives in Oslo."


def test_events_are_numbered_from_one_without_gaps() -> None:
    events = run(TWO_HOPS)
    assert [event.seq for event in events] == list(range(1, len(events) + 1))


def test_events_survive_the_wire() -> None:
    for event in run(TWO_HOPS):
        assert Event.from_dict(event.as_dict()) == event


def test_sub_queries_and_their_answers_share_an_index() -> None:
    events = run({"grounding": [[LEADS, LIVES]]})
    indexes = {
        kind: [event.as_dict()["data"]["index"] for event in events if event.type == kind]
        for kind in ("sub_query", "memory_answer")
    }
    assert indexes == {"sub_query": [1, 2], "memory_answer": [1, 2]}


def test_independent_sub_queries_go_to_memory_in_batches_of_the_budgeted_size() -> None:
    memory = ScriptedMemory({})
    run({"grounding": [["A?", "B?", "C?"]]}, memory, budget=Budget(batch=2))
    assert memory.asked == [["A?", "B?"], ["C?"]]


def test_a_question_asked_before_is_never_asked_again_whatever_its_case_and_punctuation() -> None:
    memory = ScriptedMemory({})
    run({"grounding": [[LEADS], ["who leads  project Atlas"]], "answer_seeking": [[LEADS, LIVES]]}, memory)
    assert memory.asked == [[LEADS], [LIVES]]


def test_an_executive_that_repeats_itself_for_ever_is_moved_on() -> None:
    events = run({"grounding": [[LEADS]] * 1000})
    assert asked(events) == [LEADS]
    assert events[-1].type == "final"


def test_a_stage_asks_no_more_than_its_budget() -> None:
    plan = {"grounding": [[f"Clue {n}?" for n in range(9)]], "answer_seeking": [[LIVES]]}
    assert asked(run(plan, budget=Budget(grounding=3))) == ["Clue 0?", "Clue 1?", "Clue 2?", LIVES]


def test_a_turn_asks_no_more_than_its_total_budget_and_still_answers() -> None:
    events = run(TWO_HOPS, budget=Budget(total=1))
    assert asked(events) == [LEADS]
    assert events[-1].as_dict()["data"]["text"] == "Mara Lind leads Project Atlas."


class SlowMemory(ScriptedMemory):
    """A MEMORY of which each batch takes four seconds of its own clock."""

    now = 0.0

    def answer(self, questions: Sequence[str]) -> list[MemoryAnswer]:
        self.now += 4
        return super().answer(questions)


def test_a_turn_out_of_time_asks_no_more_and_answers_with_what_it_knows() -> None:
    memory = SlowMemory(MEMORY)
    events = run(TWO_HOPS, memory, budget=Budget(seconds=3), clock=lambda: memory.now)
    assert asked(events) == [LEADS]
    assert first(events, "final")["ended_by"] == "seconds"


def test_a_budget_that_allows_nothing_is_refused() -> None:
    with pytest.raises(WrongBudget, match="greater than zero"):
        Budget(total=0)


async def stopped_while(executive: object, memory: object, waiting: asyncio.Event) -> list[Event]:
    """The events of a turn that is stopped as soon as ``waiting`` is set."""
    stop = asyncio.Event()

    async def press() -> None:
        await waiting.wait()
        stop.set()

    pressing = asyncio.create_task(press())
    stream = interrogate(LEADS, executive, memory, stop=stop)  # type: ignore[arg-type]
    events = [event async for batch in stream for event in batch]
    await pressing
    return events


class Hanging:
    """An EXECUTIVE and a MEMORY that never answer, and tell when they are asked and when they are let go."""

    name, reserve = "hanging", 0.0

    def __init__(self) -> None:
        self.asked, self.cancelled = asyncio.Event(), False

    async def hang(self) -> None:
        self.asked.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise

    async def decide(self, state: State, say: Say) -> Decision:
        await self.hang()
        raise AssertionError

    async def recall(self, questions: Sequence[str]) -> list[MemoryAnswer]:
        await self.hang()
        raise AssertionError


async def test_stop_cancels_the_call_to_the_executive_that_is_under_way() -> None:
    executive = Hanging()
    events = await stopped_while(executive, ScriptedMemory({}), executive.asked)
    assert types(events) == ["stopped"]
    assert executive.cancelled


async def test_stop_cancels_the_batch_that_memory_is_working_on() -> None:
    memory = Hanging()
    events = await stopped_while(PlannedExecutive(TWO_HOPS), memory, memory.asked)
    assert types(events) == ["stage", "sub_query", "stopped"]
    assert memory.cancelled


async def test_a_turn_that_waits_shows_that_it_is_alive() -> None:
    executive, stop = Hanging(), asyncio.Event()
    events = []
    async for batch in interrogate(
        LEADS,
        executive,
        ScriptedMemory({}),
        stop=stop,
        heartbeat_seconds=0.01,  # type: ignore[arg-type]
    ):
        events += batch
        if types(events) == ["heartbeat"] * 2:
            stop.set()
    assert types(events)[-1] == "stopped"
    assert [event.seq for event in events[:2]] == [0, 0], "heartbeats take no number of their own"
    assert first(events, "heartbeat")["waiting_for"] == "executive"


async def test_a_stream_that_nobody_reads_any_more_lets_go_of_its_calls() -> None:
    memory = Hanging()
    stream = interrogate(LEADS, PlannedExecutive(TWO_HOPS), memory)  # type: ignore[arg-type]
    async for batch in stream:
        if "sub_query" in types(batch):
            break
    await memory.asked.wait()
    await stream.aclose()  # type: ignore[attr-defined]
    assert memory.cancelled


def test_an_error_meant_for_people_is_told_with_its_code_and_ends_the_turn() -> None:
    memory = ScriptedMemory({LEADS: Unavailable("This corpus has no live memory yet. Train one first.")})
    last = run(TWO_HOPS, memory)[-1].as_dict()
    assert last["type"] == "error"
    assert last["data"] == {
        "message": "This corpus has no live memory yet. Train one first.",
        "code": "unavailable",
    }


def test_an_unexpected_error_ends_the_turn_without_its_details_and_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    last = run(TWO_HOPS, ScriptedMemory({LEADS: ZeroDivisionError("secret detail")}))[-1].as_dict()
    assert (last["type"], last["data"]["code"]) == ("error", "internal")
    assert "secret" not in last["data"]["message"]
    assert "secret detail" in caplog.text


@pytest.mark.parametrize("question", ["", "  \n"])
def test_an_empty_question_is_an_error_that_says_what_to_do(question: str) -> None:
    events = turn(PlannedExecutive({}), ScriptedMemory({}), question)
    assert [event.as_dict()["data"] for event in events] == [
        {"message": "Ask a question first.", "code": "empty_question"}
    ]


def test_an_answer_about_somebody_else_is_not_taken_as_known_and_the_event_says_so() -> None:
    memory = ScriptedMemory({LIVES: "Jonas Pike lives in Bergen."})
    events = run({"grounding": [[LIVES]]}, memory)
    answer = first(events, "memory_answer")
    assert answer["known"] is False
    assert answer["note"] == "Not taken as known: the answer does not mention Mara Lind."
    assert events[-1].as_dict()["data"]["known"] is False


def test_an_answer_about_another_number_is_not_taken_as_known() -> None:
    question = "Who is the person whose date of birth is 0295-05-30?"
    memory = ScriptedMemory({question: "The person whose date of birth is 0295-05-31 is Aida Wang."})
    assert first(run({"grounding": [[question]]}, memory), "memory_answer")["known"] is False


def test_an_abstention_is_passed_on_as_it_is() -> None:
    answer = first(run({"grounding": [["Who leads Project Borealis?"]]}), "memory_answer")
    assert (answer["answer"], answer["known"], answer["note"]) == ("I don't know.", False, "")


def test_the_executive_sees_dead_ends_and_facts_grouped_by_entity() -> None:
    executive = PlannedExecutive({"grounding": [[LEADS, "Who leads Project Borealis?"]]})
    turn(executive, ScriptedMemory(MEMORY))
    state = executive.seen[-1]
    assert state.dead_ends == ("Who leads Project Borealis?",)
    assert dict(state.facts) == {
        "Mara Lind": ("Mara Lind leads Project Atlas.",),
        "Project Atlas": ("Mara Lind leads Project Atlas.",),
    }


def test_clues_and_candidates_are_events_when_they_are_new() -> None:
    class Ranking(PlannedExecutive):
        async def decide(self, state: State, say: Say) -> Decision:
            return Decision(clues=(Clue("leads Atlas", 4),), candidates=named(["Mara Lind"]), note="why")

    events = turn(Ranking({}), ScriptedMemory({}), "Who?")
    assert types(events) == ["stage", "clue", "candidates", "stage", "stage", "final"]
    assert first(events, "clue") == {"text": "leads Atlas", "power": 4}
    ranking = CandidatesRanked(names=["Mara Lind"], note="why", candidates=[Candidate("Mara Lind").shown()])
    assert first(events, "candidates") == ranking.model_dump(exclude={"type"})


class TestThePairMemory:
    """The in-memory MEMORY that other tests rely on."""

    memory = PairMemory(
        [("Who is the sister of Aida Wang?", "The sister of Aida Wang is Vicki Hackworth."),
         ("Who is the person whose hobby is judo?", "The person whose hobby is judo is Aida Wang.")]
    )  # fmt: skip

    @pytest.mark.parametrize(
        "question", ["who is the sister of aida wang", "Who are the sisters of Aida Wang?"]
    )
    def test_knows_its_wordings_and_their_inflections(self, question: str) -> None:
        assert self.memory.answer([question])[0].text == "The sister of Aida Wang is Vicki Hackworth."

    @pytest.mark.parametrize(
        "question",
        [
            "Who is the sister of Ryan Wang?",
            "Who is the mister of Aida Wang?",
            "Who is the person whose hobby is sudo?",
            "Who is the person whose hobby is judo training?",
        ],
    )
    def test_does_not_know_other_names_or_other_words(self, question: str) -> None:
        assert not self.memory.answer([question])[0].known
