"""The corpus page as a dashboard: where the corpus stands, what is not covered, and what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import reverse

from knowledge import dashboard, services
from knowledge.admin.flag_chips import WORDS
from knowledge.admin.urls import list_url
from knowledge.dashboard import KindRow
from knowledge.lineage import TrainedVersion, versions_of
from knowledge.models import Corpus, Flag, GenerationRun, Reflection, ReviewStatus
from memosite.errors import Conflict

PASSAGES_A_PAGE = 50
FLAG_STEPS = {  # what a curator reads about a flag; one pair, several pairs
    Flag.CONTRADICTION: (
        "pair answers a question otherwise than another pair",
        "pairs contradict each other",
    ),
    Flag.DOCUMENT_CHANGED: ("pair rests on a document that changed", "pairs rest on documents that changed"),
    Flag.UNSUPPORTED_SPAN: ("pair says what its passage does not", "pairs say what their passages do not"),
    Flag.NOT_SELF_CONTAINED: (
        "pair cannot be understood by itself",
        "pairs cannot be understood by themselves",
    ),
    Flag.NEAR_DUPLICATE: ("pair is almost the same as another", "pairs are almost the same as others"),
    Flag.VERY_LONG: ("pair is very long", "pairs are very long"),
    Flag.VERY_SHORT: ("pair is very short", "pairs are very short"),
}


@dataclass(frozen=True)
class NextStep:
    """Something that wants doing, in plain words, and where it is done. ``posts`` says that a click does it."""

    text: str
    deed: str
    url: str
    posts: bool = False


@dataclass(frozen=True)
class Cell:
    """A number that leads to the pairs that it counts."""

    status: str
    count: int
    url: str


def dashboard_context(corpus: Corpus, person: Any) -> dict[str, Any]:
    """Everything that the corpus page shows the person beside what the corpus is and who belongs to it."""
    kinds, flags = dashboard.by_kind(corpus), dashboard.flag_counts(corpus)
    covered = dashboard.coverage(corpus)
    return {
        "kinds": [(row, cells(corpus, row)) for row in kinds],
        "kinds_most": max((row.total for row in kinds), default=0),
        "statuses": ReviewStatus,
        "flags": [(WORDS[flag][0], count, flag_url(corpus, flag)) for flag, count in flags.items()],
        "coverage": covered,
        "documents_covered": dashboard.worst_covered(corpus),
        "documents_shown": dashboard.DOCUMENTS_SHOWN,
        "spend": dashboard.spend_of(corpus),
        "next_steps": next_steps(corpus, kinds, flags, covered.bare),
        "coverage_url": corpus_url(corpus, "coverage"),
        "passages_url": corpus_url(corpus, "passages"),
        "more_url": corpus_url(corpus, "more"),
        "stale_versions": stale_versions(corpus, person),
    }


def corpus_url(corpus: Corpus, name: str) -> str:
    return reverse(f"admin:knowledge_corpus_{name}", args=[corpus.pk])


def cells(corpus: Corpus, row: KindRow) -> list[Cell]:
    """The row's numbers with links to the lists behind them."""
    return [
        Cell(status, count, pairs_url(corpus, kind__exact=row.kind, status__exact=status))
        for status, count in row.counts.items()
    ]


def pairs_url(corpus: Corpus, **filters: str) -> str:
    """A list of pairs that are in play."""
    return list_url(Reflection, corpus, retired__exact="0", **filters)


def flag_url(corpus: Corpus, flag: Flag) -> str:
    """The pairs with a flag that wait for a decision; of changed documents, the decided ones as well."""
    pending = {} if flag == Flag.DOCUMENT_CHANGED else {"status__exact": ReviewStatus.PENDING.value}
    return pairs_url(corpus, flag=flag.value, **pending)


def stale_versions(corpus: Corpus, person: Any) -> list[TrainedVersion]:
    """The versions that the person may see and that learned pairs whose documents have changed since."""
    changed = corpus.reflections.filter(flags__flag=Flag.DOCUMENT_CHANGED)
    return versions_of(changed, person)


# --- What to do next ---------------------------------------------------------------------------------------
def next_steps(corpus: Corpus, kinds: Sequence[KindRow], flags: dict[Flag, int], bare: int) -> list[NextStep]:
    """What wants doing, the most pressing first."""
    if not corpus.documents.current().exists():
        upload = f"{reverse('admin:knowledge_document_upload')}?{_query(corpus=corpus.slug)}"
        return [NextStep("There are no documents yet.", "Add documents", upload)]
    if not kinds:
        generate = corpus_url(corpus, "generate")
        return [NextStep("There are no pairs yet.", "Generate pairs", generate, posts=True)]
    steps = [
        NextStep(f"{counted(flags[flag], *texts)}.", "Look at them", flag_url(corpus, flag))
        for flag, texts in FLAG_STEPS.items()
        if flag in flags
    ]
    return [*steps, *_review_step(corpus, kinds), *_coverage_step(corpus, bare)]


