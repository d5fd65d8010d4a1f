"""What a trained MEMORY recalls, and when it should abstain: measured at the end of a training."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from training.engine.abstention import Abstention
from training.engine.batches import Curriculum
from training.engine.calibrate import calibrated
from training.engine.config import EngineConfig
from training.engine.decode import Decoder
from training.engine.echo import fit_echo
from training.engine.errors import Interrupted
from training.engine.evaluate import (
    FEWEST,
    Asked,
    Question,
    ask,
    auroc,
    calibration_error,
    cross_fitted,
    fit_threshold,
    histogram,
    is_answered,
    known_questions,
    reworded_questions,
    share,
    stray_questions,
    unknown_questions,
)
from training.engine.events import EVENT_SECONDS, Event, Phase
from training.engine.known import Known
from training.engine.pairs import Split
from training.memory import MemoryAnswer

Stop = Callable[[], bool]
HELD_OUT = "held_out"


@dataclass(frozen=True)
class Measured:
    """What the evaluation of a trained model found."""

    abstention: Abstention
    metrics: dict[str, Any]


def measure(
    decoder: Decoder, split: Split, curriculum: Curriculum, config: EngineConfig, stop: Stop
) -> Generator[Event, None, Measured]:
    """Fit the abstention, then measure everything that the manifest states.

    ``curriculum`` draws questions that the pairs do not answer. Raises Interrupted when ``stop`` returns true.
    """
    random = Random(f"evaluation:{config.seed}")  # noqa: S311 - not for secrets
    questions = _questions(split, curriculum, random)
    flat = [(kind, question) for kind, group in questions.items() for question in group]
    asked = yield from _ask("calibrating", decoder, [question for _, question in flat], stop)
    fit = _fitting(split, curriculum, config)
    abstention = fit(asked)
    answers = cross_fitted(fit, asked)
    judged = [
        Judged(kind, *both) for (kind, _), both in zip(flat, zip(asked, answers, strict=True), strict=True)
    ]
    sample = random.sample(split.trained, min(len(split.trained), config.evaluation_sample))
    again = yield from _ask("evaluating", decoder, known_questions(sample), stop)
    recalled = share(one.is_exact and is_answered(abstention, one) for one in again)
    return Measured(
        abstention,
        {
            "trained_recall": recalled,
            "trained_questions": len(again),
            **_metrics(judged),
            "threshold": abstention.threshold,
        },
    )


def _questions(split: Split, curriculum: Curriculum, random: Random) -> dict[str, list[Question]]:
    """What the abstention is fitted on, by kind; none of it was trained on."""
    lexicon, held_out = curriculum.lexicon, known_questions(split.held_out)
    drawn = [random.choice(split.trained) for _ in range(max(0, FEWEST - len(held_out)))]
    return {
        HELD_OUT: held_out,
        "reworded": reworded_questions(split.trained, lexicon, max(0, FEWEST - len(held_out)), random),
        "stray": stray_questions([*split.held_out, *drawn], lexicon, random),
        **unknown_questions(curriculum, random),
    }


def _fitting(
    split: Split, curriculum: Curriculum, config: EngineConfig
) -> Callable[[Sequence[Asked]], Abstention]:
    """A function that fits the abstention on asked questions."""
    # A held-out wording is an approved pair as well: its answer may be given.
    known = Known.of(split.known)
    bare = Abstention(0.0, fit_echo(split.known, curriculum.lexicon))

    def fit(asked: Sequence[Asked]) -> Abstention:
        fitted = calibrated(bare, known, asked)
        return replace(fitted, threshold=fit_threshold(fitted, asked, config.false_refusals))

    return fit


@dataclass(frozen=True)
class Judged:
    """A question of a kind, and what became of it."""

    kind: str
    asked: Asked
    answer: MemoryAnswer


def _metrics(judged: Sequence[Judged]) -> dict[str, Any]:
    """What the version page tells: held-out recall, and how well known and unknown are told apart."""
    held_out = [one for one in judged if one.kind == HELD_OUT]
    unknown = [one for one in judged if one.asked.expected is None]
    kinds = {
        kind: [one for one in unknown if one.kind == kind] for kind in sorted({one.kind for one in unknown})
    }
    confidences = [one.answer.confidence for one in held_out]
    return {
        "held_out_recall": share(one.asked.is_exact and one.answer.known for one in held_out),
        "held_out_questions": len(held_out),
        "false_refusal_rate": share(not one.answer.known for one in held_out),
        "false_answer_rate": share(one.answer.known for one in unknown),
        "false_answer_rate_by_kind": {
            kind: share(one.answer.known for one in group) for kind, group in kinds.items()
        },
        "auroc": auroc(confidences, [one.answer.confidence for one in unknown]),
        "auroc_by_kind": {
            kind: auroc(confidences, [one.answer.confidence for one in group])
            for kind, group in kinds.items()
        },
        "calibration": calibration_error(
            [one.answer.confidence for one in judged], [one.asked.is_exact for one in judged]
        ),
        "unknown_questions": len(unknown),
        "unknown_questions_by_kind": {kind: len(group) for kind, group in kinds.items()},
        "confidences": {HELD_OUT: histogram(confidences)}
        | {kind: histogram([one.answer.confidence for one in group]) for kind, group in kinds.items()},
    }


def _ask(
    phase: str, decoder: Decoder, questions: Sequence[Question], stop: Stop
) -> Generator[Event, None, list[Asked]]:
    """Put questions to the model, saying each second that the phase goes on. Answers in the questions' order."""
    yield Phase(phase)
    told = time.monotonic()
    asked = {}
    for place, one in ask(decoder, questions):
        asked[place] = one
        if stop():
            raise Interrupted(f"Stopped while {phase}; the same command goes on from there.")
        if time.monotonic() - told >= EVENT_SECONDS:
            told = time.monotonic()
            yield Phase(phase)
    return [asked[place] for place in range(len(questions))]
