"""The EXECUTIVE that is a language model, over HTTP against a server that also misbehaves."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from chat.language_model.executive import LanguageModelExecutive
from chat.protocol.events import DecisionMade, Event, FinalAnswer
from chat.protocol.state import Budget, PastTurn
from chat.protocol.stream import blocking, interrogate
from memosite.llm import EndpointSettings, OpenAICompatible
from tests.executive_script import STAGES
from tests.fakes import ScriptedMemory
from tests.llm_server import FAULTS, HARMLESS, LLMServer, llm_server

LEADS, MANAGER, LIVES = (
    "Who leads Project Atlas?",
    "Who is the manager of Ada Lund?",
    "Where does Ola Berg live?",
)
TWO_HOPS = "Who is the manager of the person who leads Project Atlas?"
THREE_HOPS = "Where does the manager of the person who leads Project Atlas live?"
SCRIPTS = {
    TWO_HOPS: [LEADS, "Who is the manager of {0}?"],
    THREE_HOPS: [LEADS, "Who is the manager of {0}?", "Where does {1} live?"],
}


class WordyMemory(ScriptedMemory):
    """Answers whatever wording holds the question's words, as a trained MEMORY does."""

    def _line(self, question: str) -> Any:
        for known in self._script:
            if known.rstrip("?").casefold()[1:] in question.casefold():
                return super()._line(known)
        return super()._line(question)


ANSWERS = {
    LEADS: "Ada Lund leads Project Atlas.",
    MANAGER: "Ola Berg is the manager of Ada Lund.",
    LIVES: "Ola Berg lives in Bergen.",
}


@pytest.fixture
def server() -> Iterator[LLMServer]:
    with llm_server() as server:
        server.scripts = dict(SCRIPTS)
        yield server


def executive(server: LLMServer, **settings: Any) -> LanguageModelExecutive:
    values = {"timeout_seconds": 0.3, "max_retries": 1} | settings
    endpoint = EndpointSettings("test", server.url, "test-model", **values)
    return LanguageModelExecutive("test", lambda: (OpenAICompatible(endpoint), asyncio.Semaphore(8)))


def ask(server: LLMServer, question: str, memory: Any = None, **options: Any) -> list[Event]:
    memory = memory or WordyMemory(ANSWERS)
    return list(blocking(interrogate(question, executive(server), memory, **options)))


def final(events: list[Event]) -> FinalAnswer:
    last = events[-1].data
    assert isinstance(last, FinalAnswer), last
    return last


def decisions(events: list[Event]) -> list[DecisionMade]:
    return [event.data for event in events if isinstance(event.data, DecisionMade)]


@pytest.mark.parametrize(
    ("question", "round_trips", "answer"),
    [
        (LEADS, 2, "Ada Lund leads Project Atlas. [1]"),
        (TWO_HOPS, 3, "Ada Lund leads Project Atlas. [1] Ola Berg is the manager of Ada Lund. [2]"),
        (
            THREE_HOPS,
            4,
            "Ada Lund leads Project Atlas. [1] Ola Berg is the manager of Ada Lund. [2] "
            "Ola Berg lives in Bergen. [3]",
        ),
    ],
)
def test_each_hop_takes_one_round_trip_and_the_answer_one_more(server, question, round_trips, answer):
    events = ask(server, question)
    assert final(events).text == answer
    assert final(events).calls == sum(server.ledger.calls.values()) == round_trips
    assert final(events).sub_queries == list(range(1, round_trips))
    assert final(events).prompt_tokens == sum(server.ledger.prompt_tokens.values())


def test_all_wordings_of_a_sub_query_go_to_memory_in_one_batch_and_vote(server):
    memory = WordyMemory(ANSWERS)
    events = ask(server, LEADS, memory)
    assert memory.asked == [
        [
            LEADS,
            f"Tell me: {LEADS}",
            "Who leads Project Atlas, please?",
            "Do you know who leads Project Atlas?",
        ]
    ]
    said = next(event for event in events if event.type == "memory_answer").as_dict()["data"]
    assert said["agreement"] == 1.0
    assert len(said["said"]) == 4


