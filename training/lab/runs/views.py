"""Pages about evaluations: the form, a run while it goes on and what it found, and a question with all answers."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from knowledge.downloads import file_of
from knowledge.models import Corpus, Role
from knowledge.views import corpus_or_404
from memosite.errors import MemoError
from training.lab.runs.files import file_name, form_named
from training.lab.runs.filters import DIFFER, OUTCOMES, QuestionFilter, in_columns, tag_choices, with_answers
from training.lab.runs.form import FormPage, wishes_from_post
from training.lab.runs.report import full_label, report_of, standings
from training.lab.runs.transcripts import transcript_as_html
from training.lab.runs.wishes import Wishes, narrowed, start, suggested, wishes_of
from training.models import EvaluationRun
from training.views import BUSY_SECONDS, PageRequest

QUESTIONS_ON_A_PAGE = 50
RUNS_ON_A_PAGE = 50
FILLS = ("fill", "repeats", "set", "version")  # what an address may say about the form


def open_evaluations(corpus: Corpus, person: Any) -> Any:
    """The corpus's evaluations that the person may see, the newest first."""
    seen = EvaluationRun.objects.for_reader(person).filter(corpus=corpus)
    return seen.select_related("corpus", "evaluation_set", "created_by", "judge", "distractors")


def _run_or_404(request: HttpRequest, slug: str, pk: int) -> tuple[Corpus, EvaluationRun]:
    corpus = corpus_or_404(request, slug, Role.CURATOR)
    return corpus, get_object_or_404(open_evaluations(corpus, request.user), pk=pk)


# --- The list and the form -------------------------------------------------------------------------------------
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def evaluations(request: HttpRequest, slug: str) -> HttpResponse:
    """The evaluations of a corpus, and the form that starts one; what does not fit is said in the form."""
    corpus = corpus_or_404(request, slug, Role.CURATOR)
    if request.method != "POST":
        return _list(request, corpus, _wishes_to_begin_with(request, corpus))
    wishes = Wishes()
    try:
        wishes = wishes_from_post(request.POST)
        run = start(corpus, request.user, wishes)
    except MemoError as error:
        return _list(request, corpus, wishes, str(error), error.status)
    return redirect(run)


def _wishes_to_begin_with(request: HttpRequest, corpus: Corpus) -> Wishes:
    repeats = request.GET.get("repeats", "")
    if repeats.isdecimal():
        return wishes_of(get_object_or_404(open_evaluations(corpus, request.user), pk=repeats))
    begun = suggested(corpus, request.user, request.GET.get("fill", ""))
    return narrowed(begun, corpus, request.user, request.GET.get("set", ""), request.GET.get("version", ""))


def _list(
    request: HttpRequest, corpus: Corpus, wishes: Wishes, problem: str = "", status: int = 200
) -> HttpResponse:
    runs = Paginator(open_evaluations(corpus, request.user), RUNS_ON_A_PAGE)
    context = {
        "corpus": corpus,
        "page": runs.get_page(request.GET.get("page")),
        "form": FormPage(corpus, request.user, wishes),
        "problem": problem,
        "is_filled": bool(problem) or any(request.GET.get(name) for name in FILLS),
        "may_curate": True,
    }
    return render(request, "lab/evaluations.html", context, status=status)


# --- A run -----------------------------------------------------------------------------------------------------
@login_required
@require_safe
def evaluation(request: PageRequest, slug: str, pk: int) -> HttpResponse:
    """A run as it goes on, and what it found; asked by htmx, only the part that changes."""
    corpus, run = _run_or_404(request, slug, pk)
    report = None if run.is_active else report_of(run)
    context = {
        "corpus": corpus,
        "run": run,
        "report": report,
        "standings": [] if report else standings(run),
        "poll_seconds": BUSY_SECONDS,
        "may_curate": True,
    }
    if request.htmx:
        part = render(request, "lab/_run_state.html", context)
        if not run.is_active:
            part["HX-Refresh"] = "true"
        return part
    return render(request, "lab/evaluation.html", context | _questions(request, run))


def _questions(request: HttpRequest, run: EvaluationRun) -> dict[str, Any]:
    """A page of the run's questions, filtered."""
    chosen = QuestionFilter.of(request.GET.dict())
    found = with_answers(chosen.apply(run.questions.order_by("position")))
    page = Paginator(found, QUESTIONS_ON_A_PAGE).get_page(request.GET.get("page"))
    contestants = [
        (row.position, full_label(row.label, row.executive, row.noise))
        for row in run.contestants.order_by("position")
    ]
    positions = [position for position, _ in contestants]
    return {
        "page": page,
        "rows": [(row, in_columns(row, positions)) for row in page],
        "page_query": chosen.query,
        "chosen": chosen,
        "outcomes": {name: label for name, (label, _) in OUTCOMES.items()} | {DIFFER: "answered differently"},
        "tags": tag_choices(run),
        "contestants": contestants,
    }


@login_required
@require_safe
def question(request: HttpRequest, slug: str, pk: int, position: int) -> HttpResponse:
    """One question with every contestant's answer and its whole interrogation, side by side."""
    corpus, run = _run_or_404(request, slug, pk)
    rows = with_answers(run.questions.all(), transcripts=True)
    row = get_object_or_404(rows, position=position)
    answers = [
        (
            answer,
            full_label(answer.contestant.label, answer.contestant.executive, answer.contestant.noise),
            transcript_as_html(answer.transcript),
        )
        for answer in row.given.all()
    ]
    last = run.questions.count()
    context = {
        "corpus": corpus,
        "run": run,
        "question": row,
        "answers": answers,
        "previous": position - 1 if position > 1 else None,
        "next": position + 1 if position < last else None,
        "last": last,
    }
    return render(request, "lab/asked_question.html", context)


@login_required
@require_safe
def export(request: HttpRequest, slug: str, pk: int) -> StreamingHttpResponse:
    """The run as a file in the form that ``as`` names."""
    _, run = _run_or_404(request, slug, pk)
    form = form_named(request.GET.get("as", "csv"))
    return file_of(request, form.write(run), form.media_type, file_name(run, form))


@login_required
@require_POST
def cancel(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Stop a run; what was answered stays."""
    _, run = _run_or_404(request, slug, pk)
    run.request_cancel()
    messages.success(request, "The evaluation is being cancelled.")
    return redirect(run)


@login_required
@require_POST
def resume(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Let a run that failed go on behind its last answer."""
    _, run = _run_or_404(request, slug, pk)
    run.resume()
    messages.success(request, "The evaluation goes on. What was answered is not asked again.")
    return redirect(run)
