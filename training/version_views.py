"""Pages about memory versions: one with its lineage and history, two side by side, and what their owner does."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Sum
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from markdown_it import MarkdownIt

from knowledge.models import Corpus, Role
from knowledge.views import corpus_or_404
from memosite.errors import Conflict
from training import services
from training.audience import as_seen_by, live_for, moves_of, open_versions, readers_lost
from training.charts.abstaining import abstaining_of
from training.charts.curve import chart_of
from training.compare import CHANGES, PairChanges, config_lines, lineage_lines, metric_lines
from training.downloads import zip_response
from training.exporting import card_of
from training.figures import figures_of, settings_of
from training.lab.gate.services import state_of
from training.lab.probes.diff import diff_before_promotion
from training.merge_report import report_of
from training.models import CANDIDATE, LIVE, DeletedVersion, MemoryVersion, MergeRun, VersionKind
from training.overview import knowledge_as_of
from training.rebuilding import start_rebuild
from training.registry import VersionNeeded, delete_version, require_unneeded

RECENT_MOVES = 50
PAIRS_ON_A_PAGE = 50
RECENT_REBUILDS = 5


def rights(request: HttpRequest, row: Corpus) -> dict[str, bool]:
    return {
        "may_curate": row.allows(request.user, Role.CURATOR),
        "may_own": row.allows(request.user, Role.OWNER),
    }


def version_or_404(
    request: HttpRequest, slug: str, number: int, role: Role = Role.READER
) -> tuple[Corpus, MemoryVersion]:
    """A version that the person may ask, with its corpus: to others it does not exist."""
    corpus = corpus_or_404(request, slug, role)
    return corpus, get_object_or_404(open_versions(corpus, request.user), number=number)


def card_as_html(card: str) -> str:
    """The card's text without its front matter. HTML in it is escaped, and dangerous links are not made."""
    text = card.split("\n---\n", 1)[-1]
    return MarkdownIt("commonmark", {"html": False}).enable("table").render(text)


