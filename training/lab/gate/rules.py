"""The gate before a version goes live: what has to hold, what was found, and the record of every attempt.

``RULES`` is the table of rules; an app or a part of the lab adds one by putting it there. A corpus without
``GateRules`` has no gate but for rules that hold for every corpus.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from knowledge.models import Role
from memosite.errors import Conflict
from memosite.people import account_of
from training.lab.gate.evaluated import newest, questions_of, same_questions
from training.lab.runs.executives import default_of
from training.models import LIVE, AliasMove, EvaluationSet, GateCheck, GateRules, MemoryVersion

TOLERANCE = 1e-9  # 0.9 - 0.85 is more than 0.05 in binary
TOLD_QUESTION = 80  # characters of a question in a finding


@dataclass(frozen=True)
class Finding:
    """What a rule found, and in words why, and what to do where it did not pass.

    ``evaluation_set`` names the set on which the version has to be evaluated before the rule can pass.
    """

    rule: str
    passed: bool
    words: str
    evaluation_set: str = ""

    @property
    def label(self) -> str:
        return RULES[self.rule].label if self.rule in RULES else self.rule.replace("_", " ").capitalize()

    @property
    def line(self) -> str:
        """The finding for a terminal."""
        return f"{'holds' if self.passed else 'FAILS'}  {self.label}: {self.words}"

    def as_dict(self) -> dict[str, Any]:
        """As it is stored and sent; without a set to evaluate on where there is none."""
        told = asdict(self)
        return told if self.evaluation_set else {k: v for k, v in told.items() if k != "evaluation_set"}


@dataclass(frozen=True)
class Case:
    """A version that is to go live in place of ``live``. ``person`` moves the alias; None is the operator."""

    version: MemoryVersion
    rules: GateRules | None
    live: MemoryVersion | None
    person: Any = None

    @property
    def name(self) -> str:
        return f"Version {self.version.number}"


@dataclass(frozen=True)
class Rule:
    """``check`` gives a finding for each thing it looked at, under the rule's name in ``RULES``, or none.

    ``for_every_corpus``: it is checked without ``GateRules`` as well. ``binds_rollback``: where it does not pass,
    going back is refused, too; other rules let every rollback through.
    """

    label: str
    check: Callable[[Case], Iterable[Finding]]
    for_every_corpus: bool = False
    binds_rollback: bool = False


class GateRefused(Conflict):
    """The version does not meet the rules of its corpus, and nobody overrode them."""

    code = "gate_refused"

    def __init__(self, attempt: Attempt) -> None:
        self.attempt = attempt
        failed = " ".join(finding.words for finding in attempt.failed)
        super().__init__(f"The gate refuses {attempt.case.version}. {failed}")

    def members(self) -> dict[str, Any]:
        return {"findings": [finding.as_dict() for finding in self.attempt.findings]}


@dataclass(frozen=True)
class Attempt:
    """A version that somebody wants live, and what the gate found. ``override`` is why it goes live regardless."""

    case: Case
    findings: tuple[Finding, ...]
    override: str = ""

    @property
    def failed(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if not finding.passed)

    def keep(self, move: AliasMove | None = None) -> None:
        """Store it with the move that it led to, if any. Where there is no gate, nothing is stored."""
        if not self.findings and self.case.rules is None:
            return
        version, person = self.case.version, self.case.person
        row = GateCheck.objects.create(
            corpus=version.corpus,
            version=version,
            move=move,
            passed=not self.failed,
            findings=[finding.as_dict() for finding in self.findings],
            override_reason=self.override if self.failed else "",
            checked_by=account_of(person),
        )
        row.tells_of(version.corpus, version, self.case.live)


def findings(version: MemoryVersion, alias: str = LIVE, person: Any = None) -> list[Finding]:
    """What the rules of the version's corpus say to its going live; empty where there is no gate.

    ``person`` is who would move the alias, and who is told: None is the operator of the site.
    """
    return list(examine(version, person, alias=alias).findings)


def examine(version: MemoryVersion, person: Any = None, *, alias: str = LIVE, override: str = "") -> Attempt:
    """What was found, ready to be kept. Only ``live`` has a gate: other aliases are for looking at versions."""
    if alias != LIVE:
        return Attempt(Case(version, None, None, person), ())
    rules = GateRules.objects.filter(corpus=version.corpus_id).first()
    case = Case(version, rules, MemoryVersion.objects.live_in(version.corpus).first(), person)
    asked = [rule for rule in RULES.values() if rules or rule.for_every_corpus]
    return Attempt(case, tuple(finding for rule in asked for finding in rule.check(case)), override)


def admit(
    version: MemoryVersion, person: Any, *, alias: str, override: str = "", is_rollback: bool = False
) -> Attempt:
    """Let a version through the gate, or raise GateRefused.

    A rollback is let through whatever was found, but for the rules that bind it: it goes back to what was live
    and had been let through, and is needed most when what is live now does harm.
    """
    attempt = examine(version, person, alias=alias, override=override)
    binding = [finding for finding in attempt.failed if not is_rollback or _binds_rollback(finding)]
    if binding and not override:
        raise GateRefused(attempt)
    return attempt


def _binds_rollback(finding: Finding) -> bool:
    return finding.rule in RULES and RULES[finding.rule].binds_rollback


# --- The rules -----------------------------------------------------------------------------------------------
def _golden(case: Case) -> Iterator[Finding]:
    if case.rules is None or not case.rules.golden_must_pass:
        return
    sets = EvaluationSet.objects.filter(corpus=case.version.corpus_id, is_golden=True)
    executive = default_of([case.version.corpus], [case.version]) if sets else ""
    for evaluation_set in sets:
        yield _golden_set(case, evaluation_set, executive)
    if not sets:
        yield Finding("golden", True, "The corpus has no golden set.")


def _golden_set(case: Case, evaluation_set: EvaluationSet, executive: str) -> Finding:
    name, questions = f"“{evaluation_set}”", questions_of(evaluation_set)
    put = newest(case.version, evaluation_set, executive)
    if not questions:
        return Finding("golden", True, f"{name} has no questions.")
    if put is None:
        led = f"with the EXECUTIVE that leads people's questions, {executive}"
        words = f"{case.name} was not asked the golden set {name} {led}. Evaluate it on that set."
        return Finding("golden", False, words, evaluation_set.name)
    if missing := sum(question not in put.right for question in questions):
        words = f"{missing} of {len(questions)} questions of {name} have no answer in evaluation {put.run}."
        words = f"{words} Evaluate {case.name.lower()} on the set as it is now."
        return Finding("golden", False, words, evaluation_set.name)
    if wrong := [question.text for question in questions if not put.right[question]]:
        words = (
            f"{case.name} misses {len(wrong)} of {len(questions)} questions of {name} in evaluation {put.run}"
        )
        return Finding("golden", False, f"{words}, such as “{_short(wrong[0])}”.")
    words = f"{case.name} answers all {len(questions)} questions of {name} (evaluation {put.run})."
    return Finding("golden", True, words)


def _short(text: str) -> str:
    return text if len(text) <= TOLD_QUESTION else f"{text[:TOLD_QUESTION].rstrip()}…"


def _least_recall(case: Case) -> Iterator[Finding]:
    if case.rules is None or case.rules.least_recall is None:
        return
    least, recall = case.rules.least_recall, measured(case.version, "held_out_recall")
    if recall is None:
        words = (
            "Recall on held-out wordings was not measured here. Train with wordings held out, or import with"
        )
        yield Finding("least_recall", False, f"{words} --evaluate.")
        return
    words = f"Recall on held-out wordings is {share(recall)}; at least {share(least)} is asked for."
    yield Finding("least_recall", recall >= least - TOLERANCE, words)


def _most_false_answers(case: Case) -> Iterator[Finding]:
    if case.rules is None or case.rules.most_false_answers is None:
        return
    most, rate = case.rules.most_false_answers, measured(case.version, "false_answer_rate")
    if rate is None:
        words = "False answers were not measured here. Train it here, or import it with --evaluate."
        yield Finding("most_false_answers", False, words)
        return
    words = f"It answers {share(rate)} of what it cannot know; at most {share(most)} is allowed."
    yield Finding("most_false_answers", rate <= most + TOLERANCE, words)


def _most_drop(case: Case) -> Iterator[Finding]:
    if case.rules is None or case.rules.most_drop is None:
        return
    if case.live is None or case.live == case.version:
        yield Finding("most_drop", True, "There is no other live version that it could fall behind.")
        return
    found = [*_drop_of_recall(case, case.live), *_drops_of_exact_match(case, case.live)]
    if not _tells_of_more(case.version, case.live):
        yield from found
        return
    failed = [finding for finding in found if not finding.passed]
    words = (
        f"It loses {'' if failed else 'no '}more than {points(case.rules.most_drop)} against the live version"
    )
    words += ", or was not measured as that was." if failed else "."
    asked = next((finding.evaluation_set for finding in failed), "")
    yield Finding("most_drop", not failed, f"{words} Compare the two for the figures.", asked)


def _tells_of_more(version: MemoryVersion, live: MemoryVersion) -> bool:
    """Whether some who may see the version may not see the live one: figures of that are not told them."""
    return live.corpora.exclude(pk__in=version.corpora.values("pk")).exists()


def _drop_of_recall(case: Case, live: MemoryVersion) -> Iterator[Finding]:
    for told, names in RECALLS.items():
        if (before := measured(live, *names)) is None:
            continue
        now = measured(case.version, *names)
        if now is None:
            words = (
                f"{told} was not measured here; version {live.number}, which is live, has {share(before)}."
            )
            yield Finding("most_drop", False, words)
        else:
            yield _drop(case, told, before, now)
        return
    yield Finding("most_drop", True, "No recall of the live version was measured, so there is none to lose.")


RECALLS = {
    "Recall on held-out wordings": ("held_out_recall",),
    "Recall on trained questions": ("trained_recall", "recall"),
}


def _drops_of_exact_match(case: Case, live: MemoryVersion) -> Iterator[Finding]:
    for both in same_questions(live, case.version):
        asked = f"{both.questions} question{'' if both.questions == 1 else 's'}"
        told = f"Exact match on {asked} of “{both.evaluation_set}” (EXECUTIVE {both.executive})"
        if both.now is None:
            words = (
                f"{told} is {share(both.before)} of the live version; {case.name.lower()} was not asked them."
            )
            yield Finding(
                "most_drop",
                False,
                f"{words} Evaluate it on that set, with that EXECUTIVE.",
                both.evaluation_set,
            )
        else:
            yield _drop(case, told, both.before, both.now)


def _drop(case: Case, told: str, before: float, now: float) -> Finding:
    most = (case.rules.most_drop if case.rules else None) or 0.0
    words = (
        f"{told} is {share(now)}, of the live version {share(before)}; a loss of {points(most)} is allowed."
    )
    return Finding("most_drop", before - now <= most + TOLERANCE, words)


def _second_approver(case: Case) -> Iterator[Finding]:
    if case.rules is None or not case.rules.needs_second_approver:
        return
    people = [row.person for row in case.version.approvals.select_related("person").order_by("pk")]
    owners = [person for person in people if _may_approve(case.version, person)]
    others = [person for person in owners if person != case.person]
    if others:
        words = f"Approved by {', '.join(map(str, others))}."
    elif owners:
        words = f"Only {case.person} has approved it, who cannot promote it as well: another owner has to."
    else:
        words = "No owner has approved it yet. Another one than who promotes it has to."
    yield Finding("second_approver", bool(others), words)


def _may_approve(version: MemoryVersion, person: Any) -> bool:
    return version.corpus.allows(person, Role.OWNER) and version.allows(person)


RULES: dict[str, Rule] = {
    "golden": Rule("Golden sets", _golden),
    "least_recall": Rule("Least recall", _least_recall),
    "most_false_answers": Rule("Most false answers", _most_false_answers),
    "most_drop": Rule("Most loss against the live version", _most_drop),
    "second_approver": Rule("Second approver", _second_approver),
}


def measured(version: MemoryVersion, *names: str) -> float | None:
    """The first of the metrics (``training.figures.METRICS``) that was measured here, a share in [0, 1].

    What an import says of itself, or measured on pairs of another corpus, is no measurement.
    """
    if not version.is_measured_here:
        return None
    for name in names:
        value = version.metrics.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
    return None


def share(value: float) -> str:
    """A share as a percentage, exact enough to be told from a bound: 94.96 %."""
    return f"{_plain(value)} %"


def points(value: float) -> str:
    """A difference of shares in percentage points."""
    return f"{_plain(value)} points"


def _plain(value: float) -> str:
    return f"{value * 100:.2f}".rstrip("0").rstrip(".")
