"""The review queue: one pair at a time beside its source passage, decided by single keys.

The page asks for one pair, the server says which; each decision is a POST that answers with the next pair. What
the person saw travels along as the pair's ``edit``, so a decision on a pair that has changed is never stored.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.contrib import messages
from django.contrib.admin.views.main import PAGE_VAR
from django.core.exceptions import BadRequest, PermissionDenied
from django.db.models import (
    BigIntegerField,
    Case,
    Count,
    Exists,
    ExpressionWrapper,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from knowledge import services
from knowledge.admin.base import CorpusScopedAdmin
from knowledge.admin.desk import Desk, Step
from knowledge.admin.passages import source_passages
from knowledge.figures import duration
from knowledge.models import Reflection, ReflectionFlag, ReflectionSource, ReviewStatus
from knowledge.services import StaleEdit, Superseded
from knowledge.suggestions import suggestions_for

STATUS_FILTER = "status__exact"
PART_HEADER = "Queue-Part"  # a request with it wants the pair without the page around it
CANDIDATES = 20  # so many pairs ahead are looked at for one that no other curator has
NEIGHBOURS = 30
UNFLAGGED = 2**40  # what is added to the place of pairs without a flag, so that they come later
WITHOUT_SOURCE = 2**39  # the place of pairs that no passage supports: after all passages
DONE = {"approved": "Approved", "rejected": "Rejected", "pending": "Set back to pending"}


# --- Order -------------------------------------------------------------------------------------------------
def with_place(rows: QuerySet[Reflection]) -> QuerySet[Any]:
    """Pairs with their ``place`` in the queue: flagged ones first, then by document and passage.

    Chunks are numbered as documents came in, those of a document in their order: the number of a pair's first
    chunk puts the pairs of a passage side by side.
    """
    first = (
        ReflectionSource.objects.filter(reflection=OuterRef("pk"))
        .order_by()
        .values("reflection")
        .annotate(first=Min("chunk"))
        .values("first")
    )
    flags = ReflectionFlag.objects.filter(reflection=OuterRef("pk"))
    passage = Coalesce(Subquery(first), Value(WITHOUT_SOURCE), output_field=BigIntegerField())
    later = Case(When(Exists(flags), then=Value(0)), default=Value(UNFLAGGED), output_field=BigIntegerField())
    # Without its type a sum of big integers counts as a small one, and PostgreSQL then finds nothing beyond it.
    return rows.annotate(place=ExpressionWrapper(passage + later, output_field=BigIntegerField()))


@dataclass(frozen=True)
class Progress:
    """How far the review of a list is."""

    done: int
    total: int
    pace: float | None = None

    def __str__(self) -> str:
        text = f"{self.done:,} of {self.total:,}"
        left = self.total - self.done
        return (
            f"{text}, about {duration(max(1, round(self.pace * left)))} left" if self.pace and left else text
        )


@dataclass(frozen=True)
class ReviewQueue:
    """The pairs of a list that have one review status, in the order in which they are looked at."""

    rows: QuerySet[Reflection]
    status: str = ReviewStatus.PENDING

    @property
    def waiting(self) -> QuerySet[Reflection]:
        return self.rows.filter(status=self.status)

    def after(self, row: Reflection | None = None) -> list[int]:
        """Keys of the next pairs after ``row``, or of the first ones."""
        rows = with_place(self.waiting)
        if row:
            rows = rows.filter(self._beyond(row, "gt"))
        return list(rows.order_by("place", "pk").values_list("pk", flat=True)[:CANDIDATES])

    def before(self, row: Reflection) -> int | None:
        rows = with_place(self.waiting).filter(self._beyond(row, "lt"))
        return rows.order_by("-place", "-pk").values_list("pk", flat=True).first()

    def progress(self, row: Reflection | None, pace: float | None) -> Progress:
        """How much of the list is decided; in a list of decided pairs, how many come before ``row``."""
        if self.status == ReviewStatus.PENDING:
            counted = self.rows.order_by().aggregate(
                total=Count("pk"), waiting=Count("pk", filter=Q(status=self.status))
            )
            return Progress(counted["total"] - counted["waiting"], counted["total"], pace)
        total = self.waiting.order_by().count()
        passed = with_place(self.waiting).filter(self._beyond(row, "lt")).count() if row else total
        return Progress(passed, total, pace)

    @staticmethod
    def _beyond(row: Reflection, side: str) -> Q:
        place = with_place(Reflection.objects.filter(pk=row.pk)).values_list("place", flat=True).get()
        return Q(**{f"place__{side}": place}) | Q(place=place, **{f"pk__{side}": row.pk})


# --- What is shown -----------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Clash:
    """A pair that somebody changed since the person looked at it: both texts, and what the person wanted."""

    row: Reflection
    yours: dict[str, str]
    deed: str

    @property
    def texts(self) -> list[tuple[str, str, str]]:
        """Name, theirs, yours of each part of the pair."""
        return [
            (name, getattr(self.row, name), self.yours.get(name, getattr(self.row, name)))
            for name in (*services.WORDING, "status")
        ]


@dataclass(frozen=True)
class Shown:
    """What the page shows after a request: a pair, a note on what happened, perhaps a clash or refused words."""

    pair: Reflection | None = None
    note: str = ""
    clash: Clash | None = None
    typed: dict[str, str] = field(default_factory=dict)


def number_in(data: QueryDict, name: str) -> int:
    """A key or counter that a request carries. Raises BadRequest where there is none."""
    try:
        return int(str(data[name]))
    except (KeyError, ValueError) as error:
        raise BadRequest(f"{name} has to be a number.") from error


class Visit:
    """One request to the queue: the queue it is about, the person's desk, and what can be done."""

    def __init__(self, request: HttpRequest, queue: ReviewQueue, own: QuerySet[Reflection]) -> None:
        self.request = request
        self.queue = queue
        self.desk = Desk(request.session, request.user)
        self._own = own.select_related("corpus", "reviewed_by").prefetch_related(None)

    def find(self, key: int | None) -> Reflection | None:
        """The pair of this number as it stands now, if the person may see it."""
        row = self._own.filter(pk=key).first() if key else None
        return row if row is None or row.is_latest else row.latest_revision()

    def next_after(self, row: Reflection | None = None) -> Reflection | None:
        return self.find(self.desk.first_free(self.queue.after(row)))

    def left_after(self, row: Reflection) -> Reflection | None:
        """The next pair after a decision; past the end, the first that is left, for decisions move flags about."""
        return self.next_after(row) or self.next_after()

    # -- looking --------------------------------------------------------------------------------------------
    def look(self) -> Shown:
        """The pair that the address names, or the one after or before it, or the first."""
        asked = self.request.GET
        row = self.find(number_in(asked, "pair")) if "pair" in asked else None
        if row is None:
            return Shown(self.next_after())
        if asked.get("go") == "next":
            return Shown(self.next_after(row))
        if asked.get("go") == "previous":
            before = self.find(self.queue.before(row))
            return Shown(before or row, "" if before else "This is the first pair of the list.")
        return Shown(row)

    # -- doing ----------------------------------------------------------------------------------------------
    def act(self) -> Shown:
        """Do what the form asks for. Raises BadRequest where it asks for nothing that there is."""
        deeds: dict[str, Callable[[], Shown]] = {
            "approved": self.decide,
            "rejected": self.decide,
            "save": self.save,
            "undo": self.undo,
        }
        deed = deeds.get(self.request.POST.get("deed", ""))
        if deed is None:
            raise BadRequest("There is nothing of that name to do.")
        return deed()

    @cached_property
    def words(self) -> dict[str, str]:
        """Question and answer as the person had them; browsers send lines that end as in no stored text."""
        posted = self.request.POST
        return {name: posted.get(name, "").replace("\r\n", "\n").strip() for name in services.WORDING}

    def decide(self) -> Shown:
        """Approve or reject the pair and go on to the next one."""
        status = self.request.POST["deed"]
        changes = {"status": status}
        if "over" in self.request.POST:  # over somebody else's change, knowingly, words and all
            changes |= self.words
        row = self.find(number_in(self.request.POST, "pair"))
        if row is None:
            return Shown(self.next_after(), "That pair is not here any more.")
        clash = self.write(row, changes)
        if clash and all(getattr(clash.row, name) == value for name, value in (changes | self.words).items()):
            return Shown(self.left_after(row), f"{who(clash.row)} {status} that pair already.")
        if clash:
            return Shown(clash.row, clash=clash)
        self.desk.measure()
        return Shown(self.left_after(row), f"{DONE[status]}.")

    def save(self) -> Shown:
        """Store new words and stay with the pair."""
        row = self.find(number_in(self.request.POST, "pair"))
        if row is None:
            return Shown(self.next_after(), "That pair is not here any more.")
        if not all(self.words.values()):
            return Shown(row, "Question and answer must not be empty. Nothing was saved.", typed=self.words)
        if clash := self.write(row, self.words):
            return Shown(clash.row, clash=clash)
        saved = self.find(row.pk) or row
        revised = f" as pair {saved.pk}: a version was trained on the old words" if saved != row else ""
        return Shown(saved, f"Saved{revised}.")

    def write(self, row: Reflection, changes: dict[str, str]) -> Clash | None:
        """Change the pair and note how to undo it; a clash where somebody changed it since the person looked."""
        posted = self.request.POST
        seen = number_in(posted, "edit")
        try:
            if row.pk != number_in(posted, "pair"):
                raise StaleEdit(row, changes)
            changed = services.revise(row, changes, self.request.user, seen_edit=seen)
        except (StaleEdit, Superseded):
            now = self.find(row.pk) or row
            return Clash(now, self.words | changes, posted["deed"])
        before = {name: getattr(row, name) for name, value in changes.items() if getattr(row, name) != value}
        if before:
            self.desk.remember(row, changed, before)
        return None

    def undo(self) -> Shown:
        """Bring back what was before the person's last change, as a change of its own."""
        step = self.desk.take_step_back()
        row = self.find(step["pair"]) if step else None
        if step is None or row is None:
            here = self.find(number_in(self.request.POST, "pair")) if "pair" in self.request.POST else None
            return Shown(here or self.next_after(), "There is nothing to undo.")
        return self._undo(step, row)

    def _undo(self, step: Step, row: Reflection) -> Shown:
        try:
            changed = services.revise(row, step["before"], self.request.user, seen_edit=step["edit"])
        except (StaleEdit, Superseded):
            now = self.find(row.pk)
            return Shown(now, f"{who(row)} changed this pair after you. Nothing was undone.")
        self.desk.follow(step, changed)
        undone = "decision" if "status" in step["before"] else "edit"
        return Shown(self.find(changed.pk), f"Your {undone} is undone.")


