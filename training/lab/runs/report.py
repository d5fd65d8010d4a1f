"""What a run found, as pages, files and terminals show it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Avg, Case, Count, FloatField, Q, Value, When

from knowledge.figures import duration, percent
from training.charts.bars import Bars, Measured, bars_of
from training.lab.runs.executives import BUILT_IN, BUILT_IN_LABEL
from training.lab.runs.results import one_and_the_same
from training.models import EvaluationContestant, EvaluationRun

NONE = "–"
CERTAIN = 0.05  # a smaller p, adjusted for the number of comparisons, is taken for a difference


@dataclass(frozen=True)
class Change:
    """A difference of two contestants on the same questions, in points, with its 95 % interval and p.

    ``adjusted_p`` takes into account how many contestants were compared.
    """

    difference: float
    low: float
    high: float
    p: float
    adjusted_p: float

    @property
    def points(self) -> str:
        return points(self.difference)

    @property
    def interval(self) -> str:
        return f"{points(self.low)} to {points(self.high)}"

    @property
    def in_words(self) -> str:
        return f"{self.points} ({self.interval})"

    @property
    def p_in_words(self) -> str:
        return "p < 0.001" if self.p < 0.001 else f"p = {self.p:.3f}"

    @property
    def verdict(self) -> str:
        """better or worse, where the difference is hardly chance; else empty."""
        if self.adjusted_p >= CERTAIN or not self.difference:
            return ""
        return "better" if self.difference > 0 else "worse"


@dataclass(frozen=True)
class Line:
    """One contestant's figures in words, empty where there are none; ``change`` is against the first."""

    position: int
    label: str
    executive: str
    noise: float
    exact: str
    exact_interval: str
    f1: str
    f1_interval: str
    judged: str
    judged_interval: str
    agreement: str
    kappa: str
    judge_saw: int
    abstention_precision: str
    abstention_recall: str
    false_answers: str
    false_refusals: str
    calls: str
    tokens: str
    read_tokens: str
    cost: str
    seconds: str
    errors: int
    cached: int
    trained_on: int
    change: Change | None

    @property
    def full_label(self) -> str:
        return full_label(self.label, self.executive, self.noise)


@dataclass(frozen=True)
class NoiseCell:
    """A contestant's exact match at one level, and how it changed; empty where it was not asked."""

    level: float
    exact: str = ""
    change: Change | None = None


@dataclass(frozen=True)
class NoiseLine:
    label: str
    executive: str
    cells: list[NoiseCell]


@dataclass(frozen=True)
class TagTable:
    """The exact match by the values of one tag: each row has one cell a contestant without noise."""

    name: str
    columns: list[str]
    rows: list[tuple[str, int, list[str]]]


@dataclass(frozen=True)
class Report:
    """The whole of it. ``levels`` are the levels of noise, ``judge`` what judging took, ``missing`` who failed."""

    lines: list[Line]
    charts: list[Bars]
    levels: list[float]
    noise: list[NoiseLine]
    tags: list[TagTable]
    judge: dict[str, Any]
    questions: int
    missing: list[str]

    @property
    def has_judge(self) -> bool:
        return any(line.judged for line in self.lines)

    @property
    def judge_cost(self) -> str:
        return dollars(self.judge["cost"]) if self.judge.get("cost") else ""

    @property
    def has_cost(self) -> bool:
        return any(line.cost for line in self.lines)


def full_label(label: str, executive: str, noise: float) -> str:
    """Such as “Memory, version 3 · Built-in rules · ×1 noise”."""
    told = [label, BUILT_IN_LABEL if executive == BUILT_IN else executive]
    return " · ".join([*told, f"×{noise:g} noise"] if noise else told)


def report_of(run: EvaluationRun) -> Report | None:
    """The report of a run that was summed up, without those who could not be asked; None of any other."""
    rows = list(run.contestants.order_by("position"))
    contestants = [one for one in rows if one.summary]
    if "paired" not in run.result or not contestants:
        return None
    changes = {each["position"]: _change(each["exact"]) for each in run.result["paired"]}
    lines = [_line(one, changes.get(one.position)) for one in contestants]
    return Report(
        lines=lines,
        charts=list(_charts(contestants)),
        levels=sorted({one.noise for one in contestants}),
        noise=_noise(contestants, run.result),
        tags=_tags(contestants, run.result),
        judge=run.result["judge"],
        questions=int(contestants[0].summary["questions"]),
        missing=[full_label(one.label, one.executive, one.noise) for one in rows if not one.summary],
    )


