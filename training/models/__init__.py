"""What the training app stores: bases, memory versions with their aliases, runs, evaluations and gates."""

from training.models.bases import BaseModel, BaseSource
from training.models.evaluation import (
    AskedQuestion,
    EvaluationAnswer,
    EvaluationContestant,
    EvaluationQuestion,
    EvaluationRun,
    EvaluationSet,
    SetSource,
)
from training.models.gates import Approval, ForgottenDocument, GateCheck, GateRules
from training.models.probes import ProbeRun, Purpose, Recollection, question_digest
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
    "Approval",
    "AskedQuestion",
    "BaseModel",
    "BaseSource",
    "DeletedVersion",
    "EvaluationAnswer",
    "EvaluationContestant",
    "EvaluationQuestion",
    "EvaluationRun",
    "EvaluationSet",
    "ForgottenDocument",
    "GateCheck",
    "GateRules",
    "MemoryVersion",
    "MergeRun",
    "ProbeRun",
    "Purpose",
    "Recollection",
    "ServedVersion",
    "SetSource",
    "TrainedPair",
    "TrainingRun",
    "VersionKind",
    "pair_digest",
    "question_digest",
]
