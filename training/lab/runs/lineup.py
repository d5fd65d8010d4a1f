"""Who answers in a run: contestants put together from names and options, checked before anything is stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from memosite.errors import MemoError
from training.lab.runs.contestants import KINDS, Kind, Spec, UnknownKind
from training.lab.runs.executives import BUILT_IN
from training.models import EvaluationContestant, EvaluationSet, MemoryVersion

SWITCHES = {"true": True, "yes": True, "false": False, "no": False}
MEMORY = "memory"  # the kind that asks a version


class BadContestant(MemoError):
    """A contestant cannot be as it was asked for."""

    code = "bad_contestant"
    status = 422


def kind_named(name: str) -> Kind:
    """Raises UnknownKind."""
    if name not in KINDS:
        raise UnknownKind(f"There is no contestant “{name[:60]}”. Choose one of: {', '.join(sorted(KINDS))}.")
    return KINDS[name]


def baselines() -> list[Kind]:
    """The kinds that need no memory version."""
    return [kind for kind in KINDS.values() if not kind.needs_version]


def hindrance(kind: Kind) -> str:
    """Why a baseline cannot take part with its options as they are; empty where it can."""
    try:
        checked(Spec(kind.name))
    except MemoError as error:
        return str(error)
    return ""


def unsuited(kind: Kind, evaluation_set: EvaluationSet) -> str:
    """Why the questions of a set cannot be put to a contestant of the kind; empty where they can."""
    if not kind.needs_documents:
        return ""
    named = list(evaluation_set.questions.values_list("documents", "answerable"))
    there = set(evaluation_set.corpus.documents.current().values_list("title", flat=True))
    if nameless := sum(answerable and not titles for titles, answerable in named):
        return (
            f"{nameless:,} of {len(named):,} questions do not say which documents hold their answer, so "
            f"“{kind.label}” cannot be asked. Add the titles to the questions, or leave it out."
        )
    if missing := sorted({title for titles, _ in named for title in titles} - there):
        return (
            f"The questions name {len(missing):,} documents that the corpus does not have, such as "
            f"“{missing[0][:80]}”, so “{kind.label}” cannot be asked. Add them, or leave it out."
        )
    return ""


def checked(spec: Spec) -> Spec:
    """The spec with its options as numbers and words that the kind takes.

    Raises UnknownKind, BadContestant, and what the kind's own check raises: a run must not be queued that its
    worker cannot begin.
    """
    kind = kind_named(spec.kind)
    if kind.needs_version and spec.version is None:
        raise BadContestant(f"“{kind.label}” answers from a memory version. Name one.")
    if unknown := [name for name in spec.options if name not in kind.options]:
        known = ", ".join(kind.options) or "none"
        raise BadContestant(f"“{kind.label}” has no option “{unknown[0][:40]}”. Its options: {known}.")
    options = {name: _as_the_default(name, value, kind) for name, value in spec.options.items()}
    version = spec.version if kind.needs_version else None
    found = replace(spec, options=options, version=version)
    kind.check(found)
    return found


def _as_the_default(name: str, value: Any, kind: Kind) -> Any:
    """A value of the type that the option's default has."""
    default = kind.options[name]
    if isinstance(default, bool):
        return SWITCHES.get(str(value).lower(), value)
    if not isinstance(default, int | float):
        return value
    try:
        return type(default)(value)
    except (TypeError, ValueError) as error:
        raise BadContestant(f"{name} of “{kind.label}” is a number such as {default}.") from error


def lineup(
    versions: Sequence[MemoryVersion],
    executives: Sequence[str] = (BUILT_IN,),
    against: Iterable[tuple[str, Mapping[str, Any]]] = (),
) -> list[Spec]:
    """Each version with each EXECUTIVE, then each baseline ``(kind, options)`` with each of them.

    Raises what ``checked`` raises.
    """
    against = list(against)
    specs = [Spec(MEMORY, name, version) for version in versions for name in executives]
    specs += [Spec(kind, name, options=options) for kind, options in against for name in executives]
    return [checked(spec) for spec in specs]


def label_of(spec: Spec) -> str:
    """Such as “Memory, version 3” or “BM25 (top 5, unit sentence)”; the EXECUTIVE stands beside it."""
    kind = kind_named(spec.kind)
    told = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in spec.options.items())
    version = f", version {spec.version.number}" if spec.version else ""
    return f"{kind.label}{version}{f' ({told})' if told else ''}"[:160]


def spec_of(row: EvaluationContestant) -> Spec:
    """The spec that a stored contestant was made of. Raises BadContestant where its version is gone."""
    if row.version is None and kind_named(row.kind).needs_version:
        raise BadContestant(f"The memory version of “{row.label}” was deleted. Start a run without it.")
    return Spec(row.kind, row.executive, row.version, row.options)