# --- In words --------------------------------------------------------------------------------------------------
def points(difference: float) -> str:
    """A difference of shares, such as “+4.0”."""
    rounded = round(100 * difference, 1) or 0.0
    sign = "+" if rounded > 0 else "−" if rounded < 0 else "±"
    return f"{sign}{abs(rounded):.1f}"


def dollars(cost: float) -> str:
    return f"${cost:,.4f}" if cost < 1 else f"${cost:,.2f}"


def _interval(summary: dict[str, Any], name: str) -> str:
    if summary.get(f"{name}_low") is None:
        return ""
    return f"{percent(summary[f'{name}_low'])} to {percent(summary[f'{name}_high'])}"


def _change(told: dict[str, Any]) -> Change:
    figures = {name: float(told[name]) for name in ("difference", "low", "high", "p")}
    return Change(**figures, adjusted_p=float(told.get("adjusted_p", told["p"])))


def _line(one: EvaluationContestant, change: Change | None) -> Line:
    found = one.summary
    shares = {
        name: percent(found.get(name))
        for name in ("exact", "f1", "judged", "abstention_precision", "abstention_recall")
    }
    return Line(
        position=one.position,
        label=one.label,
        executive=one.executive,
        noise=one.noise,
        **shares,
        exact_interval=_interval(found, "exact"),
        f1_interval=_interval(found, "f1"),
        judged_interval=_interval(found, "judged"),
        agreement=percent(found.get("judge_agreement")),
        kappa=f"{found['judge_kappa']:.2f}" if found.get("judge_kappa") is not None else "",
        judge_saw=int(found.get("judge_saw", 0)),
        false_answers=_share_or_count(found.get("false_answers")),
        false_refusals=_share_or_count(found.get("false_refusals")),
        calls=f"{found['calls']:.1f}",
        tokens=f"{found['prompt_tokens'] + found['completion_tokens']:,.0f}",
        read_tokens=f"{found['read_tokens']:,.0f}",
        cost=dollars(found["cost"]) if found["cost"] else "",
        seconds=duration(float(found["seconds"])),
        errors=int(found.get("errors", 0)),
        cached=int(found.get("cached", 0)),
        trained_on=int(found.get("trained_on", 0)),
        change=change,
    )


def _share_or_count(value: Any) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    return percent(value)


# --- Charts and tables -----------------------------------------------------------------------------------------
CHARTS = {"exact": "Exact match", "f1": "Token F1", "judged": "Right in the judge’s eyes"}


def _charts(contestants: Sequence[EvaluationContestant]) -> Iterator[Bars]:
    for name, title in CHARTS.items():
        rows = [
            Measured(
                full_label(one.label, one.executive, one.noise),
                *(float(one.summary[key]) for key in (name, f"{name}_low", f"{name}_high")),
            )
            for one in contestants
            if one.summary.get(f"{name}_low") is not None
        ]
        if rows:
            yield bars_of(title, rows)


def _noise(contestants: Sequence[EvaluationContestant], result: dict[str, Any]) -> list[NoiseLine]:
    """Each contestant without noise beside itself at every level; nothing where there was no noise."""
    levels = sorted({one.noise for one in contestants})
    if len(levels) < 2:
        return []
    changes = {each["position"]: _change(each["exact"]) for each in result["noise"]}
    lines, seen = [], set()
    for one in contestants:
        name = one_and_the_same(one)
        if name in seen:
            continue
        seen.add(name)
        at = {other.noise: other for other in reversed(contestants) if one_and_the_same(other) == name}
        cells = [
            NoiseCell(level, percent(at[level].summary["exact"]), changes.get(at[level].position))
            if level in at
            else NoiseCell(level)
            for level in levels
        ]
        lines.append(NoiseLine(one.label, one.executive, cells))
    return lines


