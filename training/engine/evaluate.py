"""How well a trained MEMORY recalls and abstains, and the confidence below which it should abstain."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

from training.engine.augment import Augmenter
from training.engine.batches import Curriculum
from training.engine.decode import Decoder, Generated
from training.engine.pairs import Pair, lot, normalised
from training.engine.recall import Abstention
from training.engine.words import Lexicon

UNKNOWN = 200  # questions about unknown entities, and as many about missing relations
FEWEST = 100  # answerable questions that a threshold is fitted on
REFUSAL_WEIGHT = 3.0  # a refusal of what is known counts as so many false answers


@dataclass(frozen=True)
class Asked:
    """A question that was put to the model: ``expected`` is None where “I don't know” is the right answer."""

    question: str
    expected: str | None
    generated: Generated

    @property
    def is_exact(self) -> bool:
        """Whether the model's words are the expected answer, abstention apart."""
        return self.expected is not None and normalised(self.generated.text) == normalised(self.expected)

    @property
    def fold(self) -> int:
        return int(lot("fold", self.question) < 0.5)


Question = tuple[str, str | None]


def ask(decoder: Decoder, questions: Sequence[Question]) -> Iterator[tuple[int, Asked]]:
    """Put questions to the model, in the order that suits it; yields each one's place with it."""
    for place, generated in decoder.stream([question for question, _ in questions]):
        yield place, Asked(*questions[place], generated)


def known_questions(pairs: Sequence[Pair]) -> list[Question]:
    return [(pair.question, pair.answer) for pair in pairs]


def reworded_questions(pairs: Sequence[Pair], lexicon: Lexicon, count: int, random: Random) -> list[Question]:
    """Trained questions in other words, for want of enough held-out ones."""
    augmenter = Augmenter(pairs, lexicon)
    drawn = [random.choice(pairs) for _ in range(count)]
    return [(augmenter.reword(pair.question, random), pair.answer) for pair in drawn]


def unknown_questions(curriculum: Curriculum, random: Random) -> dict[str, list[Question]]:
    """Unanswerable questions that were not trained on, by kind."""
    entities = [curriculum.unknown.draw(random) for _ in range(UNKNOWN)]
    missing = {curriculum.missing.draw(random, kept_back=True) for _ in range(UNKNOWN)}
    return {
        "unknown_entities": [(question, None) for question in entities if question],
        "missing_relations": [(question, None) for question in sorted(filter(None, missing))],
    }


def fit_threshold(abstention: Abstention, asked: Sequence[Asked], most_refusals: float) -> float:
    """The confidence below which abstaining pays: it minimises false answers plus weighted refusals of right ones.

    ``most_refusals`` bounds the share of answerable questions whose right answer it may cost. Ties go to the
    lowest threshold.
    """
    known = [one for one in asked if one.expected is not None]
    right = [_confidence(one) for one in known if one.is_exact and _stands(abstention, one)]
    false = [_confidence(one) for one in asked if one.expected is None and _stands(abstention, one)]
    unknown = max(1, len(asked) - len(known))

    def refused(threshold: float) -> float:
        return sum(confidence < threshold for confidence in right) / max(1, len(known))

    def cost(threshold: float) -> float:
        answered = sum(confidence >= threshold for confidence in false) / unknown
        return answered + REFUSAL_WEIGHT * refused(threshold)

    candidates = sorted({0.0, *right, *(_just_above(confidence) for confidence in false)})
    return min((c for c in candidates if refused(c) <= most_refusals), key=cost, default=0.0)


def cross_fitted(abstention: Abstention, asked: Sequence[Asked], most_refusals: float) -> list[bool]:
    """Whether each question is answered, by a threshold that was fitted on the half of them it is not in."""
    fitted = [
        Abstention(
            fit_threshold(abstention, [one for one in asked if one.fold != fold], most_refusals),
            abstention.echo,
        )
        for fold in (0, 1)
    ]
    return [is_answered(fitted[one.fold], one) for one in asked]


def is_answered(abstention: Abstention, asked: Asked) -> bool:
    return abstention.judge(asked.question, asked.generated).known


def _stands(abstention: Abstention, asked: Asked) -> bool:
    return abstention.would_answer(asked.question, asked.generated)


def _confidence(asked: Asked) -> float:
    return asked.generated.confidence


def _just_above(confidence: float) -> float:
    return confidence + 1e-6


def share(flags: Iterable[bool]) -> float | None:
    """Share of true flags; None if there are none at all."""
    counted = list(flags)
    return sum(counted) / len(counted) if counted else None
