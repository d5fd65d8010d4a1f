"""What can go wrong in the engine, in words for people."""

from __future__ import annotations

from memosite.errors import Conflict, MemoError


class BadPairs(MemoError):
    """The pairs file cannot be trained on."""

    code = "bad_pairs"


class BadConfig(MemoError):
    """The configuration is not understood."""

    code = "bad_config"


class BadBase(MemoError):
    """The base cannot be loaded, or cannot be trained as a MEMORY."""

    code = "bad_base"


class NoSpace(MemoError):
    """The disk has no room for what the training will write."""

    code = "no_space"


class BadArtifact(MemoError):
    """A model folder is incomplete, altered, or not one of ours."""

    code = "bad_artifact"


class OtherTraining(Conflict):
    """The output folder holds a training on other pairs or with another configuration."""

    code = "other_training"


class Busy(Conflict):
    """Another process writes to the folder."""

    code = "busy"


class Unwritable(MemoError):
    """The output folder cannot be made."""

    code = "unwritable"


class Interrupted(MemoError):
    """Training was asked to stop; its state is saved and the same command goes on from there."""

    code = "interrupted"