def _review_step(corpus: Corpus, kinds: Sequence[KindRow]) -> list[NextStep]:
    pending = sum(row.counts[ReviewStatus.PENDING] for row in kinds)
    if not pending:
        return []
    url = pairs_url(corpus, status__exact=ReviewStatus.PENDING.value)
    sample = f"{reverse('admin:knowledge_reflection_sample')}?{url.partition('?')[2]}"
    text = f"{counted(pending, 'pair waits', 'pairs wait')} for review"
    if pending < 100:
        return [NextStep(f"{text}.", "Review them", url)]
    return [
        NextStep(f"{text}.", "Review them", url),
        NextStep(
            "Or judge a random sample of them, and approve the rest if it is good.", "Draw a sample", sample
        ),
    ]


def _coverage_step(corpus: Corpus, bare: int) -> list[NextStep]:
    if not bare:
        return []
    text = f"{counted(bare, 'passage', 'passages')} gave no pair."
    return [NextStep(text, "See which", corpus_url(corpus, "passages"))]


def counted(number: int, one: str, several: str) -> str:
    """1 pair, 1,930 pairs."""
    return f"{number:,} {one if number == 1 else several}"


def _query(**values: str) -> str:
    query = QueryDict(mutable=True)
    query.update(values)
    return query.urlencode()


# --- Coverage ----------------------------------------------------------------------------------------------
def generate_for_passages(corpus: Corpus, person: Any, chunks: Sequence[int]) -> GenerationRun:
    """Ask the corpus's GENERATOR for pairs of these passages. Raises Conflict where there are none."""
    if not chunks:
        raise Conflict("Choose at least one passage. If none is left, every passage has given a pair.")
    return services.start_generation(corpus, person, chunks=chunks)


def chosen_passages(corpus: Corpus, data: QueryDict) -> list[int]:
    """The passages named in a form: by key, or all bare ones of a document, or all bare ones there are."""
    if "passages" in data:
        keys = [int(key) for key in data.getlist("passages") if key.isdecimal()]
        rows = dashboard.bare_passages(corpus).filter(pk__in=keys)
    elif "all" in data:
        document = data.get("document", "")
        rows = dashboard.bare_passages(corpus, int(document) if document.isdecimal() else None)
    else:
        return []
    return list(rows.order_by("document", "position").values_list("pk", flat=True))


class DashboardViews:
    """The pages below the corpus page; mixed into its admin."""

    def dashboard_urls(self: Any) -> list[Any]:
        return [
            self.row_url("coverage", self.coverage_view, posts=False),
            self.row_url("passages", self.passages_view, posts=False),
            self.row_url("more", self.more_view),
        ]

    def coverage_view(self: Any, request: HttpRequest, corpus: Corpus) -> HttpResponse:
        """All documents by their coverage, the least covered first."""
        page = Paginator(dashboard.coverage_by_document(corpus), PASSAGES_A_PAGE).get_page(
            request.GET.get("page")
        )
        rows = [
            dashboard.DocumentCoverage(row["document"], row["title"], row["passages"], row["with_pair"])
            for row in page
        ]
        context = self.page(
            request,
            f"Coverage of {corpus}",
            corpus=corpus,
            pages=page,
            documents_covered=rows,
            more_url=corpus_url(corpus, "more"),
            passages_url=corpus_url(corpus, "passages"),
        )
        return TemplateResponse(request, "admin/knowledge/corpus/coverage.html", context)

    def passages_view(self: Any, request: HttpRequest, corpus: Corpus) -> HttpResponse:
        """The passages that gave no pair, to be read and chosen from."""
        document = request.GET.get("document", "")
        rows = dashboard.bare_passages(corpus, int(document) if document.isdecimal() else None)
        rows = rows.select_related("document").defer("document__text").order_by("document", "position")
        page = Paginator(rows, PASSAGES_A_PAGE).get_page(request.GET.get("page"))
        context = self.page(
            request,
            "Passages without a pair",
            corpus=corpus,
            pages=page,
            document=document,
            more_url=corpus_url(corpus, "more"),
            back_url=self.url_of(corpus),
        )
        return TemplateResponse(request, "admin/knowledge/corpus/passages.html", context)

    def more_view(self: Any, request: HttpRequest, corpus: Corpus) -> HttpResponse:
        """Start a generation for the passages of the form."""
        run = generate_for_passages(corpus, request.user, chosen_passages(corpus, request.POST))
        self.message_user(request, f"{run} is on its way.")
        return HttpResponseRedirect(self.admin_site.get_model_admin(type(run)).url_of(run))