def test_the_answer_is_told_in_pieces_while_it_is_written(server):
    events = ask(server, TWO_HOPS)
    pieces = [event.as_dict()["data"]["text"] for event in events if event.type == "answer_token"]
    assert len(pieces) > 1
    assert "".join(pieces) == final(events).text


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("fault", FAULTS)
def test_no_misbehaviour_at_any_stage_ends_in_an_error_or_an_empty_answer(server, fault, stage):
    server.faults_of_stage = {stage: fault}
    events = ask(server, TWO_HOPS, budget=Budget(seconds=6, rounds=8))
    answer = final(events)
    assert answer.text.strip()
    assert "Ada Lund" in answer.text or not answer.known
    problems = [decision.problem for decision in decisions(events) if decision.problem]
    if fault != "truncated":  # what there is of such a reply may be enough
        assert bool(problems) == (fault not in HARMLESS), problems
    if fault in HARMLESS:
        assert answer.text == "Ada Lund leads Project Atlas. [1] Ola Berg is the manager of Ada Lund. [2]"


@pytest.mark.parametrize("fault", FAULTS)
def test_a_server_that_misbehaves_throughout_still_leaves_what_memory_knows(server, fault):
    server.faults_of_stage = dict.fromkeys(STAGES, fault)
    answer = final(ask(server, LEADS, budget=Budget(seconds=6, rounds=8)))
    assert answer.known
    assert "Ada Lund leads Project Atlas. [1]" in answer.text


def test_a_reply_that_cannot_be_used_is_asked_for_once_more_with_the_fault_quoted(server):
    class OnceWrong(dict[str, str]):
        def get(self, stage: str, default: str = "") -> str:
            return self.pop(stage, default)

    server.faults_of_stage = OnceWrong(next="wrong keys")
    events = ask(server, TWO_HOPS)
    assert final(events).text.endswith("Ola Berg is the manager of Ada Lund. [2]")
    assert final(events).calls == 4
    assert not any(decision.problem for decision in decisions(events))


def test_rounds_end_the_turn_in_the_best_answer_so_far(server):
    events = ask(server, THREE_HOPS, budget=Budget(rounds=2))
    assert final(events).ended_by == "rounds"
    assert server.ledger.calls == {"plan": 1, "answer": 1}


def test_tokens_end_the_turn_before_they_are_overspent(server):
    free = final(ask(server, THREE_HOPS))
    allowed = (free.prompt_tokens + free.completion_tokens) * 3 // 4
    events = ask(server, THREE_HOPS, budget=Budget(tokens=allowed))
    assert final(events).ended_by == "tokens"
    assert final(events).prompt_tokens + final(events).completion_tokens <= allowed


def test_seconds_end_the_turn_in_the_best_answer_so_far(server):
    server.faults_of_stage = {"next": "hang", "answer": "hang"}
    answer = final(ask(server, TWO_HOPS, budget=Budget(seconds=1.5, rounds=8)))
    assert "Ada Lund leads Project Atlas. [1]" in answer.text


def test_what_memory_does_not_know_is_said_plainly(server):
    answer = final(ask(server, "Who leads Project Borealis?"))
    assert not answer.known
    assert answer.text == "Memory does not know this."


def test_the_conversation_before_is_in_the_plans_prompt_and_what_it_stood_for_in_the_decision(server):
    seen: list[str] = []

    class Listening(dict[str, list[str]]):
        def get(self, question: str, default: Any = None) -> Any:
            seen.append(question)
            return super().get(question, default)

    server.scripts = Listening(SCRIPTS)
    history = [PastTurn(LEADS, "Ada Lund leads Project Atlas. [1]", ("Ada Lund",))]
    ask(server, "Who is her manager?", history=history)
    assert seen[0] == "Who is her manager?"
