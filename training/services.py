"""What people do with memory versions: train them, move aliases, go back."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction

from knowledge.models import Corpus, GenerationRun, Role
from memosite.errors import Conflict, MemoError, NotAllowed, Unavailable
from memosite.people import account_of
from training.audience import CLOSED, AudienceNarrowed, warn_of_narrowing
from training.lab.gate import rules as gate
from training.models import (
    ALIASES,
    CANDIDATE,
    LIVE,
    Alias,
    AliasMove,
    GateCheck,
    MemoryVersion,
    TrainingRun,
)
from training.plans import Wishes, plan_training
from training.reasons import reason_why
from training.registry import hold_versions
from training.signals import alias_moved


class NoLiveVersion(Unavailable):
    """The corpus has no memory that people may ask yet."""

    code = "no_live_version"


class BadOverride(MemoError):
    """A reason for overriding the gate that cannot be kept."""

    code = "bad_override"
    status = 422


class UnknownAlias(MemoError):
    """An alias of another name than there are."""

    code = "unknown_alias"
    status = 404


def start_training(
    corpus: Corpus,
    person: Any = None,
    wishes: Wishes | None = None,
    *,
    go_live: bool = False,
    after: GenerationRun | None = None,
    repeats: TrainingRun | None = None,
) -> TrainingRun:
    """Queue the training of a new version on the approved pairs, as the person wishes it.

    Raises NothingToTrain, BadPlan with what is wrong by field, NotAllowed where the version to continue is closed
    to the person, VersionGone where it was deleted, and Conflict while a training is at work on the corpus; then
    nothing is changed.
    """
    plan = plan_training(corpus, person, wishes)
    try:
        with transaction.atomic():
            hold_versions(filter(None, [plan.wishes.continues]), corpus)
            run = TrainingRun.objects.create(
                corpus=corpus,
                base_model=plan.wishes.base_model,
                recipe=plan.recipe,
                config=plan.values,
                continues=plan.wishes.continues,
                replay_share=plan.wishes.replay_share,
                repeats=repeats,
                go_live=go_live,
                after_generation=after,
                created_by=account_of(person),
            )
            run.tells_of(corpus, run.continues)
            if repeats and not run.is_for_no_more_than(repeats):
                run.repeats = None
                run.save(update_fields=["repeats"])
    except IntegrityError as error:
        raise Conflict("A training is already at work on this corpus. Wait for it, or cancel it.") from error
    run.enqueue()
    return run


def resume_training(run: TrainingRun, person: Any = None) -> None:
    """Let a training that failed go on from its last checkpoint, on the pairs that it began with.

    Raises NotAllowed where it is to go live and the person is no owner, and Conflict unless it failed, where its
    files were swept, and while another training is at work on the corpus.
    """
    if run.go_live and person is not None:
        run.corpus.require(person, Role.OWNER)
    if run.done and not run.folder.with_suffix(".pairs.jsonl").exists():
        raise Conflict("The checkpoint of this run was removed since. Start a new training.")
    try:
        with transaction.atomic():
            Corpus.objects.select_for_update().get(pk=run.corpus_id)
            run.resume()
            run.add_log(f"Resumed by {person or 'the operator'}.")
    except IntegrityError as error:
        raise Conflict("Another training is at work on this corpus. Wait for it, or cancel it.") from error


def continue_after_generation(run: GenerationRun) -> None:
    """Start the training that a go-live generation asks for, once, however often this is called."""
    if not TrainingRun.objects.filter(after_generation=run).exists():
        start_training(run.corpus, run.created_by, go_live=True, after=run)


def promote(
    version: MemoryVersion,
    person: Any = None,
    *,
    reason: str,
    alias: str = LIVE,
    narrow: bool = False,
    override: str = "",
) -> AliasMove:
    """Point an alias of the version's corpus at the version; the move is recorded with who, when and why.

    ``override`` is an owner's reason to go live against the gate. Raises NoReason; Conflict where the alias points
    there already; UnknownAlias; GateRefused where the gate of the corpus does not let the version go live;
    BadOverride; NotAllowed where somebody else than an owner overrides; and AudienceNarrowed where readers of the
    corpus could not ask its live memory any more, unless ``narrow`` says that they are to lose access.
    """
    if alias not in ALIASES:
        raise UnknownAlias(f"There is no alias “{alias}”. The aliases are {' and '.join(ALIASES)}.")
    reason = reason_why("the alias moves to this version", reason)
    if override := override.strip():
        _require_override(version, person, override)
    if alias == LIVE and not narrow:
        warn_of_narrowing(version)
    return _pass_gate(version, person, reason=reason, alias=alias, override=override)


def _require_override(version: MemoryVersion, person: Any, override: str) -> None:
    most = GateCheck._meta.get_field("override_reason").max_length or 0
    if len(override) > most:
        raise BadOverride(f"Say in at most {most} characters why the gate is overridden.")
    if person is not None:
        version.corpus.require(person, Role.OWNER)


def offer(version: MemoryVersion, person: Any, *, go_live: bool, reason: str) -> str:
    """Point an alias at a version that was just made: ``live`` if it is to go live, else ``candidate``.

    It stays a candidate where going live would shut readers of its corpus out, and where the gate refuses it.
    Returns what happened, as a line for a log; nothing happens where the alias points at it already, so this can
    be repeated safely.
    """
    told = f"It is the {CANDIDATE} now."
    if go_live:
        try:
            return _offer(version, person, alias=LIVE, reason=reason, told="It is live now.")
        except (AudienceNarrowed, gate.GateRefused) as refusal:
            told = f"It did not go live, it is the {CANDIDATE}: {refusal}"
    return _offer(version, person, alias=CANDIDATE, reason=reason, told=told)


def _offer(version: MemoryVersion, person: Any, *, alias: str, reason: str, told: str) -> str:
    if alias == LIVE:
        warn_of_narrowing(version)
    if version.aliases.filter(name=alias).exists():
        return ""
    _pass_gate(version, person, reason=reason, alias=alias)
    return told


def rollback(corpus: Corpus, person: Any = None, *, alias: str = LIVE) -> AliasMove:
    """Point the alias at the version before the present one; each further rollback goes one further back.

    What the gate finds is recorded, but stops a rollback only by rules that bind it: then GateRefused is raised.
    Raises Conflict if there is none, and NotAllowed where the version before is closed to the person.
    """
    before = version_before(corpus, alias)
    if before is None:
        raise Conflict("There is no earlier version to go back to.")
    if person is not None and not before.allows(person):
        raise NotAllowed(f"The version before is closed to you. {CLOSED}")
    present = MemoryVersion.objects.get(aliases__corpus=corpus, aliases__name=alias)
    return _pass_gate(before, person, reason=f"Rollback from {present}", alias=alias, is_rollback=True)


def version_before(corpus: Corpus, alias: str = LIVE) -> MemoryVersion | None:
    """The version that a rollback of the alias would go back to."""
    *earlier, present = _trail(corpus, alias) or [None]
    for number in reversed(earlier):
        if number not in (None, present):  # none: the version was deleted
            return MemoryVersion.objects.get(pk=number)
    return None


def _trail(corpus: Corpus, alias: str) -> list[int | None]:
    """What an alias showed, the present version last, without what rollbacks took back."""
    moves = AliasMove.objects.filter(alias__corpus=corpus, alias__name=alias).order_by("pk")
    trail: list[int | None] = []
    for before, after, is_rollback in moves.values_list("from_version", "to_version", "is_rollback"):
        if not trail and before:
            trail.append(before)
        while is_rollback and after in trail and trail[-1] != after:
            trail.pop()
        if not is_rollback or after not in trail:
            trail.append(after)
    return trail


def _pass_gate(version: MemoryVersion, person: Any, **how: Any) -> AliasMove:
    """Move the alias if the gate allows it. A refusal is kept, after the transaction that found it is undone."""
    try:
        return _move(version, person, **how)
    except gate.GateRefused as refusal:
        refusal.attempt.keep()
        raise


@transaction.atomic
def _move(
    version: MemoryVersion,
    person: Any,
    *,
    reason: str,
    alias: str,
    override: str = "",
    is_rollback: bool = False,
) -> AliasMove:
    """Ask the gate and move the alias while nobody else moves it, or changes rules or approvals."""
    Corpus.objects.select_for_update().get(pk=version.corpus_id)
    row = Alias.objects.filter(corpus=version.corpus, name=alias).first()
    before = row.version if row else None
    if before == version:
        raise Conflict(f"{version} is {alias} already.")
    admitted = gate.admit(version, person, alias=alias, override=override, is_rollback=is_rollback)
    if row is None:
        row = Alias.objects.create(corpus=version.corpus, name=alias, version=version)
    else:
        row.version = version
        row.save(update_fields=["version"])
    move = AliasMove.objects.create(
        alias=row,
        from_version=before,
        to_version=version,
        moved_by=account_of(person),
        reason=reason,
        is_rollback=is_rollback,
    )
    move.tells_of(version.corpus, before, version)
    admitted.keep(move)
    alias_moved.send(sender=Alias, alias=row, before=before)
    return move


def live_version(corpus: Corpus) -> MemoryVersion:
    """The version that answers people's questions. Raises NoLiveVersion."""
    version = MemoryVersion.objects.live_in(corpus).first()
    if version is None:
        raise NoLiveVersion(
            f"“{corpus.name}” has no live memory yet. A curator has to train one and an owner to promote it."
        )
    version.corpus = corpus
    return version
