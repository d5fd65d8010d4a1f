"""The entities that a question may be about, ranked by what MEMORY said for and against them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from chat.protocol.events import CandidateShown, CandidateStatus
from chat.protocol.mentions import missing_mentions

#: So many "I don't know" in a row about a candidate move it behind the others, and rule it out.
DEMOTED_AFTER, ELIMINATED_AFTER = 2, 3
_ORDER: tuple[CandidateStatus, ...] = ("confirmed", "open", "demoted", "eliminated")


@dataclass(frozen=True)
class Candidate:
    """An entity in play; the fields are those of ``CandidateShown``."""

    name: str
    status: CandidateStatus = "open"
    supporting: tuple[int, ...] = ()
    disqualifying: tuple[int, ...] = ()
    unknowns: int = 0
    note: str = ""

    @property
    def is_in_play(self) -> bool:
        return self.status != "eliminated"

    def shown(self) -> CandidateShown:
        return CandidateShown(
            name=self.name,
            status=self.status,
            supporting=list(self.supporting),
            disqualifying=list(self.disqualifying),
            unknowns=self.unknowns,
            note=self.note,
        )


class Asked(Protocol):
    """What the ranking looks at in an exchange."""

    @property
    def index(self) -> int: ...
    @property
    def question(self) -> str: ...
    @property
    def known(self) -> bool: ...


def named(names: Iterable[str]) -> tuple[Candidate, ...]:
    """Candidates of which nothing but their order is known."""
    return tuple(Candidate(name) for name in dict.fromkeys(names))


def ranked(
    proposed: Iterable[Candidate], before: Sequence[Candidate], exchanges: Sequence[Asked]
) -> tuple[Candidate, ...]:
    """The new ranking: as proposed, but for what MEMORY's silence says.

    Evidence that names no known exchange is left out. Candidates that are no longer proposed stay behind those
    that are, and one that was eliminated comes back only with an answer in its favour that is new.
    """
    known = {exchange.index for exchange in exchanges if exchange.known}
    earlier = {candidate.name.casefold(): candidate for candidate in before}
    by_name: dict[str, Candidate] = {}
    for candidate in (*proposed, *before):
        name = candidate.name.casefold()
        if name not in by_name:
            by_name[name] = _weighed(candidate, earlier.get(name), known, exchanges)
    return tuple(sorted(by_name.values(), key=lambda candidate: _ORDER.index(candidate.status)))


def _weighed(
    candidate: Candidate, before: Candidate | None, known: set[int], exchanges: Sequence[Asked]
) -> Candidate:
    supporting = tuple(index for index in candidate.supporting if index in known)
    disqualifying = tuple(index for index in candidate.disqualifying if index in known)
    unknowns = unknowns_in_a_row(candidate.name, exchanges)
    is_back = before is not None and not before.is_in_play and set(supporting) <= set(before.supporting)
    status: CandidateStatus = candidate.status
    if is_back or unknowns >= ELIMINATED_AFTER or (disqualifying and not supporting):
        status = "eliminated"
    elif unknowns >= DEMOTED_AFTER:
        status = "demoted"
    elif status == "demoted" or (status == "confirmed" and not supporting):
        status = "open"
    return replace(
        candidate, status=status, supporting=supporting, disqualifying=disqualifying, unknowns=unknowns
    )


def unknowns_in_a_row(name: str, exchanges: Sequence[Asked]) -> int:
    """How many of the last questions that name the candidate MEMORY did not know, up to the last it knew."""
    streak = 0
    for exchange in exchanges:
        if not missing_mentions(exchange.question, exchange.question, (name,)):
            streak = 0 if exchange.known else streak + 1
    return streak
