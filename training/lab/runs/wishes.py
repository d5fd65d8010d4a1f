"""An evaluation as people ask for it on the page, by REST and on the command line: by names and numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from knowledge.models import Corpus, Role
from memosite.models import Endpoint, EndpointRole
from training.audience import live_for, open_versions
from training.lab.runs.executives import default_of, offered
from training.lab.runs.lineup import baselines, hindrance, lineup, unsuited
from training.lab.runs.running import BadEvaluation, Noise, start_evaluation
from training.models import EvaluationRun, EvaluationSet, MemoryVersion

NOISE_LEVELS = (1.0, 3.0)  # as in the paper's table


@dataclass(frozen=True)
class Wishes:
    """What is to be asked of whom.

    ``versions`` are numbers; None means the live version, or the newest where none is live. Without ``executives``
    that one leads which leads people's questions where nobody chose another. ``against`` names
    baselines, each with options or without: ``bm25`` or ``bm25:top=5,unit=sentence``. ``noise`` are multiples of
    the corpus's documents, and ``noisy`` says which version learned the distractors of a level.
    """

    evaluation_set: str = ""
    versions: Sequence[int] | None = None
    executives: Sequence[str] = ()
    against: Sequence[str] = ()
    noise: Sequence[float] = (0.0,)
    distractors: str = ""
    noisy: Mapping[float, int] = field(default_factory=dict)
    judge: str = ""
    is_fresh: bool = False
    title: str = ""


def start(corpus: Corpus, person: Any, wishes: Wishes) -> EvaluationRun:
    """Queue the evaluation. Raises what ``start_evaluation`` raises, and BadEvaluation for a name of nothing."""
    if person is not None:
        corpus.require(person, Role.CURATOR)
    versions = _versions(corpus, person, wishes.versions)
    specs = lineup(
        versions,
        list(dict.fromkeys(wishes.executives)) or [default_of([corpus], versions)],
        [parse_baseline(text) for text in dict.fromkeys(wishes.against)],
    )
    noise = Noise(
        tuple(sorted({0.0, *wishes.noise})) if wishes.noise else (0.0,),
        _distractors(person, wishes.distractors) if wishes.distractors else None,
        {level: _version(corpus, person, number) for level, number in wishes.noisy.items()},
    )
    return start_evaluation(
        set_named(corpus, wishes.evaluation_set),
        specs,
        person,
        noise=noise,
        judge=_judge(wishes.judge) if wishes.judge else None,
        is_fresh=wishes.is_fresh,
        title=wishes.title,
    )


# --- Names -----------------------------------------------------------------------------------------------------
def set_named(corpus: Corpus, name: str) -> EvaluationSet:
    """The set of that name. Raises BadEvaluation."""
    found = corpus.evaluation_sets.filter(name=name).first()
    if found is None:
        known = ", ".join(f"“{row}”" for row in corpus.evaluation_sets.all()[:10])
        there = f"There are {known}." if known else "There is none yet: make one first."
        told = f"“{corpus}” has no evaluation set “{name[:80]}”." if name else "Choose an evaluation set."
        raise BadEvaluation(f"{told} {there}")
    return found


def _open(corpus: Corpus, person: Any) -> Any:
    return open_versions(corpus, person) if person is not None else corpus.versions.select_related("corpus")


def default_version(corpus: Corpus, person: Any) -> MemoryVersion | None:
    """The live version, or the newest, as far as the person may ask them."""
    if person is None:
        live = MemoryVersion.objects.live_in(corpus).first()
    else:
        live, _ = live_for(corpus, person)
    newest: MemoryVersion | None = live or _open(corpus, person).order_by("-number").first()
    return newest


def _versions(corpus: Corpus, person: Any, numbers: Sequence[int] | None) -> list[MemoryVersion]:
    if numbers is None:
        default = default_version(corpus, person)
        return [default] if default else []
    return [_version(corpus, person, number) for number in dict.fromkeys(numbers)]


def _version(corpus: Corpus, person: Any, number: int) -> MemoryVersion:
    found: MemoryVersion | None = _open(corpus, person).filter(number=number).first()
    if found is None:
        raise BadEvaluation(f"“{corpus}” has no version {number} that you may ask.")
    return found


def _distractors(person: Any, slug: str) -> Corpus:
    readable = Corpus.objects.for_role(person, Role.READER) if person is not None else Corpus.objects.all()
    found = readable.filter(slug=slug).first()
    if found is None:
        raise BadEvaluation(f"There is no corpus “{slug[:60]}” to take the noise from.")
    return found


def _judge(name: str) -> Endpoint:
    judges = Endpoint.objects.filter(role=EndpointRole.JUDGE)
    found = judges.filter(name=name).first()
    if found is None:
        known = ", ".join(str(row) for row in judges) or "none; an administrator adds one in the admin"
        raise BadEvaluation(f"There is no judge “{name[:60]}”. Known: {known}.")
    return found


def parse_baseline(text: str) -> tuple[str, dict[str, Any]]:
    """``bm25:top=5,unit=sentence`` as a kind and its options. Raises BadEvaluation."""
    kind, _, rest = text.partition(":")
    options = {}
    for part in filter(None, (each.strip() for each in rest.split(","))):
        name, equals, value = (each.strip() for each in part.partition("="))
        if not equals or not name:
            raise BadEvaluation(f"“{part[:40]}” is no option. Write NAME=VALUE, for example top=5.")
        options[name] = value
    return kind.strip(), options


def baseline_in_words(kind: str, options: Mapping[str, Any]) -> str:
    """What ``parse_baseline`` takes."""
    told = ",".join(f"{name}={value}" for name, value in options.items())
    return f"{kind}:{told}" if told else kind


def level_of(text: str) -> float:
    """A level of noise. Raises BadEvaluation."""
    try:
        level = float(text)
    except ValueError as error:
        raise BadEvaluation(f"“{text[:20]}” is no level of noise. Give a number such as 1 or 3.") from error
    if not math.isfinite(level):
        raise BadEvaluation("A level of noise is a number such as 1 or 3.")
    return level


# --- What to begin with ----------------------------------------------------------------------------------------
def suggested(corpus: Corpus, person: Any, fill: str = "") -> Wishes:
    """What the form begins with: the live version beside the baselines that can take part, or what a button asks.

    ``swap`` is one memory with every EXECUTIVE, ``noise`` memory and retrieval with distractors.
    """
    version = default_version(corpus, person)
    first = corpus.evaluation_sets.first()
    chosen = [version.number] if version else []
    name = first.name if first else ""
    asked = [version] if version else []
    if fill == "swap":
        return Wishes(name, chosen, [one.name for one in offered([corpus], asked)])
    leads = [default_of([corpus], asked)]
    against = [
        kind.name for kind in baselines() if not hindrance(kind) and not (first and unsuited(kind, first))
    ]
    if fill == "noise":
        searching = [kind for kind in against if kind not in ("closed_book", "perfect")]
        return Wishes(name, chosen, leads, against=searching, noise=(0.0, *NOISE_LEVELS))
    return Wishes(name, chosen, leads, against=against)


def narrowed(wishes: Wishes, corpus: Corpus, person: Any, name: str, number: str) -> Wishes:
    """The wishes with the set and the version that a link names, as far as they are there.

    A link to one version, such as the gate's, asks about that one: nothing is put beside it.
    """
    if name and corpus.evaluation_sets.filter(name=name).exists():
        wishes = replace(wishes, evaluation_set=name)
    if number.isdecimal() and _open(corpus, person).filter(number=number).exists():
        wishes = replace(wishes, versions=[int(number)], against=())
    return wishes


def wishes_of(run: EvaluationRun) -> Wishes:
    """What a run was asked for, as far as it is still there: to start it again."""
    rows = list(run.contestants.select_related("version"))
    clean = [row for row in rows if not row.noise] or rows
    noisy = {row.noise: row.version.number for row in rows if row.noise and row.version}
    return Wishes(
        run.evaluation_set.name if run.evaluation_set else "",
        list(dict.fromkeys(row.version.number for row in clean if row.version)),
        list(dict.fromkeys(row.executive for row in clean)),
        list(dict.fromkeys(baseline_in_words(row.kind, row.options) for row in clean if not row.version)),
        list(run.noise) or [0.0],
        run.distractors.slug if run.distractors else "",
        noisy,
        run.judge.name if run.judge else "",
        run.is_fresh,
        run.title,
    )
