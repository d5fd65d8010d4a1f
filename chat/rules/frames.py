"""The frames that English questions come in: what is asked for, and where the noun phrases stand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

from chat.rules.grammar import Chart
from chat.rules.phrases import Clause, NounPhrase, Predicate, Question, Template, for_one
from knowledge.rules.english import capitalise
from knowledge.rules.lexicon import BE_FORMS, DO_FORMS, HAVE_FORMS

_WH = frozenset({"who", "whom", "what", "which", "where", "when", "why", "how", "whose"})
#: Longer questions, in words, are not taken apart.
LONGEST = 120
_WITH_NOUN = frozenset({"what", "which", "whose"})


@lru_cache(maxsize=4096)
def parse_question(text: str) -> Question:
    """The likeliest reading of a question given without its question mark.

    Where no frame fits, only the descriptions in it are read and the rest is taken as it stands.
    """
    chart = Chart(text)
    # What is to be answered with yes or no, and what no question looks like, is asked as it is.
    if chart.may_be(0, "AUX", "MD") or chart.end > LONGEST:
        return Question("plain", "", (text,))
    framed = next(_framed(chart), None)
    return framed or Question("plain", _first_wh(text), tuple(_spotted(chart)))


def _framed(chart: Chart) -> Iterator[Question]:
    for word, noun, end in _openings(chart):
        wh = capitalise(chart.span(0, end))
        yield from _same_as(chart, word, noun, wh, end)
        yield from _two_clues(chart, word, noun, wh, end)
        yield from _identity(chart, word, noun, wh, end)
        yield from _possession(chart, word, noun, wh, end)
        yield from _inverted(chart, word, noun, wh, end)
        for predicate, stop in chart.finite(end):
            if stop == chart.end:
                yield Question("plain", word, (wh, *predicate.parts), noun, wh)
        yield from _not_inverted(chart, word, noun, wh, end)


def _openings(chart: Chart) -> Iterator[tuple[str, str, int]]:
    """The question word, the noun it asks for, and where the rest begins: "In which city" is (which, city)."""
    start = 1 if chart.may_be(0, "IN", "TO") and chart.lower(1) in _WH else 0
    word = chart.lower(start)
    if word not in _WH:
        return
    if word == "how" and chart.lower(start + 1) in ("many", "much"):
        for thing, end in chart.core(start + 2):
            yield "how many", thing.noun, end
        yield "how many", "", start + 2
    elif word == "how" and chart.may_be(start + 1, "J", "R"):
        yield f"how {chart.lower(start + 1)}", "", start + 2
    elif word in _WITH_NOUN:
        for thing, end in chart.core(start + 1):
            if not thing.determiner:
                yield from ((word, noun, stop) for noun, stop in _kinds(chart, thing.noun, end))
    yield word, "", start + 1


def _kinds(chart: Chart, noun: str, end: int) -> Iterator[tuple[str, int]]:
    """ "kind of plane", "amount of money": what is asked for may be measured or sorted."""
    if chart.lower(end) == "of":
        for measured, stop in chart.core(end + 1):
            if not measured.determiner and not measured.is_name:
                yield f"{noun} of {measured.text}", stop
    yield noun, end


def _same_as(chart: Chart, word: str, noun: str, wh: str, start: int) -> Iterator[Question]:
    """ "Which customers have the same manager as X?" asks for those whose manager is the manager of X."""
    if chart.lower(start) not in HAVE_FORMS or chart.lower(start + 2) != "same":
        return
    for shared, middle in chart.core(start + 3):
        if chart.lower(middle) != "as":
            continue
        for other, end in chart.noun_phrase(middle + 1):
            if end == chart.end:
                value = NounPhrase((f"the {shared.noun} of", other), (shared.noun,), "the", other)
                clause = Clause("whose", Predicate("is", rest=(value,)), possessed=shared.noun)
                head = noun or "person"
                parts = (f"the {head} whose {shared.noun} is", value)
                subject = NounPhrase(parts, (head,), "the", clauses=(clause,))
                template = (wh, chart.span(start, end))
                yield Question("identity", word, template, noun, wh, subject, excluded=other)


def _two_clues(chart: Chart, word: str, noun: str, wh: str, start: int) -> Iterator[Question]:
    """ "Which engineer joined in 2019 and lives in Oslo?" asks for the engineer who does both."""
    if word not in ("who", "what", "which"):
        return
    for first, middle in chart.finite(start):
        if chart.lower(middle) == "and":
            for clauses, end in chart.joined(Clause("subject", first), middle + 1):
                if end == chart.end:
                    head = noun or ("person" if word == "who" else "thing")
                    text = chart.span(start, end)
                    subject = NounPhrase((f"the {head} that", text), (head,), "the", clauses=clauses)
                    yield Question("identity", word, (wh, text), noun, wh, subject)


def _identity(chart: Chart, word: str, noun: str, wh: str, start: int) -> Iterator[Question]:
    """ "Who is NP?", "Which city is NP in?" """
    has_preposition = not wh.lower().startswith(word)
    if chart.lower(start) not in BE_FORMS or word not in ("who", "what", "which") or has_preposition:
        return
    be = chart.span(start, start + 1)
    for subject, end in chart.noun_phrase(start + 1):
        if end == chart.end:
            yield Question("identity", word, (wh, be, subject), noun, wh, subject)


def _possession(chart: Chart, word: str, noun: str, wh: str, start: int) -> Iterator[Question]:
    """ "How many friends does NP have?", also "What friends does NP have?" """
    if not noun or chart.lower(start) not in DO_FORMS or chart.lower(chart.end - 1) != "have":
        return
    for owner, end in chart.noun_phrase(start + 1):
        if end == chart.end - 1:
            template = (wh, for_one(chart.lower(start), owner), owner, "have")
            yield Question("possession", word, template, noun, wh, owner)


def _inverted(chart: Chart, word: str, noun: str, wh: str, start: int) -> Iterator[Question]:
    """Auxiliary, subject, the rest of the verb: "When was NP founded?", "Where does NP live?" """
    auxiliary = chart.lower(start)
    if auxiliary not in BE_FORMS | DO_FORMS | HAVE_FORMS and not chart.may_be(start, "MD"):
        return
    found: list[tuple[bool, Question]] = []
    for subject, middle in chart.noun_phrase(start + 1):
        for rest, end in _after_subject(chart, auxiliary, middle):
            if end == chart.end:
                template = (wh, for_one(auxiliary, subject), subject, *rest)
                is_participle = auxiliary not in BE_FORMS or chart.may_be(middle, "VBN", "VBG", "J")
                # "How high is | the tower built by X" has its adjective already.
                is_complete = word.startswith("how ") and auxiliary in BE_FORMS and not noun
                found.append(
                    (
                        is_participle and bool(rest) if is_complete else not is_participle,
                        Question("plain", word, template, noun, wh),
                    )
                )
            elif _may_be_moved(chart, subject, rest, end):
                for clauses, stop in chart.clauses(end):
                    if stop == chart.end:  # "When was the boat built whose skipper is X?"
                        moved = replace(
                            subject, parts=(*subject.parts, chart.span(end, stop)), clauses=clauses
                        )
                        template = (wh, for_one(auxiliary, moved), moved, *rest)
                        found.append((False, Question("plain", word, template, noun, wh)))
    # "was the clock | built in Prague" rather than "was | the clock built in Prague".
    yield from (question for _, question in sorted(found, key=lambda reading: reading[0]))


def _may_be_moved(chart: Chart, subject: NounPhrase, rest: Template, end: int) -> bool:
    """May a relative clause at ``end`` belong to the subject, past a bare verb?"""
    has_bare_verb = all(isinstance(part, str) for part in rest)
    is_plain = not (subject.is_description or subject.is_name)
    return chart.lower(end) in ("who", "that", "which", "whose") and has_bare_verb and is_plain


def _after_subject(chart: Chart, auxiliary: str, start: int) -> Iterator[tuple[Template, int]]:
    if auxiliary in BE_FORMS:
        yield from chart.complements(start)
        return
    form = "VBN" if auxiliary in HAVE_FORMS else "VB"
    if chart.may_be(start, form) or chart.lower(start) in ("have", "do", "be", "been"):
        for rest, end in chart.complements(start + 1):
            yield (chart.span(start, start + 1), *rest), end


def _not_inverted(chart: Chart, word: str, noun: str, wh: str, start: int) -> Iterator[Question]:
    """ "(Tell me) where NP lives": put into question order."""
    if word == "how many" and not noun:
        return
    for clause, end in chart.object_clause(start):
        if end == chart.end and clause.subject is not None:
            yield _from_clause(word, noun, wh, clause.subject, clause.predicate)


def _from_clause(word: str, noun: str, wh: str, subject: NounPhrase, predicate: Predicate) -> Question:
    template = (wh, *predicate.inverted(subject))
    only_be = predicate.auxiliary.lower() in BE_FORMS and not predicate.verb and not predicate.rest
    if only_be and word in ("who", "what", "which"):
        return Question("identity", word, template, noun, wh, subject)
    return Question("plain", word, template, noun, wh)


def _spotted(chart: Chart) -> Iterator[str | NounPhrase]:
    """The words one by one, with each description that begins at one of them as a phrase."""
    index = 0
    while index < chart.end:
        found = [(phrase, end) for phrase, end in chart.noun_phrase(index) if phrase.is_description]
        if found:
            phrase, index = found[0]
            yield phrase
        else:
            yield chart.span(index, index + 1)
            index += 1


def _first_wh(text: str) -> str:
    words = re.findall(r"[a-z]+", text.lower())
    return next((word for word in words if word in _WH), "what")
