"""What people do with memory versions: train them, move aliases, go back."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction

from knowledge.models import Corpus, GenerationRun
from memosite.errors import Conflict, Unavailable
from training.models import LIVE, Alias, AliasMove, MemoryVersion, TrainingRun


class NothingToTrain(Conflict):
    """No approved pairs."""

    code = "nothing_to_train"


class NoLiveVersion(Unavailable):
    """The corpus has no memory that people may ask yet."""

    code = "no_live_version"


def start_training(
    corpus: Corpus,
    person: Any = None,
    *,
    config: dict[str, Any] | None = None,
    go_live: bool = False,
    after: GenerationRun | None = None,
) -> TrainingRun:
    """Queue the training of a new version on the approved pairs. Raises NothingToTrain or Conflict."""
    if not corpus.reflections.trainable().exists():
        raise NothingToTrain("This corpus has no approved pairs. Generate pairs and approve them first.")
    try:
        with transaction.atomic():
            run = TrainingRun.objects.create(
                corpus=corpus,
                config=config or {},
                go_live=go_live,
                after_generation=after,
                created_by=person if getattr(person, "pk", None) else None,
            )
    except IntegrityError as error:
        raise Conflict("A training is already at work on this corpus. Wait for it, or cancel it.") from error
    run.enqueue()
    return run


def continue_after_generation(run: GenerationRun) -> None:
    """Start the training that a go-live generation asks for, once, however often this is called."""
    if not TrainingRun.objects.filter(after_generation=run).exists():
        start_training(run.corpus, run.created_by, go_live=True, after=run)


@transaction.atomic
def promote(version: MemoryVersion, person: Any = None, *, reason: str, alias: str = LIVE) -> AliasMove:
    """Point an alias of the version's corpus at the version. Raises Conflict where it points there already."""
    Corpus.objects.select_for_update().get(pk=version.corpus_id)
    row = Alias.objects.filter(corpus=version.corpus, name=alias).first()
    before = row.version if row else None
    if before == version:
        raise Conflict(f"{version} is {alias} already.")
    if row is None:
        row = Alias.objects.create(corpus=version.corpus, name=alias, version=version)
    else:
        row.version = version
        row.save(update_fields=["version"])
    return AliasMove.objects.create(
        alias=row,
        from_version=before,
        to_version=version,
        moved_by=person if getattr(person, "pk", None) else None,
        reason=reason,
    )


def rollback(corpus: Corpus, person: Any = None, *, alias: str = LIVE) -> AliasMove:
    """Point the alias back at the version it showed before its last move. Raises Conflict if there is none."""
    last = AliasMove.objects.filter(alias__corpus=corpus, alias__name=alias).first()
    if last is None or last.from_version is None:
        raise Conflict("There is no earlier version to go back to.")
    return promote(last.from_version, person, reason=f"Rollback from {last.to_version}", alias=alias)


def live_version(corpus: Corpus) -> MemoryVersion:
    """The version that answers people's questions. Raises NoLiveVersion."""
    version = MemoryVersion.objects.live_in(corpus).first()
    if version is None:
        raise NoLiveVersion(
            f"“{corpus.name}” has no live memory yet. A curator has to train one and an owner to promote it."
        )
    return version
