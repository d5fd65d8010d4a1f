"""What a MEMORY says, held against the answers that are right: recall by passage, and changes between two."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from training.engine.pairs import normalised

#: Where a passage is weak unless somebody says otherwise: the share of its probes answered right.
WEAK_BELOW = 0.8
LEVELS = 5  # of recall, for colours beside the numbers


@dataclass(frozen=True)
class Said:
    """What a MEMORY says to a question; ``known`` is false where it abstains."""

    text: str
    known: bool

    def is_right(self, accepted: Collection[str]) -> bool:
        """Whether it is one of the accepted answers, white space and case apart, as recall is measured."""
        return self.known and normalised(self.text) in {normalised(each) for each in accepted}


@dataclass(frozen=True)
class Tally:
    """How many probes were answered, and how many of the answers are right."""

    asked: int = 0
    right: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.asked + other.asked, self.right + other.right)

    @property
    def recall(self) -> float | None:
        """The share answered right; None where nothing was asked."""
        return self.right / self.asked if self.asked else None

    @property
    def level(self) -> int | None:
        """The recall in one of ``LEVELS`` steps, 1 the lowest."""
        return None if self.recall is None else min(LEVELS, int(self.recall * LEVELS) + 1)


class Change(StrEnum):
    """What became of a question from one version to the next."""

    LEARNED = "learned"  # right now, and not before
    FORGOTTEN = "forgotten"  # right before, and not now
    OUTDATED = "outdated"  # still what the first was taught, though the second was taught otherwise
    CHANGED = "changed"  # each right by its own pairs, and not the same
    KEPT = "kept"
    NEITHER = "neither"


def change_between(
    before: Said, after: Said, taught_before: Collection[str], taught_after: Collection[str]
) -> Change:
    """What became of a question. For each version is right what it was taught; if nothing, what the other was.

    So a correction that was taught and did not arrive is no answer that was kept.
    """
    was = before.is_right(taught_before or taught_after)
    now = after.is_right(taught_after or taught_before)
    if was and now:
        same = normalised(before.text) == normalised(after.text)
        return Change.KEPT if same else Change.CHANGED
    if now:
        return Change.LEARNED
    if after.is_right(taught_before):
        return Change.OUTDATED
    return Change.FORGOTTEN if was else Change.NEITHER
