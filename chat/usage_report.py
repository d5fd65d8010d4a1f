"""What was asked in a period, summed up for the people who are responsible for it."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet, Sum
from django.utils import timezone

from chat.choosing import executive_label
from chat.models import DayOfUse
from knowledge.exchange.table import BYTE_ORDER_MARK, harmless
from knowledge.models import Corpus, Role
from memosite.errors import MemoError, NotAllowed

PERIODS = (7, 30, 90)
LONGEST_PERIOD = 366
DEFAULT_PERIOD = 30
OUTCOMES = ("answered", "abstained", "stopped", "failed")
FIGURES = ("questions", *OUTCOMES, "seconds", "calls", "prompt_tokens", "completion_tokens", "cost")


class BadPeriod(MemoError):
    """The period of a usage report does not make sense."""

    code = "bad_period"
    status = 422


@dataclass(frozen=True)
class Period:
    """Days (UTC) from ``first`` to ``last``, both included. ``days`` is 0 for a period that was typed in."""

    first: date
    last: date
    days: int = 0

    def __iter__(self) -> Iterator[date]:
        return (self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1))

    @property
    def query(self) -> str:
        """The period in an address."""
        return f"days={self.days}" if self.days else f"from={self.first}&to={self.last}"


@dataclass(frozen=True)
class Figures:
    """Sums over turns. ``seconds`` is their wall time together, ``cost`` US dollars."""

    questions: int = 0
    answered: int = 0
    abstained: int = 0
    stopped: int = 0
    failed: int = 0
    seconds: float = 0.0
    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: Decimal = Decimal(0)

    @classmethod
    def of(cls, sums: Mapping[str, Any]) -> Figures:
        return cls(**{name: sums[name] for name in FIGURES if sums.get(name) is not None})

    @property
    def mean_seconds(self) -> float | None:
        """Wall time of a turn on average; None without turns."""
        return self.seconds / self.questions if self.questions else None

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens


@dataclass(frozen=True)
class Part:
    """The figures of one corpus, EXECUTIVE or day."""

    key: str
    name: str
    figures: Figures


@dataclass(frozen=True)
class Report:
    """The use of some corpora in a period."""

    period: Period
    total: Figures
    by_corpus: list[Part]
    by_executive: list[Part]
    by_day: list[Part]


def period_of(asked: Mapping[str, str]) -> Period:
    """The period in a query: ``days``, or ``from`` and ``to``; 30 days without either. Raises BadPeriod."""
    today = timezone.now().astimezone(UTC).date()
    if asked.get("from") or asked.get("to"):
        period = Period(_day(asked.get("from", ""), today), _day(asked.get("to", ""), today))
        if not 0 <= (period.last - period.first).days < LONGEST_PERIOD:
            raise BadPeriod(f"Give a period of 1 to {LONGEST_PERIOD} days, its first day first.")
        return period
    days = asked.get("days", str(DEFAULT_PERIOD))
    if not days.isdecimal() or not 1 <= int(days) <= LONGEST_PERIOD:
        raise BadPeriod(f"Give a number of days from 1 to {LONGEST_PERIOD}.")
    return Period(today - timedelta(days=int(days) - 1), today, int(days))


def _day(text: str, today: date) -> date:
    if not text:
        return today
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadPeriod(f"“{text[:30]}” is no day. Write it as 2026-05-31.") from error


def overseen_by(person: Any) -> QuerySet[Corpus]:
    """The corpora whose use the person may see: an owner's own, an administrator's all. Raises NotAllowed."""
    corpora = Corpus.objects.for_role(person, Role.OWNER)
    if not person.is_superuser and not corpora.exists():
        raise NotAllowed("What was asked is shown to the owners of a corpus and to administrators.")
    return corpora


def days_of_use(corpora: QuerySet[Corpus], period: Period) -> QuerySet[DayOfUse]:
    """The rows that a report sums up, the latest day first."""
    rows = DayOfUse.objects.filter(corpus__in=corpora.values("pk"), day__range=(period.first, period.last))
    return rows.select_related("corpus")


def report_on(corpora: QuerySet[Corpus], period: Period) -> Report:
    """The use of the corpora in the period; a day without questions is there with noughts."""
    rows = days_of_use(corpora, period).order_by()
    sums = {name: Sum(name) for name in FIGURES}
    by_day = {row["day"]: Figures.of(row) for row in rows.values("day").annotate(**sums)}
    corpus_rows = rows.values("corpus__slug", "corpus__name").annotate(**sums)
    executive_rows = rows.values("executive").annotate(**sums)
    return Report(
        period,
        Figures.of(rows.aggregate(**sums)),
        _most_first(Part(row["corpus__slug"], row["corpus__name"], Figures.of(row)) for row in corpus_rows),
        _most_first(
            Part(row["executive"], executive_label(row["executive"]), Figures.of(row))
            for row in executive_rows
        ),
        [Part(str(day), f"{day:%-d %b %Y}", by_day.get(day, Figures())) for day in period],
    )


def _most_first(parts: Iterator[Part]) -> list[Part]:
    return sorted(parts, key=lambda part: (-part.figures.questions, part.name))


def as_csv(rows: QuerySet[DayOfUse]) -> Iterator[bytes]:
    """Every row as a line for table programs, the latest day first."""
    writer: Any = csv.writer(_Lines(), quoting=csv.QUOTE_ALL)
    yield f"{BYTE_ORDER_MARK}{writer.writerow(['day', 'corpus', 'executive', *FIGURES])}".encode()
    for row in rows.iterator(chunk_size=500):
        cells = [str(row.day), row.corpus.slug, row.executive, *(getattr(row, name) for name in FIGURES)]
        yield writer.writerow(harmless(str(cell)) for cell in cells).encode()


class _Lines:
    """What a CSV writer writes to: it hands each line back."""

    def write(self, line: str) -> str:
        return line
