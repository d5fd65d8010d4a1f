"""How well a trained MEMORY recalls and abstains, and the confidence below which it should abstain."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

from training.engine.abstention import Abstention
from training.engine.augment import Augmenter
from training.engine.batches import Curriculum
from training.engine.decode import Decoder
from training.engine.generated import Generated
from training.engine.pairs import Pair, lot, normalised
from training.engine.words import Lexicon, words
from training.memory import MemoryAnswer

UNKNOWN = 200  # questions about unknown entities, and as many about unknown attributes of each sort
FEWEST = 100  # answerable questions that a threshold is fitted on
STRAYS = words(
    "actually actual colleagues correctly currently documents exactly file formerly friendly happily later "
    "maybe normally officially once original properly quickly really recent records shortly simply today truly "
    "yesterday"
)
BINS = 10  # of confidence
LIKELY = 0.5  # an answer of less confidence is more probably wrong than right


@dataclass(frozen=True)
class Asked:
    """A question that was put to the model: ``expected`` is None where “I don't know” is the right answer."""

    question: str
    expected: str | None
    generated: Generated

    @property
    def is_exact(self) -> bool:
        """Whether the model's words are the expected answer, abstention apart."""
        return self.expected is not None and normalised(self.generated.content.text) == normalised(
            self.expected
        )

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
    entities = {curriculum.unknown.draw(random) for _ in range(UNKNOWN)}
    attributes = {curriculum.missing.draw(random, kept_back=True) for _ in range(UNKNOWN)}
    attributes |= {curriculum.absent.draw(random) for _ in range(UNKNOWN)}
    return {
        "unknown_entities": [(question, None) for question in sorted(filter(None, entities))],
        "unknown_attributes": [(question, None) for question in sorted(filter(None, attributes))],
    }


def stray_questions(pairs: Sequence[Pair], lexicon: Lexicon, random: Random) -> list[Question]:
    """Questions with a word in them that no pair has and that changes nothing: wordings new to the model."""
    strange = [word for word in STRAYS if word not in lexicon.plain]
    return [
        (_with(pair.question, random.choice(strange), lexicon, random), pair.answer)
        for pair in pairs
        if strange
    ]


def _with(question: str, word: str, lexicon: Lexicon, random: Random) -> str:
    """The word somewhere in the question behind its first one, in no name."""
    inside = [span for span in lexicon.name_spans(question) if span[1] < len(question)]
    gaps = [
        place
        for place, character in enumerate(question)
        if character == " " and not any(start < place < end for start, end in inside)
    ]
    place = random.choice(gaps) if gaps else 0
    return f"{question[:place]} {word}{question[place:]}"


def fit_threshold(abstention: Abstention, asked: Sequence[Asked], most_refusals: float) -> float:
    """The confidence below which MEMORY abstains: one half, from which an answer is more probably right than not.

    Less where one half would refuse the right answer of more than ``most_refusals``, a share of the answerable
    questions.
    """
    known = [one for one in asked if one.expected is not None]
    right = sorted(_confidence(abstention, one) for one in known if one.is_exact and _stands(abstention, one))
    allowed = int(most_refusals * len(known))
    return min(LIKELY, right[allowed]) if allowed < len(right) else LIKELY


Fit = Callable[[Sequence[Asked]], Abstention]


def cross_fitted(fit: Fit, asked: Sequence[Asked]) -> list[MemoryAnswer]:
    """Each question's answer, judged by what was fitted on the half of them that it is not in."""
    fitted = [fit([one for one in asked if one.fold != fold]) for fold in (0, 1)]
    return [fitted[one.fold].judge(one.question, one.generated) for one in asked]


def is_answered(abstention: Abstention, asked: Asked) -> bool:
    return abstention.judge(asked.question, asked.generated).known


def _stands(abstention: Abstention, asked: Asked) -> bool:
    return abstention.would_answer(asked.question, asked.generated)


def _confidence(abstention: Abstention, asked: Asked) -> float:
    return abstention.confidence(asked.question, asked.generated)


def auroc(known: Sequence[float], unknown: Sequence[float]) -> float | None:
    """How often the confidence of a question with an answer exceeds that of one without; half for equal ones."""
    if not known or not unknown:
        return None
    below = sorted(unknown)
    wins = sum(bisect_left(below, one) + bisect_right(below, one) for one in known)
    return wins / (2 * len(known) * len(unknown))


def calibration_error(confidences: Sequence[float], right: Sequence[bool]) -> float | None:
    """How far the confidence is from the share of right answers, on average over ten equal bins (ECE)."""
    bins: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for confidence, is_right in zip(confidences, right, strict=True):
        bins[_bin(confidence)].append((confidence, is_right))
    gaps = (abs(sum(confidence - is_right for confidence, is_right in group)) for group in bins.values())
    return sum(gaps) / len(confidences) if confidences else None


def histogram(confidences: Iterable[float]) -> list[int]:
    """How many of the confidences lie in each of ten equal bins of [0, 1]; 1 itself is in the last."""
    counts = [0] * BINS
    for confidence in confidences:
        counts[_bin(confidence)] += 1
    return counts


def _bin(confidence: float) -> int:
    return min(BINS - 1, int(BINS * confidence))


def share(flags: Iterable[bool]) -> float | None:
    """Share of true flags; None if there are none at all."""
    counted = list(flags)
    return sum(counted) / len(counted) if counted else None