@login_required
@require_safe
def version(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """A memory version: how it was made, how good it is, and when it was live."""
    row, shown = version_or_404(request, slug, number)
    run = row.training_runs.filter(version=shown).first()
    merge = MergeRun.objects.for_reader(request.user).filter(version=shown).first()
    context = {
        "corpus": row,
        "version": shown,
        "figures": figures_of(shown.metrics),
        "abstaining": abstaining_of(shown.metrics),
        "settings": settings_of(shown.config),
        "as_of": knowledge_as_of(shown),
        "chart": chart_of(run.curve, run.total) if run else None,
        "run": run,
        "continued": run.continues if run and run.continues and run.continues.allows(request.user) else None,
        "trained_pairs": shown.pairs.filter(held_out=False).count(),
        "held_out_pairs": shown.pairs.filter(held_out=True).count(),
        "corpora": shown.corpora.order_by("name"),
        "parents": MemoryVersion.objects.for_reader(request.user).filter(children=shown),
        "children": MemoryVersion.objects.for_reader(request.user).filter(parents=shown),
        "readers_lost": readers_lost(shown),
        "gate": None if shown.is_live else state_of(shown, request.user),
        "card": mark_safe(card_as_html(card_of(shown))),  # noqa: S308 - raw HTML in it is shown as text
        "merge": merge,
        "report": report_of(merge.result) if merge else None,
        "rebuilds": shown.rebuilt_by.select_related("created_by")[:RECENT_REBUILDS],
        "can_rebuild": shown.kind == VersionKind.TRAINED,
        **_history(request, row),
        **rights(request, row),
    }
    context["diff_before"] = diff_before_promotion(context["live"], shown)
    return render(request, "training/version.html", context)


def _history(request: HttpRequest, row: Corpus) -> dict[str, Any]:
    """All versions of a corpus, and which of them was live when, as far as the person may see them."""
    versions = open_versions(row, request.user)
    live, live_is_closed = live_for(row, request.user)
    before = services.version_before(row)
    deleted = DeletedVersion.objects.for_reader(request.user).filter(corpus=row)
    return {
        "versions": versions,
        "disk_use": versions.aggregate(total=Sum("size_bytes"))["total"],
        "live": live,
        "live_is_closed": live_is_closed,
        "candidate": versions.filter(aliases__name=CANDIDATE).first(),
        "before": before if before in versions else None,
        "moves": as_seen_by(request.user, row, moves_of(row)[:RECENT_MOVES]),
        "deleted": deleted.select_related("deleted_by")[:RECENT_MOVES],
    }


@login_required
@require_POST
def promote(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Point an alias at this version: ``live`` lets it answer people's questions from now on."""
    _, chosen = version_or_404(request, slug, number, Role.OWNER)
    alias = request.POST.get("alias", LIVE)
    reason = request.POST.get("reason", "")
    services.promote(
        chosen,
        request.user,
        reason=reason,
        alias=alias,
        narrow="narrow" in request.POST,
        override=request.POST.get("override", ""),
    )
    told = "answers from now on" if alias == LIVE else "is the candidate now"
    messages.success(request, f"Version {chosen.number} {told}.")
    return redirect(chosen)


@login_required
@require_POST
def rollback(request: HttpRequest, slug: str) -> HttpResponse:
    """Go back to the version that was live before, if it is still the one that the page named."""
    row = corpus_or_404(request, slug, Role.OWNER)
    before = services.version_before(row)
    if before and request.POST.get("to", str(before.number)) != str(before.number):
        raise Conflict("Another version went live since this page was loaded. Look at it again.")
    services.rollback(row, request.user)
    number = services.live_version(row).number
    messages.success(request, f"Rolled back: version {number} answers from now on.")
    return redirect(row)


@login_required
@require_safe
def compare(request: HttpRequest, slug: str) -> HttpResponse:
    """Two versions of a corpus side by side; without both named, the choice of them."""
    row = corpus_or_404(request, slug)
    versions = open_versions(row, request.user)
    context: dict[str, Any] = {"corpus": row, "versions": versions, **rights(request, row)}
    if request.GET.get("a") and request.GET.get("b"):
        a, b = (_chosen(versions, request.GET[side]) for side in ("a", "b"))
        context |= {"a": a, "b": b, **_side_by_side(request, a, b)}
    return render(request, "training/compare.html", context)


def _chosen(versions: Any, number: str) -> MemoryVersion:
    if not number.isdecimal():
        raise Http404("A version is named by its number.")
    found: MemoryVersion = get_object_or_404(versions, number=number)
    return found


def _side_by_side(request: HttpRequest, a: MemoryVersion, b: MemoryVersion) -> dict[str, Any]:
    changes = PairChanges(a, b)
    counts = changes.counts()
    change = request.GET.get("change", "")
    if change not in CHANGES:
        change = next((name for name in CHANGES if counts[name]), CHANGES[0])
    page = Paginator(changes.keys[change], PAIRS_ON_A_PAGE).get_page(request.GET.get("page"))
    settings = config_lines(a, b)
    return {
        "metrics": metric_lines(a, b),
        "gates": [state_of(side, request.user) for side in dict.fromkeys((a, b)) if not side.is_live],
        "lineage": lineage_lines(a, b, request.user),
        "settings": settings,
        "differing": [line for line in settings if line.differs],
        "counts": counts,
        "change": change,
        "page": page,
        "pairs": changes.pairs(page.object_list),
    }


@login_required
@require_safe
def export(request: HttpRequest, slug: str, number: int) -> StreamingHttpResponse:
    """The version as a zip file that holds a folder for transformers and vLLM."""
    _, chosen = version_or_404(request, slug, number, Role.OWNER)
    return zip_response(request, chosen, with_pairs="pairs" in request.GET)


@login_required
@require_POST
def rebuild(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Train the version once more, to compare the hashes."""
    _, chosen = version_or_404(request, slug, number, Role.CURATOR)
    start_rebuild(chosen, request.user)
    messages.success(request, f"Version {number} is being trained once more; no new version comes of it.")
    return redirect(chosen)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Ask whether to delete the version; then delete it, with its pairs and its folder."""
    row, doomed = version_or_404(request, slug, number, Role.OWNER)
    if request.method != "POST":
        context = {
            "corpus": row,
            "version": doomed,
            "aliases": doomed.aliases.all(),
            "needed": _needed(doomed, request.user),
        }
        return render(request, "training/delete_version.html", context)
    delete_version(doomed, request.user, reason=request.POST.get("reason", ""))
    messages.success(request, f"Version {number} was deleted.")
    return redirect(row)


def _needed(version: MemoryVersion, person: Any) -> str:
    """Which run needs the version, and what can be done; empty where none does."""
    try:
        require_unneeded(version, person)
    except VersionNeeded as refusal:
        return str(refusal)
    return ""
