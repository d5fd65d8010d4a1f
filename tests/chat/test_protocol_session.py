"""The protocol session: order, numbers, budgets and endings, with any EXECUTIVE and any MEMORY."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import pytest

from chat.protocol.events import Event
from chat.protocol.executive import Decision, Synthesis
from chat.protocol.session import interrogate
from chat.protocol.state import Budget, State, SubQuery, WrongBudget
from memosite.errors import Unavailable
from tests.fakes import PairMemory, ScriptedMemory


@dataclass
class PlannedExecutive:
    """Asks what it was told to ask in each stage, one decision a list, and answers with all that is known."""

    plan: Mapping[str, list[list[str]]]
    name: str = "planned"
    seen: list[State] = field(default_factory=list)

    def decide(self, state: State) -> Decision:
        self.seen.append(state)
        rounds = self.plan.get(state.stage, [])
        turn = sum(earlier.stage == state.stage for earlier in self.seen) - 1
        questions = rounds[turn] if turn < len(rounds) else []
        return Decision(ask=tuple(map(SubQuery, questions)), note=f"round {turn}")

    def synthesise(self, state: State) -> Synthesis:
        known = [exchange for exchange in state.exchanges if exchange.known]
        return Synthesis(
            text=" ".join(exchange.answer for exchange in known) or "Memory does not know.",
            known=bool(known),
            sub_queries=tuple(exchange.index for exchange in known),
        )


class Tripwire:
    """A stop check that is pressed from the n-th look on."""

    def __init__(self, looks: int) -> None:
        self.left = looks

    def __call__(self) -> bool:
        self.left -= 1
        return self.left < 0


LEADS = "Who leads Project Atlas?"
LIVES = "Where does Mara Lind live?"
MEMORY = {LEADS: "Mara Lind leads Project Atlas.", LIVES: "Mara Lind lives in Oslo."}
TWO_HOPS = {"grounding": [[LEADS]], "answer_seeking": [[LIVES]]}


def run(plan: Mapping[str, list[list[str]]], memory: object = None, **options: object) -> list[Event]:
    memory = memory or ScriptedMemory(MEMORY)
    return list(interrogate("Where does the lead of Atlas live?", PlannedExecutive(plan), memory, **options))  # type: ignore[arg-type]


def types(events: list[Event]) -> list[str]:
    return [event.type for event in events]


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


def test_a_turn_out_of_time_asks_no_more_and_answers_with_what_it_knows() -> None:
    def seconds() -> Iterator[float]:
        now = 0.0
        while True:
            yield now
            now += 4

    clock: Callable[[], float] = seconds().__next__
    events = run(TWO_HOPS, budget=Budget(seconds=15), clock=clock)
    assert asked(events) == [LEADS]
    assert events[-1].type == "final"


def test_a_budget_that_allows_nothing_is_refused() -> None:
    with pytest.raises(WrongBudget, match="greater than zero"):
        Budget(total=0)


@pytest.mark.parametrize("looks", range(9))
def test_stop_ends_the_turn_wherever_it_is_pressed(looks: int) -> None:
    events = run(TWO_HOPS, stop=Tripwire(looks))
    whole = types(run(TWO_HOPS))
    assert types(events)[:-1] == whole[: len(events) - 1]
    assert types(events)[-1] == ("stopped" if len(events) <= len(whole) and looks < 8 else "final")


def test_stop_is_checked_after_each_answer_of_a_batch() -> None:
    # Looks: before the stage, before each of the two sub-queries, after the first answer.
    events = run({"grounding": [[LEADS, LIVES]]}, stop=Tripwire(3))
    assert types(events) == ["stage", "sub_query", "sub_query", "memory_answer", "stopped"]


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
    events = list(interrogate(question, PlannedExecutive({}), ScriptedMemory({})))
    assert [event.as_dict()["data"] for event in events] == [
        {"message": "Ask a question first.", "code": "empty_question"}
    ]


def test_an_answer_about_somebody_else_is_not_taken_as_known_and_the_event_says_so() -> None:
    memory = ScriptedMemory({LIVES: "Jonas Pike lives in Bergen."})
    events = run({"grounding": [[LIVES]]}, memory)
    answer = events[2].as_dict()["data"]
    assert answer["known"] is False
    assert answer["note"] == "Not taken as known: the answer does not mention Mara Lind."
    assert events[-1].as_dict()["data"]["known"] is False


def test_an_answer_about_another_number_is_not_taken_as_known() -> None:
    question = "Who is the person whose date of birth is 0295-05-30?"
    memory = ScriptedMemory({question: "The person whose date of birth is 0295-05-31 is Aida Wang."})
    assert run({"grounding": [[question]]}, memory)[2].as_dict()["data"]["known"] is False


def test_an_abstention_is_passed_on_as_it_is() -> None:
    answer = run({"grounding": [["Who leads Project Borealis?"]]})[2].as_dict()["data"]
    assert (answer["answer"], answer["known"], answer["note"]) == ("I don't know.", False, "")


def test_the_executive_sees_dead_ends_and_facts_grouped_by_entity() -> None:
    executive = PlannedExecutive({"grounding": [[LEADS, "Who leads Project Borealis?"]]})
    list(interrogate("?!", executive, ScriptedMemory(MEMORY)))
    state = executive.seen[-1]
    assert state.dead_ends == ("Who leads Project Borealis?",)
    assert dict(state.facts) == {
        "Mara Lind": ("Mara Lind leads Project Atlas.",),
        "Project Atlas": ("Mara Lind leads Project Atlas.",),
    }


def test_clues_and_candidates_are_events_when_they_are_new() -> None:
    class Ranking(PlannedExecutive):
        def decide(self, state: State) -> Decision:
            return Decision(clues=("leads Atlas",), candidates=("Mara Lind",), note="why")

    events = list(interrogate("Who?", Ranking({}), ScriptedMemory({})))
    assert types(events) == ["stage", "clue", "candidates", "stage", "stage", "final"]
    assert events[2].as_dict()["data"] == {"names": ["Mara Lind"], "note": "why"}


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
