"""What a language model is told of a turn: the parts of its prompts that change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from chat.language_model.messages import Next, Plan
from chat.protocol.candidates import Candidate
from chat.protocol.mentions import names_in
from chat.protocol.state import Exchange, PastTurn, State
from memosite.llm import ObjectRequest
from memosite.llm.prompts import read_prompt

PROMPTS = Path(__file__).parent / "prompts"
LONGEST_PAST_ANSWER = 600  # characters of an earlier answer that are repeated
ANSWER_NOW = (
    'This is the last round: "action" has to be "answer". Answer with what memory has said; say plainly what it '
    "does not know."
)


def plan_request(state: State) -> ObjectRequest[Plan]:
    """The first request of a turn."""
    prompt = read_prompt(PROMPTS, "plan")
    parts = [_history(state.history), f"The person asks:\n{state.question}"]
    return ObjectRequest("plan", prompt.version, prompt.text, _joined(parts), Plan)


def next_request(state: State, *, must_answer: bool = False) -> ObjectRequest[Next]:
    """A later request of a turn; with ``must_answer`` only an answer will do."""
    prompt = read_prompt(PROMPTS, "next")
    parts = [
        f"Question:\n{state.question}",
        _section("Clues (narrowing power)", (f"- ({clue.power or '?'}) {clue.text}" for clue in state.clues)),
        _section("Candidates, best first", map(_candidate, state.candidates)),
        _facts(state.exchanges),
        _section(
            "Dead ends: memory does not know",
            (f"[{e.index}] {e.question}" for e in state.exchanges if not e.known),
        ),
        _section("Not asked, of what you proposed last", (f"- {each}" for each in state.dropped)),
        f"Stage: {state.stage}. Rounds left: {max(1, state.rounds_left)}.",
        ANSWER_NOW if must_answer else "",
    ]
    return ObjectRequest("next", prompt.version, prompt.text, _joined(parts), Next)


def _joined(parts: Iterable[str]) -> str:
    return "\n\n".join(part for part in parts if part)


def _section(title: str, lines: Iterable[str]) -> str:
    body = "\n".join(filter(None, lines))
    return f"{title}:\n{body}" if body else ""


def _history(turns: Sequence[PastTurn]) -> str:
    lines = (f"Person: {turn.question}\nAnswer: {turn.answer[:LONGEST_PAST_ANSWER]}" for turn in turns)
    return _section("The conversation before", lines)


def _candidate(candidate: Candidate) -> str:
    told: list[str] = [candidate.status]
    if candidate.supporting:
        told.append(f"for: {_refs(candidate.supporting)}")
    if candidate.disqualifying:
        told.append(f"against: {_refs(candidate.disqualifying)}")
    if candidate.unknowns:
        told.append(f"unknown {candidate.unknowns} times in a row")
    return f"- {candidate.name} ({', '.join(told)})"


def _refs(indexes: Iterable[int]) -> str:
    return " ".join(f"[{index}]" for index in indexes)


def _facts(exchanges: Sequence[Exchange]) -> str:
    """What memory said, grouped by the name that most of the answers share: each answer once."""
    left = [exchange for exchange in exchanges if exchange.known]
    if not left:
        return "Memory has not known anything yet."
    groups: list[str] = []
    while left:
        name = _most_frequent_name(left)
        here = [exchange for exchange in left if not name or name in exchange.answer]
        groups.append(_section(f"About {name}" if name else "Other", map(_fact, here)))
        left = [exchange for exchange in left if exchange not in here]
    return "What memory said:\n" + "\n".join(groups)


def _most_frequent_name(exchanges: Sequence[Exchange]) -> str:
    names = [name for exchange in exchanges for name in names_in(exchange.answer)]
    return max(names, key=names.count) if names else ""


def _fact(exchange: Exchange) -> str:
    return f"[{exchange.index}] {exchange.question} {exchange.answer} ({exchange.confidence:.0%} sure)"
