"""What the training app stores: bases, memory versions with their aliases, and runs."""

from training.models.bases import BaseModel, BaseSource
from training.models.runs import MergeRun, TrainingRun
from training.models.versions import (
    ALIASES,
    CANDIDATE,
    LIVE,
    Alias,
    AliasMove,
    DeletedVersion,
    MemoryVersion,
    ServedVersion,
    TrainedPair,
    VersionKind,
    pair_digest,
)

__all__ = [
    "ALIASES",
    "CANDIDATE",
    "LIVE",
    "Alias",
    "AliasMove",
    "BaseModel",
    "BaseSource",
    "DeletedVersion",
    "MemoryVersion",
    "MergeRun",
    "ServedVersion",
    "TrainedPair",
    "TrainingRun",
    "VersionKind",
    "pair_digest",
]
