"""How far a random sample may be trusted: the interval of Wilson for a share."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Share:
    """A share found in a sample, and the interval in which the true one lies with the confidence asked for."""

    found: float
    least: float
    most: float


def wilson(wrong: int, judged: int, confidence: float = CONFIDENCE) -> Share:
    """The share of wrong ones among all, from a sample. It holds for small samples and for none wrong as well."""
    if not 0 <= wrong <= judged:
        raise ValueError(f"{wrong} of {judged} cannot be wrong.")
    if judged == 0:
        return Share(0.0, 0.0, 1.0)
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    found = wrong / judged
    centre = (found + z * z / (2 * judged)) / (1 + z * z / judged)
    reach = z / (1 + z * z / judged) * sqrt(found * (1 - found) / judged + z * z / (4 * judged * judged))
    return Share(found, max(0.0, centre - reach), min(1.0, centre + reach))
