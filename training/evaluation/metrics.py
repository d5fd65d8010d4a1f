"""How right answers are: exact match and F1 over words or sets, abstention, and what the answers took.

Texts are compared after the normalisation that SQuAD published (arXiv 1606.05250, ``evaluate-v1.1.py``), which
MuSiQue and HotpotQA score by as well.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

from training.evaluation.statistics import Interval, bootstrap_interval
from training.evaluation.types import Answered, Question

ARTICLES = re.compile(r"\b(a|an|the)\b")
NO_PUNCTUATION = str.maketrans("", "", string.punctuation)
UNKNOWN_INTERVAL = Interval(0.0, 1.0)


# --- Texts -------------------------------------------------------------------------------------------------
def normalise(text: str) -> str:
    """Lower case, without ASCII punctuation, without the articles a, an, the, with single spaces."""
    bare = text.lower().translate(NO_PUNCTUATION)
    return " ".join(ARTICLES.sub(" ", bare).split())


def exact_match(given: str, accepted: Iterable[str]) -> bool:
    """Whether the text is one of the accepted ones after normalisation."""
    return _compared(given) in {_compared(one) for one in accepted}


def token_f1(given: str, accepted: Iterable[str]) -> float:
    """F1 over the words that the text shares with an accepted one, repeats counted; the best over all of them."""
    words = _compared(given).split()
    return max((_words_f1(words, _compared(one).split()) for one in accepted), default=0.0)


def _compared(text: str) -> str:
    """The normalised text; as it stands where nothing is left of it, so that “A” is not the same as “the”."""
    return normalise(text) or " ".join(text.lower().split())


def _words_f1(given: Sequence[str], accepted: Sequence[str]) -> float:
    if not given or not accepted:
        return float(given == accepted)
    shared = sum((Counter(given) & Counter(accepted)).values())
    return 2 * shared / (len(given) + len(accepted))


# --- Sets --------------------------------------------------------------------------------------------------
def set_exact(given: Iterable[str], accepted: Iterable[str]) -> bool:
    """Whether all accepted values are given, and no others."""
    return _members(given) == _members(accepted)


def set_f1(given: Iterable[str], accepted: Iterable[str]) -> float:
    """F1 of the given values against the accepted ones, each compared as a whole. Two empty sets are the same."""
    ours, theirs = _members(given), _members(accepted)
    return 2 * len(ours & theirs) / (len(ours) + len(theirs)) if ours or theirs else 1.0


def _members(values: Iterable[str]) -> set[str]:
    return {_compared(value) for value in values} - {""}


# --- Questions ---------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Score:
    """``exact`` is exact match, of sets the exact set; ``f1`` is over words, of sets over values; in [0, 1]."""

    exact: bool
    f1: float


def score(question: Question, answered: Answered) -> Score:
    """How right the answer is.

    Of a question with no answer “I don't know” is right, and nothing else is; of one with an answer it is wrong.
    One answer may be given as the text or as its values in a row, whichever is nearer: a sentence and the value
    it states are the same answer.
    """
    if not question.answerable or not answered.known:
        is_right = not question.answerable and not answered.known
        return Score(is_right, float(is_right))
    if question.is_set:
        values = answered.values or (answered.text,)
        return Score(set_exact(values, question.answers), set_f1(values, question.answers))
    said = [answered.text, ", ".join(answered.values)] if answered.values else [answered.text]
    return Score(
        any(exact_match(text, question.answers) for text in said),
        max(token_f1(text, question.answers) for text in said),
    )


@dataclass(frozen=True)
class Scored:
    """A question with what was answered to it; ``failed`` where it could not be asked."""

    question: Question
    answered: Answered
    score: Score
    failed: bool = False


# --- Many questions ----------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Summary:
    """What a contestant reached over ``questions`` questions.

    ``exact`` and ``f1`` are means with their 95 % bootstrap intervals. ``abstention_precision`` is the share of
    refusals whose question has no answer, ``abstention_recall`` the share of questions with no answer that were
    refused. ``false_answers`` is the share of questions with no answer that were answered, ``false_refusals`` the
    share of those with one that were not. A share of nothing is None. The rest are means for a question: round
    trips to the EXECUTIVE, tokens, US dollars, seconds. What failed counts as wrong, and in nothing else: a server
    that is down does not abstain.
    """

    questions: int
    exact: float
    exact_low: float
    exact_high: float
    f1: float
    f1_low: float
    f1_high: float
    abstention_precision: float | None
    abstention_recall: float | None
    false_answers: float | None
    false_refusals: float | None
    calls: float
    prompt_tokens: float
    completion_tokens: float
    read_tokens: float
    cost: float
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """The figures by name, as ``Summary(**figures)`` takes them."""
        return asdict(self)


def summarise(scored: Sequence[Scored]) -> Summary:
    """The figures over these questions; of none at all, noughts with intervals that say nothing."""
    exact, f1 = [float(one.score.exact) for one in scored], [one.score.f1 for one in scored]
    exact_interval, f1_interval = _interval(exact), _interval(f1)
    asked = [one for one in scored if not one.failed]
    unanswerable = [one.answered.known for one in asked if not one.question.answerable]
    answerable = [one.answered.known for one in asked if one.question.answerable]
    refused = [not one.question.answerable for one in asked if not one.answered.known]
    false_answers = _share(unanswerable)
    return Summary(
        questions=len(scored),
        exact=_mean(exact),
        exact_low=exact_interval.low,
        exact_high=exact_interval.high,
        f1=_mean(f1),
        f1_low=f1_interval.low,
        f1_high=f1_interval.high,
        abstention_precision=_share(refused),
        abstention_recall=None if false_answers is None else 1 - false_answers,
        false_answers=false_answers,
        false_refusals=_share([not known for known in answerable]),
        calls=_mean_of(asked, lambda answered: answered.calls),
        prompt_tokens=_mean_of(asked, lambda answered: answered.prompt_tokens),
        completion_tokens=_mean_of(asked, lambda answered: answered.completion_tokens),
        read_tokens=_mean_of(asked, lambda answered: answered.read_tokens),
        cost=_mean_of(asked, lambda answered: answered.cost),
        seconds=_mean_of(asked, lambda answered: answered.seconds),
    )


def _interval(values: Sequence[float]) -> Interval:
    return bootstrap_interval(values) if values else UNKNOWN_INTERVAL


def _mean(values: Collection[float]) -> float:
    return fmean(values) if values else 0.0


def _mean_of(scored: Sequence[Scored], figure: Callable[[Answered], float]) -> float:
    return _mean([figure(one.answered) for one in scored])


def _share(flags: Collection[bool]) -> float | None:
    return sum(flags) / len(flags) if flags else None
