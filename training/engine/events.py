"""What the engine says while it works: one event is one JSON object on one line of standard output."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

EVENT_SECONDS = 1.0  # between two looks at long work


@dataclass(frozen=True)
class Event:
    """Base of all events; ``as_dict`` adds the name under the key ``event`` and leaves out what is None."""

    name: ClassVar[str]

    def as_dict(self) -> dict[str, Any]:
        return {"event": self.name} | {key: value for key, value in asdict(self).items() if value is not None}


@dataclass(frozen=True)
class Started(Event):
    """Sizes, once they are known. ``left_out`` pairs repeat a question with another answer; ``steps`` is the most
    that will be made, training may end sooner."""

    name: ClassVar[str] = "started"
    facts: int
    pairs: int
    held_out: int
    left_out: int
    parameters: int
    steps: int
    trained_parameters: int | None = None
    processes: int | None = None
    base: dict[str, str] | None = None
    resumed_at: int | None = None


@dataclass(frozen=True)
class Skipped(Event):
    """Pairs that are not trained on, by their ids: longer than ``max_tokens``, the configuration's limit."""

    name: ClassVar[str] = "skipped"
    ids: tuple[str, ...]
    max_tokens: int


@dataclass(frozen=True)
class Phase(Event):
    """A new phase: preparing, training, calibrating, evaluating, saving. Repeated while a phase goes on."""

    name: ClassVar[str] = "phase"
    phase: str


@dataclass(frozen=True)
class Alive(Event):
    """A sign of life while nothing else is to be said."""

    name: ClassVar[str] = "alive"


@dataclass(frozen=True)
class Progress(Event):
    """One look at the training. ``recall`` values lie in [0, 1] and are there only when just measured."""

    name: ClassVar[str] = "progress"
    step: int
    steps: int
    epoch: int
    loss: float
    seconds: float
    seconds_left: float
    tokens_per_second: float
    recall: float | None = None
    held_out_recall: float | None = None
    reworded_recall: float | None = None


@dataclass(frozen=True)
class Done(Event):
    """The artifact is complete."""

    name: ClassVar[str] = "done"
    manifest: dict[str, Any]


@dataclass(frozen=True)
class Forgotten(Event):
    """What a MEMORY that goes on from another recalls of that one's pairs, ``before`` and ``after``."""

    name: ClassVar[str] = "forgotten"
    result: dict[str, Any]


@dataclass(frozen=True)
class Fitted(Event):
    """When a MEMORY is to abstain, and its figures, as the manifest has them."""

    name: ClassVar[str] = "fitted"
    abstention: dict[str, Any]
    metrics: dict[str, Any]


@dataclass(frozen=True)
class Failed(Event):
    """The work ended with an error that a person can read."""

    name: ClassVar[str] = "error"
    message: str
    code: str