def who(row: Reflection) -> str:
    """Who changed the pair last."""
    return str(row.reviewed_by or "Somebody")


def neighbours_of(pair: Reflection, chunks: list[Any]) -> list[Reflection]:
    """Other pairs that the same passages support."""
    same = ReflectionSource.objects.filter(chunk__in=chunks).values("reflection")
    rows = Reflection.objects.present().filter(pk__in=same, retired=False).exclude(pk=pair.pk)
    return list(rows.only("question", "answer", "status")[:NEIGHBOURS])


# --- The page ----------------------------------------------------------------------------------------------
class ReviewQueueMixin(CorpusScopedAdmin):
    """The review queue of an admin of reflections, which says which pairs a list with given filters holds."""

    def listed(self, request: HttpRequest, filters: QueryDict) -> QuerySet[Reflection]:
        raise NotImplementedError

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.queue_view)
        return [path("queue/", view, name=self.url_name("queue")), *super().get_urls()]

    def queue_view(self, request: HttpRequest) -> HttpResponse:
        """One pair of the list that the address describes; with a POST, what became of a decision."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        filters = request.GET.copy()
        for name in ("pair", "go", PAGE_VAR):
            filters.pop(name, None)
        visit = Visit(request, self._queue(request, filters), self.get_queryset(request))
        shown = visit.act() if request.method == "POST" else visit.look()
        visit.desk.hold(shown.pair.pk if shown.pair else None)
        context = self._shown(request, visit, shown, filters)
        status = 409 if shown.clash else 200
        if PART_HEADER in request.headers:
            return TemplateResponse(request, "admin/knowledge/queue/part.html", context, status=status)
        if request.method == "POST" and not shown.clash and not shown.typed:
            self.message_user(request, shown.note, messages.INFO)
            return HttpResponseRedirect(context["here"])
        page = self.page(request, "Review pairs", **context)
        return TemplateResponse(request, "admin/knowledge/queue/page.html", page, status=status)

    def _queue(self, request: HttpRequest, filters: QueryDict) -> ReviewQueue:
        """The pairs of the list; those of every status count, those of one are gone through."""
        filters = filters.copy()
        status = filters.pop(STATUS_FILTER, [ReviewStatus.PENDING])[-1]
        rows = self.listed(request, filters)
        if not any(name.startswith("retired") for name in filters):
            rows = rows.filter(retired=False)
        return ReviewQueue(rows, status if status in ReviewStatus.values else ReviewStatus.PENDING)

    def _shown(self, request: HttpRequest, visit: Visit, shown: Shown, filters: QueryDict) -> dict[str, Any]:
        """What the templates need to show it."""
        pair, desk = shown.pair, visit.desk
        address = reverse(f"admin:{self.url_name('queue')}")
        query = f"?{filters.urlencode()}&" if filters else "?"
        passages = source_passages(pair) if pair else []
        return {
            "shown": shown,
            "pair": pair,
            "typed": shown.typed or ({"question": pair.question, "answer": pair.answer} if pair else {}),
            "passages": passages,
            "neighbours": neighbours_of(pair, [one.chunk for one in passages]) if passages and pair else [],
            "flags": list(pair.flags.all()) if pair else [],
            "suggestions": suggestions_for(pair, request.user) if pair else [],
            "progress": visit.queue.progress(pair, desk.pace),
            "status": visit.queue.status,
            "can_undo": bool(desk.steps),
            "start": f"{address}{query}",
            "here": f"{address}{query}pair={pair.pk}" if pair else f"{address}{query.rstrip('?&')}",
            "list_url": reverse(f"admin:{self.url_name('changelist')}") + query.rstrip("?&"),
            "pair_url": self.url_of(pair) if pair else "",
            "history_url": self.url_of(pair, "history") if pair else "",
        }
