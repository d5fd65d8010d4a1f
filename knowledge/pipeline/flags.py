"""What is noticed about a pair, so that a curator looks at it first. Values in, findings out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from knowledge.pipeline.near_duplicates import near_duplicates
from knowledge.pipeline.self_contained import LONGEST_QUESTION, objection
from knowledge.pipeline.types import Kind
from knowledge.pipeline.wording import (
    FUNCTION_WORDS,
    NEGATIONS,
    NUMBER_WORDS,
    is_number,
    names_in,
    normal,
    words,
)

LONG_QUESTION, LONG_ANSWER = 40, 60  # words; more are hard to learn by heart
SHORT_QUESTION, SHORT_ANSWER = 3, 2  # words; fewer say too little
LEAST_SUPPORT = 0.5  # of the answer's content words that have to occur in the passages
STEM = 5  # letters; words that begin alike count as forms of one word
NOTE_LENGTH = 300


@dataclass(frozen=True)
class Judged:
    """A pair with the text of the passages behind it. ``needs_source`` is False for what a person wrote."""

    id: int
    question: str
    answer: str
    kind: str
    fact: str
    passages: tuple[str, ...] = ()
    needs_source: bool = True


@dataclass(frozen=True)
class Finding:
    """A flag on a pair: what was noticed, in words, and the other pair that it is about, if there is one."""

    pair: int
    flag: str
    note: str = ""
    other: int | None = None


def findings(pairs: Sequence[Judged]) -> list[Finding]:
    """Everything that is noticed about the pairs, each by itself and beside each other; a flag once a pair."""
    every = [finding for pair in pairs for finding in look_at(pair)]
    every += [*contradictions(pairs), *duplicates(pairs)]
    return list({(finding.pair, finding.flag): finding for finding in reversed(every)}.values())[::-1]


def look_at(pair: Judged) -> Iterator[Finding]:
    """What is noticed about a pair by itself."""
    checks = {
        "not_self_contained": _not_self_contained(pair),
        "unsupported_span": unsupported(pair),
        "very_long": _too_long(pair),
        "very_short": _too_short(pair),
    }
    for flag, note in checks.items():
        if note:
            yield Finding(pair.id, flag, note[:NOTE_LENGTH])


def duplicates(pairs: Sequence[Judged]) -> Iterator[Finding]:
    """Pairs that say almost the same as an earlier one; both are flagged."""
    for earlier, later in near_duplicates(pairs):
        first, second = pairs[earlier].id, pairs[later].id
        yield Finding(second, "near_duplicate", f"Almost the same as #{first}.", first)
        yield Finding(first, "near_duplicate", f"Almost the same as #{second}.", second)


def contradictions(pairs: Sequence[Judged]) -> Iterator[Finding]:
    """Pairs that answer the same question otherwise than another pair does."""
    asked: dict[tuple[str, ...], list[Judged]] = defaultdict(list)
    for pair in pairs:
        asked[normal(pair.question)].append(pair)
    for group in asked.values():
        for pair in group if len(group) > 1 else ():
            other = next((each for each in group if _answer_differently(pair, each)), None)
            if other:
                note = f"#{other.id} answers the same question: “{other.answer}”"
                yield Finding(pair.id, "contradiction", note[:NOTE_LENGTH], other.id)


def _answer_differently(pair: Judged, other: Judged) -> bool:
    """Whether neither answer says what the other says, and possibly more."""
    if pair.id == other.id or normal(pair.answer) == normal(other.answer):
        return False
    first, second = (set(words(each.answer)) for each in (pair, other))
    if first & NEGATIONS != second & NEGATIONS:
        return True
    asked = set(words(pair.question)) | FUNCTION_WORDS
    return not (first - asked <= second - asked or second - asked <= first - asked)


# --- A pair by itself --------------------------------------------------------------------------------------
def _not_self_contained(pair: Judged) -> str:
    answer = (
        "Nobody knows." if pair.kind == Kind.UNANSWERABLE else pair.answer
    )  # "I" is no pronoun in need there
    found = objection(pair.question, answer)
    return "" if found == "too long" else found


def _too_long(pair: Judged) -> str:
    asked, said = len(pair.question.split()), len(pair.answer.split())
    if asked <= min(LONG_QUESTION, LONGEST_QUESTION) and said <= LONG_ANSWER:
        return ""
    return f"The question has {asked} words and the answer {said}."


def _too_short(pair: Judged) -> str:
    if len(pair.question.split()) < SHORT_QUESTION:
        return "The question has hardly a word."
    return "The answer is a single word." if len(pair.answer.split()) < SHORT_ANSWER else ""


def unsupported(pair: Judged) -> str:
    """Why the passages do not bear the answer out, or "" if they do.

    Names and numbers have to occur in the passages (or in the question, which the passages may call by another
    name); of the other words that carry meaning, half of them, whatever their endings.
    """
    if pair.kind == Kind.UNANSWERABLE or not pair.needs_source:
        return ""
    if not pair.passages:
        return "No passage stands behind this pair."
    known = _vocabulary([*pair.passages, pair.question])
    names = names_in([pair.answer])
    said = [word for word in words(pair.answer) if word not in FUNCTION_WORDS]
    exact = [word for word in said if (word in names or is_number(word)) and not _occurs(word, known)]
    if exact:
        return f"Not in the passage: {', '.join(dict.fromkeys(exact))}"
    missing = [word for word in said if not _occurs(word, known)]
    if said and len(missing) > (1 - LEAST_SUPPORT) * len(said):
        return f"Hardly a word of the answer is in the passage: {', '.join(dict.fromkeys(missing))}"
    return ""


def _vocabulary(texts: Iterable[str]) -> set[str]:
    found = {word for text in texts for word in words(text)}
    return (
        found | {word[:STEM] for word in found} | {NUMBER_WORDS[word] for word in found & NUMBER_WORDS.keys()}
    )


def _occurs(word: str, known: set[str]) -> bool:
    if is_number(word):
        return word in known or NUMBER_WORDS.get(word) in known
    return word in known or (len(word) >= STEM and word[:STEM] in known)


def day_in_words(day: date | None) -> str:
    """A document's date and what "yesterday", "last month" and "next year" mean in it, as text that supports."""
    if day is None:
        return ""
    near = [day + timedelta(days=days) for days in range(-7, 8)]
    months = [date(day.year, month, 1).strftime("%B") for month in range(1, 13)]
    return " ".join(
        [*(str(each.day) for each in near), *months, *(str(day.year + years) for years in (-1, 0, 1))]
    )
