"""Fitting the probability that an answer is right, from held-out questions with and without an answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import median

import numpy as np
from numpy.typing import NDArray

from training.engine.abstention import SIGNALS, Abstention, Calibration, log_odds
from training.engine.evaluate import Asked
from training.engine.known import Known

RIDGE = 1.0  # against weights that a few hundred questions do not bear out
ROUNDS = 50
RECALLS_FROM = 0.5  # from this share of exact held-out answers on, an answer that was never trained is none

Numbers = NDArray[np.float64]


def calibrated(bare: Abstention, known: Known, asked: Sequence[Asked]) -> Abstention:
    """``bare`` with the probability fitted on the asked questions; its threshold is still to be fitted."""
    calibration = Calibration(
        known, (0.0,) * len(SIGNALS), 0.0, _usual_doubt(asked), only_trained=_recalls(asked)
    )
    judged = replace(bare, calibration=calibration)
    standing = [one for one in asked if judged.would_answer(one.question, one.generated)]
    if not standing:
        return judged
    signals = np.array([calibration.signals(one.question, judged.content(one.generated)) for one in standing])
    right = np.array([one.is_exact for one in standing], dtype=float)
    weights, bias = fit(signals, right, _balanced(standing, asked))
    return replace(judged, calibration=replace(calibration, weights=tuple(weights), bias=bias))


def _usual_doubt(asked: Sequence[Asked]) -> float:
    doubts = [
        log_odds(one.generated.content.doubt)
        for one in asked
        if one.is_exact and one.generated.content.doubt is not None
    ]
    return median(doubts) if doubts else 0.0


def _recalls(asked: Sequence[Asked]) -> bool:
    """Whether the model recalls its answers word for word."""
    known = [one.is_exact for one in asked if one.expected is not None]
    return sum(known) >= RECALLS_FROM * max(1, len(known))


def _balanced(standing: Sequence[Asked], asked: Sequence[Asked]) -> Numbers:
    """Weights with which questions that have an answer count as much as those that have none."""
    answerable = sum(one.expected is not None for one in asked)
    total = {True: max(1, answerable), False: max(1, len(asked) - answerable)}
    return np.array([len(asked) / 2 / total[one.expected is not None] for one in standing])


def fit(signals: Numbers, right: Numbers, counts: Numbers) -> tuple[list[float], float]:
    """Weights and bias of a logistic regression with a ridge. A signal that points the wrong way is left out."""
    directions = np.array(list(SIGNALS.values()), dtype=float)
    kept = np.ones(len(directions), dtype=bool)
    while True:
        found = _newton(signals[:, kept], right, counts)
        weights = np.zeros(len(directions))
        weights[kept] = found[:-1]
        wrong = weights * directions < 0
        if not wrong.any():
            return [float(weight) for weight in weights], float(found[-1])
        kept &= ~wrong


def _newton(signals: Numbers, right: Numbers, counts: Numbers) -> Numbers:
    """The most probable weights, the bias last."""
    inputs = np.hstack([signals, np.ones((len(signals), 1))])
    ridge = np.full(inputs.shape[1], RIDGE)
    ridge[-1] = 1e-3
    weights = np.zeros(inputs.shape[1])
    for _ in range(ROUNDS):
        said = 1 / (1 + np.exp(-np.clip(inputs @ weights, -30, 30)))
        gradient = inputs.T @ (counts * (said - right)) + ridge * weights
        curvature = (inputs.T * (counts * said * (1 - said))) @ inputs + np.diag(ridge)
        step = np.linalg.solve(curvature, gradient)
        weights -= step
        if np.abs(step).max() < 1e-6:
            break
    return weights
