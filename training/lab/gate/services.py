"""What people do with the gate: owners set its rules and approve versions, and others look at what it finds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from knowledge.models import Corpus, Role
from memosite.errors import Conflict
from memosite.people import account_of
from training.audience import require_audience
from training.lab.gate.rules import RULES, Finding, findings, points, share
from training.models import Approval, GateCheck, GateRules, MemoryVersion

CHANGES_SHOWN = 20


# --- Rules ---------------------------------------------------------------------------------------------------
def rules_of(corpus: Corpus) -> GateRules:
    """The rules of a corpus; unsaved ones where it has no gate."""
    return GateRules.objects.filter(corpus=corpus).first() or GateRules(corpus=corpus)


def set_rules(corpus: Corpus, person: Any, values: Mapping[str, Any]) -> GateRules:
    """Put a gate before ``live``, or change its rules. Who changed them and how stays on record.

    Raises NotAllowed where the person is no owner; None is the operator of the site.
    """
    _require_owner(corpus, person)
    with transaction.atomic():
        _hold(corpus)
        rules = rules_of(corpus)
        for name, value in values.items():
            setattr(rules, name, value)
        _as_changed_by(person, rules).save()
    return rules


def remove_rules(corpus: Corpus, person: Any) -> None:
    """Take the gate away. Raises NotAllowed, and Conflict where there is none."""
    _require_owner(corpus, person)
    with transaction.atomic():
        _hold(corpus)
        rules = GateRules.objects.filter(corpus=corpus).first()
        if rules is None:
            raise Conflict(f"“{corpus}” has no gate.")
        _as_changed_by(person, rules).delete()


def _as_changed_by(person: Any, rules: GateRules) -> Any:
    """The rules, whose history names the person: tokens and commands have no session that tells it."""
    rules._history_user = account_of(person)  # type: ignore[attr-defined]
    return rules


def _hold(corpus: Corpus) -> None:
    """Wait for whoever moves an alias of the corpus: the gate is asked on rules that stay as they are."""
    Corpus.objects.select_for_update().get(pk=corpus.pk)


def _require_owner(corpus: Corpus, person: Any) -> None:
    if person is not None:
        corpus.require(person, Role.OWNER)


def in_words(rules: Any) -> list[tuple[str, str]]:
    """The rules that ask for something, each with its bound."""
    told = {
        "golden": "every question answered right" if rules.golden_must_pass else None,
        "least_recall": _worded(rules.least_recall, "on held-out wordings at least {}", share),
        "most_false_answers": _worded(rules.most_false_answers, "at most {}", share),
        "most_drop": _worded(rules.most_drop, "at most {}", points),
        "second_approver": "another owner than who promotes" if rules.needs_second_approver else None,
    }
    return [(RULES[name].label, words) for name, words in told.items() if words]


def _worded(bound: float | None, words: str, figure: Any) -> str | None:
    return None if bound is None else words.format(figure(bound))


@dataclass(frozen=True)
class RuleChange:
    """What the rules were from a time on, and who made them so."""

    when: datetime
    who: str | None
    words: str


def changes_of(corpus: Corpus) -> list[RuleChange]:
    """The newest changes of the rules, the newest first."""
    records = GateRules.history.filter(corpus=corpus).select_related("history_user")[:CHANGES_SHOWN]
    return [_change(record) for record in records]


def _change(record: Any) -> RuleChange:
    words = "; ".join(f"{label}: {told}" for label, told in in_words(record)) or "nothing is asked for"
    who = record.history_user.get_username() if record.history_user else None
    return RuleChange(record.history_date, who, "no gate any more" if record.history_type == "-" else words)


# --- Approvals -----------------------------------------------------------------------------------------------
def approve(version: MemoryVersion, person: Any, note: str = "") -> Approval:
    """An owner's word that the version may go live; another owner promotes it.

    Raises NotAllowed where the person is no owner or may not ask the version, and Conflict where the person
    approved it already.
    """
    version.corpus.require(person, Role.OWNER)
    require_audience(version, person)
    with transaction.atomic():
        _hold(version.corpus)
        approval, is_new = Approval.objects.get_or_create(
            version=version, person=person, defaults={"note": note}
        )
    if not is_new:
        raise Conflict(f"You approved {version} already.")
    return approval


def withdraw(version: MemoryVersion, person: Any) -> None:
    """Take one's approval back. Raises Conflict where there is none."""
    with transaction.atomic():
        _hold(version.corpus)
        gone, _ = Approval.objects.filter(version=version, person=person).delete()
    if not gone:
        raise Conflict(f"You did not approve {version}, so there is nothing to withdraw.")


# --- What is shown -------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class State:
    """How a version stands before the gate, as a person may see it."""

    version: MemoryVersion
    findings: tuple[Finding, ...]
    approvals: tuple[Approval, ...]
    has_approved: bool

    @property
    def passes(self) -> bool:
        return all(finding.passed for finding in self.findings)

    @property
    def failed(self) -> int:
        """How many findings did not pass."""
        return sum(not finding.passed for finding in self.findings)


def state_of(version: MemoryVersion, person: Any) -> State:
    """What the gate would say now if the person promoted the version."""
    approvals = tuple(version.approvals.select_related("person").order_by("pk"))
    return State(
        version,
        tuple(findings(version, person=person)),
        approvals,
        any(approval.person_id == getattr(person, "pk", None) for approval in approvals),
    )


def checks_for(corpus: Corpus, person: Any) -> QuerySet[GateCheck]:
    """Every attempt to take a version of the corpus live that the person may know of, the newest first."""
    seen: QuerySet[GateCheck] = GateCheck.objects.for_reader(person).filter(corpus=corpus)
    return seen.select_related("version", "move", "checked_by")


@dataclass(frozen=True)
class SeenCheck:
    """An attempt with its findings as findings."""

    check: GateCheck
    findings: tuple[Finding, ...]

    @property
    def failed(self) -> list[Finding]:
        return [finding for finding in self.findings if not finding.passed]


def as_seen(checks: Iterable[GateCheck]) -> Iterator[SeenCheck]:
    for check in checks:
        yield SeenCheck(check, tuple(Finding(**finding) for finding in check.findings))
