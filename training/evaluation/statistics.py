"""How sure figures are: bootstrap intervals of means, and whether two contestants really differ.

Intervals and tests are those of Efron and Tibshirani, *An Introduction to the Bootstrap* (1993), chapters 13 and
15; the adjustment for many comparisons is that of Holm, *A simple sequentially rejective multiple test procedure*
(1979).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

CONFIDENCE = 0.95
RESAMPLES = 2000
FLIPS = 10_000  # the smallest p that can be found is one of so many
AT_A_TIME = 1_000_000  # numbers that are held in memory
ROUNDING = 1e-9


@dataclass(frozen=True)
class Interval:
    """The 95 % interval of a mean."""

    low: float
    high: float


@dataclass(frozen=True)
class Paired:
    """The mean ``difference`` of two contestants over the same questions, with its 95 % interval.

    ``p`` is the two-sided chance of a difference as large if it made no difference who answered.
    """

    difference: float
    low: float
    high: float
    p: float


def bootstrap_interval(values: Sequence[float], *, seed: int = 0, resamples: int = RESAMPLES) -> Interval:
    """The percentile bootstrap interval of the mean; a point where all values are the same.

    Raises ValueError where there is no value.
    """
    if not len(values):
        raise ValueError("A mean of no values has no interval.")
    ordered = np.sort(np.asarray(values, dtype=float))  # so that it does not matter in which order they come
    means = _resampled_means(ordered, np.random.default_rng(seed), resamples)
    outside = (1 - CONFIDENCE) / 2
    low, high = np.quantile(means, [outside, 1 - outside])
    return Interval(float(low), float(high))


def paired(a: Sequence[float], b: Sequence[float], *, seed: int = 0, resamples: int = RESAMPLES) -> Paired:
    """How much better ``a`` scored than ``b``, question by question.

    Raises ValueError where they were not asked the same number of questions, or none.
    """
    if len(a) != len(b):
        raise ValueError(f"The contestants answered {len(a)} and {len(b)} questions, not the same ones.")
    differences = np.asarray(a, dtype=float) - np.asarray(b, dtype=float)
    interval = bootstrap_interval(differences.tolist(), seed=seed, resamples=resamples)
    p = _sign_flip_p(differences, np.random.default_rng(seed))
    return Paired(float(differences.mean()), interval.low, interval.high, p)


def holm(ps: Sequence[float]) -> list[float]:
    """The p of each of several comparisons, adjusted for their number (Holm 1979), in the same order.

    Of so many that make no difference, one is found below 0.05 by chance in a twentieth of all cases at most.
    """
    adjusted, least = [1.0] * len(ps), 0.0
    for rank, place in enumerate(sorted(range(len(ps)), key=lambda place: ps[place])):
        least = max(least, min(1.0, (len(ps) - rank) * ps[place]))
        adjusted[place] = least
    return adjusted


def _resampled_means(values: Any, random: np.random.Generator, resamples: int) -> Any:
    """Means of samples drawn with replacement, each as large as what they are drawn from."""
    size = len(values)
    drawn = [
        values[random.integers(0, size, (rows, size))].mean(axis=1) for rows in _batches(resamples, size)
    ]
    return np.concatenate(drawn)


def _sign_flip_p(differences: Any, random: np.random.Generator) -> float:
    """The share of random sign flips whose sum is as far from nought as the sum found, itself counted as one."""
    found = abs(float(differences.sum()))
    sizes = np.sort(np.abs(differences[differences != 0]))
    as_far = 1
    for rows in _batches(FLIPS - 1, len(sizes)):
        positive = random.integers(0, 2, (rows, len(sizes)), dtype=np.int8)
        sums = 2 * (positive @ sizes) - sizes.sum()
        as_far += int((np.abs(sums) >= found - ROUNDING).sum())
    return as_far / FLIPS


def _batches(rows: int, width: int) -> Iterator[int]:
    """How many rows of so many numbers are made at a time, until all are."""
    step = max(1, AT_A_TIME // max(1, width))
    return (min(step, rows - start) for start in range(0, rows, step))
