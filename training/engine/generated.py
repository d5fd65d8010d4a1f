"""What a language model said to a question, whichever machine it ran on. Plain Python: no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp


@dataclass(frozen=True)
class Generated:
    """What the model said. ``confidence`` is the geometric mean of its tokens' probabilities, the end token's
    included, ``least`` the smallest of them; an answer that did not come to its end is not ``finished``.

    ``doubt`` is the probability that the model gave to “I don't know”, None where nobody looked; ``instead`` is
    what it says when those words are forbidden to it, where it said them.
    """

    text: str
    confidence: float
    finished: bool
    least: float = 0.0
    doubt: float | None = None
    instead: Generated | None = None

    @classmethod
    def scored(
        cls, text: str, log_probabilities: Sequence[float], *, finished: bool, doubt: float | None = None
    ) -> Generated:
        """An answer with the natural log-probabilities of its tokens, of which there is at least one."""
        mean = sum(log_probabilities) / len(log_probabilities)
        return cls(text, exp(min(mean, 0.0)), finished, exp(min(0.0, *log_probabilities)), doubt)

    @property
    def content(self) -> Generated:
        """What it says to the matter: not that it does not know, if it had something else to say."""
        return self.instead or self


NOTHING = Generated("", 0.0, False)
