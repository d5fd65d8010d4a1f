"""Final answers: checked against what MEMORY said, and put together without a model where none can be had."""

from __future__ import annotations

import re
from typing import Any

from pydantic_core import from_json

from chat.language_model.messages import Next
from chat.protocol.executive import Synthesis, Usage
from chat.protocol.state import Exchange, State
from memosite.llm import BadReply
from memosite.llm.text import printable

_CITATION = re.compile(r"\[(\d+(?:\s*,\s*\d+)*)\]")
#: Facts that stand for an answer which no model wrote.
FACTS_SHOWN = 6


def checked_answer(said: Next, state: State, usage: Usage) -> Synthesis:
    """The answer of a reply. Raises BadReply where it is empty, or claims to know and cites nothing.

    References to answers that do not exist, or in which MEMORY knew nothing, are taken out.
    """
    text = said.answer.strip()
    if not text:
        raise BadReply('The "action" is "answer", but "answer" is empty.')
    known = {exchange.index for exchange in state.known}
    text, cited = _with_true_citations(text, known)
    if said.known and not cited:
        if not known:
            return not_known(state, usage)  # whatever it claims, it does not come from MEMORY
        numbers = ", ".join(f"[{index}]" for index in sorted(known))
        raise BadReply(
            f"The answer cites none of memory's answers. Put {numbers} behind what rests on it, or set "
            '"known" to false.'
        )
    return Synthesis(
        text=text,
        values=tuple(dict.fromkeys(value.strip() for value in said.values if value.strip()))
        if said.known
        else (),
        known=said.known,
        sub_queries=cited,
        justification=said.justification.strip(),
        usage=usage,
    )


def _with_true_citations(text: str, known: set[int]) -> tuple[str, tuple[int, ...]]:
    cited: list[int] = []

    def keep(match: re.Match[str]) -> str:
        true = [index for index in map(int, match[1].split(",")) if index in known]
        cited.extend(true)
        return " ".join(f"[{index}]" for index in true)

    kept = _CITATION.sub(keep, text)
    return re.sub(r" +([.,;:!?])", r"\1", re.sub(r"  +", " ", kept)).strip(), tuple(sorted(set(cited)))


def not_known(state: State, usage: Usage) -> Synthesis:
    """The plain answer where MEMORY knew nothing."""
    asked = " ".join(f"“{question}”" for question in state.dead_ends[:3])
    tried = f" It was asked: {asked}" if asked else ""
    return Synthesis(f"Memory does not know the answer to this.{tried}", known=False, usage=usage)


def from_facts(state: State, problem: str, usage: Usage) -> Synthesis:
    """The best answer so far, put together from MEMORY's answers: the EXECUTIVE could not write one."""
    facts = _most_telling(state)
    if not facts:
        plain = not_known(state, usage)
        return Synthesis(plain.text, known=False, problem=problem, usage=usage)
    lines = "\n".join(f"- {exchange.answer} [{exchange.index}]" for exchange in facts)
    return Synthesis(
        text=f"The EXECUTIVE could not write an answer. This is what memory knows about your question:\n\n{lines}",
        known=True,
        sub_queries=tuple(exchange.index for exchange in facts),
        problem=problem,
        usage=usage,
    )


def _most_telling(state: State) -> list[Exchange]:
    """The last known answers, those of a later stage first; in the order in which they were given."""
    order = {"grounding": 0, "entity_identification": 1, "answer_seeking": 2}
    known = sorted(state.known, key=lambda each: (order[each.stage], each.index), reverse=True)
    return sorted(known[:FACTS_SHOWN], key=lambda each: each.index)


class AnswerInTheMaking:
    """Follows a JSON reply as it is written and gives the new pieces of one of its texts."""

    def __init__(self, field: str) -> None:
        self._field, self._mark = field, f'"{field}"'
        self._text, self._told = "", ""

    def feed(self, piece: str) -> str:
        """What was added to the field's text by the next piece of the reply."""
        self._text += piece
        if self._mark not in self._text or "{" not in self._text:
            return ""
        try:
            value: Any = from_json(self._text[self._text.index("{") :], allow_partial="trailing-strings")
        except ValueError:
            return ""
        said = value.get(self._field) if isinstance(value, dict) else None
        said = printable(said) if isinstance(said, str) else ""
        if not said.startswith(self._told):
            return ""
        new, self._told = said[len(self._told) :], said
        return new