def _tags(contestants: Sequence[EvaluationContestant], result: dict[str, Any]) -> list[TagTable]:
    shown = [one for one in contestants if not one.noise] or list(contestants)
    places = {one.position for one in shown}
    columns = [full_label(one.label, one.executive, one.noise) for one in shown]
    return [
        TagTable(
            name,
            columns,
            [
                (
                    row["value"],
                    row["questions"],
                    [percent(cell["exact"]) for cell in row["figures"] if cell["position"] in places],
                )
                for row in rows
            ],
        )
        for name, rows in result["tags"].items()
    ]


# --- While it is at work ---------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Standing:
    """How far a contestant is, and its share of exact matches so far."""

    label: str
    answered: int
    exact: str
    errors: int


def standings(run: EvaluationRun) -> list[Standing]:
    """What is known before a run is summed up."""
    right = Avg(
        Case(When(answers__exact=True, then=Value(1.0)), default=Value(0.0), output_field=FloatField())
    )
    rows = run.contestants.annotate(
        n=Count("answers"), right=right, failed=Count("answers", filter=~Q(answers__error=""))
    )
    return [
        Standing(
            full_label(row.label, row.executive, row.noise),
            row.n,
            percent(row.right) if row.n else "",
            row.failed,
        )
        for row in rows.order_by("position")
    ]


# --- Terminals -------------------------------------------------------------------------------------------------
#: The columns of a terminal's table; one that nobody has a figure for is left out.
COLUMNS: dict[str, Callable[[Line], str]] = {
    "contestant": lambda line: line.full_label,
    "exact": lambda line: line.exact,
    "95 %": lambda line: line.exact_interval,
    "F1": lambda line: line.f1,
    "95 % of F1": lambda line: line.f1_interval,
    "judge": lambda line: line.judged,
    "abstains right": lambda line: line.abstention_precision,
    "finds unknown": lambda line: line.abstention_recall,
    "false answers": lambda line: line.false_answers,
    "false refusals": lambda line: line.false_refusals,
    "calls": lambda line: line.calls,
    "tokens": lambda line: line.tokens,
    "read": lambda line: line.read_tokens,
    "cost": lambda line: line.cost,
    "time": lambda line: line.seconds,
    "failed": lambda line: str(line.errors or ""),
}


def table_lines(report: Report) -> Iterator[str]:
    """The result for a terminal: the contestants, their differences, noise, and kinds of questions."""
    cells = {name: [cell(line) for line in report.lines] for name, cell in COLUMNS.items()}
    shown = {name: column for name, column in cells.items() if any(column)}
    yield from _aligned([list(shown), *map(list, zip(*shown.values(), strict=True))])
    for line in report.lines:
        if line.change:
            yield (
                f"{line.full_label}: {line.change.in_words} points against the first, {line.change.p_in_words}"
                f"{f', {line.change.verdict}' if line.change.verdict else ''}"
            )
    for line in report.lines:
        if line.trained_on:
            yield f"{line.full_label}: was trained on {line.trained_on} of the {report.questions} questions"
    for missing in report.missing:
        yield f"{missing}: was not asked to the end"
    if report.judge.get("calls"):
        yield f"Judge: {report.judge['calls']:,} calls{f', {report.judge_cost}' if report.judge_cost else ''}"
    yield from _noise_lines(report)
    for tag in report.tags:
        rows = [[value, str(count), *shares] for value, count, shares in tag.rows]
        yield ""
        yield from _aligned([[tag.name, "questions", *tag.columns], *rows])


def _noise_lines(report: Report) -> Iterator[str]:
    if not report.noise:
        return
    rows = [
        [full_label(line.label, line.executive, 0.0), *map(_noise_cell, line.cells)] for line in report.noise
    ]
    yield ""
    yield from _aligned([["exact match with noise", *(f"×{level:g}" for level in report.levels)], *rows])


def _noise_cell(cell: NoiseCell) -> str:
    return f"{cell.exact} ({cell.change.points})" if cell.change else cell.exact


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Columns of equal width."""
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    for row in rows:
        told = (cell or NONE for cell in row)
        yield "  ".join(cell.ljust(width) for cell, width in zip(told, widths, strict=True)).rstrip()
