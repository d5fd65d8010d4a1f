"""The final answer in plain sentences, from MEMORY's answers alone."""

from __future__ import annotations

from collections.abc import Iterable

from chat.protocol.executive import Synthesis
from chat.protocol.state import Exchange, State
from chat.rules.phrases import Question
from chat.rules.solver import Finding
from chat.rules.wordings import sentence
from knowledge.rules.english import capitalise, is_plural, join_list, plural, singular, strip_article


def synthesis(question: Question, found: Finding, state: State, unknown: list[str]) -> Synthesis:
    """The answer to one question, or what is known instead of one."""
    if not found.values:
        return _not_known(question, state, unknown)
    text = _sentence(question, found, state)
    text = _citing(text, [index for index in found.support if f"[{index}]" not in text])
    if found.partial and unknown:
        text += f" Memory does not know everything that was needed: {_quoted(unknown[:3])}."
    return Synthesis(
        text=text,
        values=tuple(strip_article(value) for value in found.values),
        sub_queries=found.support,
        justification=justification(state, found.support),
    )


def combined(parts: list[Synthesis]) -> Synthesis:
    """One answer to several questions asked in one."""
    if len(parts) == 1:
        return parts[0]
    return Synthesis(
        text=" ".join(dict.fromkeys(part.text for part in parts)),
        values=tuple(dict.fromkeys(value for part in parts for value in part.values)),
        known=any(part.known for part in parts),
        sub_queries=tuple(dict.fromkeys(index for part in parts for index in part.sub_queries)),
        justification="\n".join(dict.fromkeys(part.justification for part in parts if part.justification)),
    )


def justification(state: State, support: tuple[int, ...]) -> str:
    """The sub-queries that the answer rests on, one a line, with what MEMORY said."""
    used = [exchange for exchange in state.exchanges if exchange.index in support]
    return "\n".join(f"[{exchange.index}] {exchange.question} {exchange.answer}" for exchange in used)


def _sentence(question: Question, found: Finding, state: State) -> str:
    final = [exchange for exchange in state.exchanges if exchange.index in found.last]
    if question.kind == "possession" and question.word == "how many":
        return _count(question, found, final)
    is_direct = len(found.support) == len(final) == 1
    subject = question.subject
    if question.kind != "identity" or is_direct or subject is None or not subject.is_description:
        return _said(final)
    many = len(found.values) > 1 or is_plural(subject.noun)
    phrase = subject.text
    if many and len(subject.nouns) == 1 and not is_plural(subject.noun):
        phrase = phrase.replace(subject.noun, plural(subject.noun), 1)
    return _citing(
        f"{capitalise(phrase)} {'are' if many else 'is'} {join_list(found.values)}.", found.support
    )


def _count(question: Question, found: Finding, final: list[Exchange]) -> str:
    owner = question.subject.text if question.subject else ""
    noun = singular(question.noun) if found.values == ("1",) else question.noun
    return f"{capitalise(owner)} has {' or '.join(found.values)} {noun}. {_said(final)}"


def _said(exchanges: list[Exchange]) -> str:
    """What MEMORY said, each sentence once, with the sub-queries that it rests on: "Ada Lund leads it. [1]"."""
    by_answer: dict[str, list[int]] = {}
    for exchange in exchanges:
        by_answer.setdefault(exchange.answer, []).append(exchange.index)
    return " ".join(_citing(answer, indexes) for answer, indexes in by_answer.items())


def _citing(text: str, indexes: Iterable[int]) -> str:
    return " ".join([text, *(f"[{index}]" for index in indexes)])


def _not_known(question: Question, state: State, unknown: list[str]) -> Synthesis:
    known = [exchange for exchange in state.exchanges if exchange.known]
    asked = unknown[-1] if unknown else sentence(state.question)
    text = f"Memory does not know: {asked}"
    if known:
        text += f" What it does know: {_said(known[-3:])}"
    support = tuple(exchange.index for exchange in known[-3:])
    return Synthesis(text, known=False, sub_queries=support, justification=justification(state, support))


def _quoted(questions: list[str]) -> str:
    return join_list([f"“{question}”" for question in dict.fromkeys(questions)])
