"""Two versions side by side: how they were made, how good they are, and which pairs only one of them learned."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from django.db.models import QuerySet

from knowledge.figures import duration
from training.figures import METRICS, plain
from training.models import MemoryVersion, TrainedPair

MORE, LESS = 1, -1
#: Whether more or less of a metric is better. The others (sizes, seconds, a loss on other data) are told without.
BETTER = {
    "trained_recall": MORE,
    "recall": MORE,
    "held_out_recall": MORE,
    "auroc": MORE,
    "false_answer_rate": LESS,
    "false_refusal_rate": LESS,
    "calibration": LESS,
}


@dataclass(frozen=True)
class Line:
    """A fact about both versions, in words. ``better`` is "a" or "b" where one is better."""

    name: str
    label: str
    a: str
    b: str
    difference: str = ""
    better: str = ""

    @property
    def differs(self) -> bool:
        return self.a != self.b


def lineage_lines(a: MemoryVersion, b: MemoryVersion, person: Any) -> list[Line]:
    """How each came to be."""
    return [Line(name, label, told(a, person), told(b, person)) for name, (label, told) in LINEAGE.items()]


def _parents(version: MemoryVersion, person: Any) -> str:
    return ", ".join(str(parent) for parent in version.parents.for_reader(person)) or "none"


def _figure(value: int | None, words: str = "") -> str:
    return f"{value:,}{words}" if value is not None else "not recorded"


LINEAGE: dict[str, tuple[str, Callable[[MemoryVersion, Any], str]]] = {
    "kind": ("Kind", lambda version, _: version.get_kind_display()),
    "corpora": ("Learned from", lambda version, _: ", ".join(str(row) for row in version.corpora.all())),
    "parents": ("Parents", _parents),
    "base": ("Base", lambda version, _: version.base),
    "licence": ("Licence of the base", lambda version, _: version.licence or "not recorded"),
    "method": ("Method", lambda version, _: version.method),
    "code_version": ("Code", lambda version, _: version.code_version or "not recorded"),
    "parameters": ("Parameters", lambda version, _: _figure(version.parameters)),
    "size_bytes": ("Size on disk", lambda version, _: _figure(version.size_bytes, " bytes")),
    "seconds": (
        "Training time",
        lambda version, _: duration(version.metrics.get("seconds")) or "not recorded",
    ),
    "data_sha256": ("Pairs, SHA-256", lambda version, _: version.data_sha256[:16] or "not recorded"),
    "sha256": ("Artifact, SHA-256", lambda version, _: version.sha256[:16]),
}


def config_lines(a: MemoryVersion, b: MemoryVersion) -> list[Line]:
    """Every key of either configuration; ``differs`` tells those that matter."""
    first, second = flat(a.config), flat(b.config)
    return [
        Line(key, key, _value(first, key), _value(second, key)) for key in dict.fromkeys((*first, *second))
    ]


def flat(config: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """A configuration with nested keys written as ``outer.inner``."""
    found: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, dict):
            found |= flat(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = value
    return found


def _value(config: dict[str, Any], key: str) -> str:
    return plain(config[key]) if key in config else "–"


def metric_lines(a: MemoryVersion, b: MemoryVersion) -> list[Line]:
    """The metrics that either has, with the difference from a to b and which of them is better."""
    names = dict.fromkeys((*METRICS, *a.metrics, *b.metrics))
    return [
        _metric_line(name, a.metrics.get(name), b.metrics.get(name)) for name in names if _is_told(name, a, b)
    ]


def _is_told(name: str, *versions: MemoryVersion) -> bool:
    return any(_is_number(version.metrics.get(name)) for version in versions)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _metric_line(name: str, a: Any, b: Any) -> Line:
    label, worded, _ = METRICS.get(name, (name.replace("_", " ").capitalize(), plain, ""))
    first, second = (worded(value) if _is_number(value) else "–" for value in (a, b))
    if not (_is_number(a) and _is_number(b)):
        return Line(name, label, first, second)
    gain = (b - a) * BETTER.get(name, 0)
    better = "" if not gain else "b" if gain > 0 else "a"
    return Line(name, label, first, second, _difference(name, b - a), better)


def _difference(name: str, change: float) -> str:
    if not change:
        return "same"
    sign = "+" if change > 0 else "−"
    if name in BETTER:
        return f"{sign}{abs(change) * 100:.1f} points"
    _, worded, _ = METRICS.get(name, ("", plain, ""))
    return f"{sign}{worded(abs(change))}"


# --- Pairs -------------------------------------------------------------------------------------------------
CHANGES = ("added", "removed", "changed")


class PairChanges:
    """What b was given that a was not, what it lacks, and which questions it answers otherwise.

    Pairs are the same where their digests are. The database compares sets, and only the keys of pairs that differ
    are loaded; the words are loaded for the pairs that are shown. All conditions are of the form "is in", which
    every database answers by hashing or sorting both sides once.
    """

    def __init__(self, a: MemoryVersion, b: MemoryVersion) -> None:
        self._only_a, self._only_b = _only(a, b), _only(b, a)

    @cached_property
    def keys(self) -> dict[str, list[int]]:
        """For each of CHANGES the keys of its pairs, in their order of training."""
        changed = _keys(self._only_b.filter(question__in=_questions(self._only_a)))
        changed_in_a = _keys(self._only_a.filter(question__in=_questions(self._only_b)))
        return {
            "added": _without(_keys(self._only_b), changed),
            "removed": _without(_keys(self._only_a), changed_in_a),
            "changed": changed,
        }

    def counts(self) -> dict[str, int]:
        """How many there are of each."""
        return {change: len(keys) for change, keys in self.keys.items()}

    def pairs(self, keys: Iterable[int]) -> list[ChangedPair]:
        """Some of the pairs, each with what a answers to the question, if it is asked there."""
        shown = TrainedPair.objects.filter(pk__in=list(keys)).order_by("pk")
        asked = self._only_a.filter(question__in=[row.question for row in shown])
        earlier = dict(asked.values_list("question", "answer"))
        return [ChangedPair(row.question, row.answer, earlier.get(row.question, "")) for row in shown]


@dataclass(frozen=True)
class ChangedPair:
    """A pair that differs; ``earlier`` is the other version's answer where the question is the same."""

    question: str
    answer: str
    earlier: str

    def as_dict(self) -> dict[str, str]:
        return asdict(self)


def _only(one: MemoryVersion, other: MemoryVersion) -> QuerySet[TrainedPair]:
    """Pairs of the one whose digests the other does not have."""
    digests = [TrainedPair.objects.filter(version=row).order_by().values("digest") for row in (one, other)]
    return TrainedPair.objects.filter(version=one, digest__in=digests[0].difference(digests[1]))


def _keys(pairs: QuerySet[TrainedPair]) -> list[int]:
    return list(pairs.order_by("pk").values_list("pk", flat=True))


def _without(keys: list[int], others: list[int]) -> list[int]:
    left_out = set(others)
    return [key for key in keys if key not in left_out]


def _questions(pairs: QuerySet[TrainedPair]) -> QuerySet[Any]:
    return pairs.order_by().values("question")
