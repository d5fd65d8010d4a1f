"""How sure figures are: bootstrap intervals of means, and whether two contestants really differ.

Both methods are those of Efron and Tibshirani, *An Introduction to the Bootstrap* (1993), chapters 13 and 15. They
draw how often each distinct value comes up instead of one value after the other, which is the same lot: most
scores are nought or one, so a resample of thousands of questions takes a handful of numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

CONFIDENCE = 0.95
RESAMPLES = 2000
FLIPS = 10_000  # the smallest p that can be found is one of so many
AT_A_TIME = 1_000_000  # numbers that are held in memory
ROUNDING = 1e-12


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
    distinct, counts = np.unique(np.asarray(values, dtype=float), return_counts=True)
    means = _resampled_means(distinct, counts, np.random.default_rng(seed), resamples)
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


def _resampled_means(distinct: Any, counts: Any, random: np.random.Generator, resamples: int) -> Any:
    """Means of samples drawn with replacement, each as large as what they are drawn from."""
    size = int(counts.sum())
    step = max(1, AT_A_TIME // len(distinct))
    batches = (min(step, resamples - start) for start in range(0, resamples, step))
    drawn = [random.multinomial(size, counts / size, size=batch) @ distinct / size for batch in batches]
    return np.concatenate(drawn)


def _sign_flip_p(differences: Any, random: np.random.Generator) -> float:
    """The share of random sign flips whose sum is as far from nought as the sum found, itself counted as one."""
    found = abs(float(differences.sum()))
    sizes, counts = np.unique(np.abs(differences[differences != 0]), return_counts=True)
    step = max(1, AT_A_TIME // max(1, len(sizes)))
    as_far = 1
    for start in range(0, FLIPS - 1, step):
        batch = min(step, FLIPS - 1 - start)
        positive = random.binomial(counts, 0.5, size=(batch, len(sizes)))
        as_far += int((np.abs((2 * positive - counts) @ sizes) >= found - ROUNDING).sum())
    return as_far / FLIPS
