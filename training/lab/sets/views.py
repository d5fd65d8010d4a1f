"""Pages about sets of questions, for the curators of a corpus: readers see no answers here."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from knowledge.downloads import file_of
from knowledge.models import Corpus, Role
from knowledge.views import corpus_or_404
from training.audience import live_for
from training.evaluation.readers import READERS, BadFile, Loaded
from training.lab.sets import services
from training.lab.sets.drafting import MAKERS, make_set
from training.lab.sets.forms import ImportForm, MakeForm, QuestionForm, SetForm
from training.lab.sets.passages import MOST_ON_A_PAGE, import_with_passages
from training.models import EvaluationQuestion, EvaluationSet

SETS_ON_A_PAGE = 50
QUESTIONS_ON_A_PAGE = 50
PREVIEWED = 5
ERRORS_SHOWN = 100
NEW = "new_%s"  # the ids of one of the two forms on a page
KINDS = {"": "All", "answerable": "Answerable", "unanswerable": "Not answerable", "set": "Sets"}


def set_or_404(request: HttpRequest, slug: str, pk: int) -> tuple[Corpus, EvaluationSet]:
    """A set with its corpus, for curators."""
    corpus = corpus_or_404(request, slug, Role.CURATOR)
    return corpus, get_object_or_404(corpus.evaluation_sets, pk=pk)


def question_or_404(request: HttpRequest, slug: str, pk: int, question: int) -> EvaluationQuestion:
    _, row = set_or_404(request, slug, pk)
    return get_object_or_404(row.questions.select_related("evaluation_set__corpus"), pk=question)


# --- All sets ----------------------------------------------------------------------------------------------
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def evaluation_sets(request: HttpRequest, slug: str) -> HttpResponse:
    """The sets of a corpus; posted to, a new empty one."""
    corpus = corpus_or_404(request, slug, Role.CURATOR)
    form = SetForm(request.POST or None, auto_id=NEW)
    if request.method == "POST" and form.is_valid():
        return redirect(services.create_set(corpus, request.user, **form.cleaned_data))
    return _all_sets(request, corpus, new=form)


@login_required
@require_POST
def make(request: HttpRequest, slug: str) -> HttpResponse:
    """Make questions from what the corpus holds."""
    corpus = corpus_or_404(request, slug, Role.CURATOR)
    form = MakeForm(request.POST)
    if not form.is_valid():
        return _all_sets(request, corpus, make=form)
    row, stored, told = make_set(corpus, request.user, **form.cleaned_data)
    messages.success(request, f"Questions: {stored}. {told}".strip())
    return redirect(row)


def _all_sets(
    request: HttpRequest, corpus: Corpus, *, new: SetForm | None = None, make: MakeForm | None = None
) -> HttpResponse:
    rows = services.sets_of(corpus).annotate(
        asked=Count("questions"), unanswerable=Count("questions", filter=Q(questions__answerable=False))
    )
    context = {
        "corpus": corpus,
        "page": Paginator(rows, SETS_ON_A_PAGE).get_page(request.GET.get("page")),
        "new": new or SetForm(auto_id=NEW),
        "make": make or MakeForm(),
        "makers": MAKERS.values(),
        "may_own": corpus.allows(request.user, Role.OWNER),
    }
    return render(request, "lab/sets.html", context, status=422 if request.method == "POST" else 200)


# --- Files -------------------------------------------------------------------------------------------------
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def bring_in(request: HttpRequest, slug: str) -> HttpResponse:
    """Questions from a file: checked, or stored where all of it is good."""
    corpus = corpus_or_404(request, slug, Role.CURATOR)
    form = ImportForm(request.POST or None, request.FILES or None)
    context: dict[str, Any] = {"corpus": corpus, "form": form, "readers": READERS.values()}
    context["may_own"] = corpus.allows(request.user, Role.OWNER)
    if request.method != "POST" or not form.is_valid():
        status = 422 if request.method == "POST" else 200
        return render(request, "lab/set_import.html", context, status=status)
    wanted = form.cleaned_data
    try:
        loaded = services.read_upload(wanted["file"], wanted["format"])
    except BadFile as error:
        context |= {"error": error, "problems": error.problems[:ERRORS_SHOWN]}
        return render(request, "lab/set_import.html", context, status=error.status)
    if "check" in request.POST:
        context |= {"loaded": loaded, "preview": loaded.questions[:PREVIEWED]}
        return render(request, "lab/set_import.html", context)
    how = {"name": wanted["name"], "is_golden": wanted["is_golden"]}
    try:
        row, told = _brought_in(corpus, request.user, loaded, how, with_passages=wanted["with_passages"])
    except services.BadSet as error:
        context |= {"error": error}
        return render(request, "lab/set_import.html", context, status=error.status)
    messages.success(request, told)
    return redirect(row)


def _brought_in(
    corpus: Corpus, person: Any, loaded: Loaded, how: dict[str, Any], *, with_passages: bool
) -> tuple[EvaluationSet, str]:
    """The set with the questions of a file, and in words what became of these and of their passages."""
    if not with_passages:
        row, stored = services.import_set(corpus, person, loaded=loaded, **how)
        return row, f"Questions: {stored}."
    row, stored, brought = import_with_passages(corpus, person, loaded=loaded, most=MOST_ON_A_PAGE, **how)
    return row, f"Questions: {stored}. Documents: {brought}."


@login_required
@require_safe
def take_out(request: HttpRequest, slug: str, pk: int) -> StreamingHttpResponse:
    """The questions of a set as a file."""
    _, row = set_or_404(request, slug, pk)
    return set_file(request, row, request.GET.get("as", "csv"))


def set_file(request: Any, row: EvaluationSet, format: str) -> StreamingHttpResponse:
    """The set as a download. Raises BadSet where there is no such format."""
    blocks = services.export_set(row, format)
    return file_of(request, blocks, services.EXPORTS[format][0], f"{row.corpus.slug}-{row.name}.{format}")


# --- One set -----------------------------------------------------------------------------------------------
@login_required
@require_safe
def evaluation_set(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """A set with its questions, some at a time."""
    corpus, row = set_or_404(request, slug, pk)
    words, kind = request.GET.get("q", "").strip(), request.GET.get("kind", "")
    page = Paginator(services.questions_matching(row, words, kind), QUESTIONS_ON_A_PAGE)
    live, _ = live_for(corpus, request.user)
    context = {
        "corpus": corpus,
        "set": row,
        "page": page.get_page(request.GET.get("page")),
        "page_query": f"{urlencode({'q': words, 'kind': kind})}&",
        "words": words,
        "kind": kind,
        "kinds": KINDS.items(),
        "count": row.questions.count(),
        "live": live,
        "trained_on": services.trained_questions(row, live).count() if live else 0,
        "form": SetForm(initial={name: getattr(row, name) for name in SetForm.base_fields}),
        "may_own": corpus.allows(request.user, Role.OWNER),
    }
    return render(request, "lab/set.html", context)


@login_required
@require_POST
def change(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Rename a set, describe it, or make it golden."""
    _, row = set_or_404(request, slug, pk)
    form = SetForm(request.POST)
    if not form.is_valid():
        raise services.BadSet(" ".join(str(error) for errors in form.errors.values() for error in errors))
    services.change_set(row, request.user, **form.cleaned_data)
    messages.success(request, "The set was saved.")
    return redirect(row)


@login_required
@require_POST
def delete(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Delete a set."""
    corpus, row = set_or_404(request, slug, pk)
    services.delete_set(row, request.user)
    messages.success(request, f"The set “{row.name}” was deleted. What runs found with it stays.")
    return redirect("evaluation-sets", corpus.slug)


# --- One question ------------------------------------------------------------------------------------------
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new_question(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Write a question into a set."""
    _, row = set_or_404(request, slug, pk)
    services.require_may_change(row, request.user)
    form = QuestionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        services.add_question(row, request.user, form.question)
        messages.success(request, "The question was added.")
        return redirect(
            "new-evaluation-question" if "another" in request.POST else "evaluation-set", slug, pk
        )
    return _question_page(request, row, form)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def evaluation_question(request: HttpRequest, slug: str, pk: int, question: int) -> HttpResponse:
    """A question of a set, to be changed."""
    asked = question_or_404(request, slug, pk, question)
    services.require_may_change(asked.evaluation_set, request.user)
    form = QuestionForm(request.POST or None, initial=QuestionForm.values_of(asked))
    if request.method == "POST" and form.is_valid():
        services.change_question(asked, request.user, form.question)
        messages.success(request, "The question was saved.")
        return redirect("evaluation-set", slug, pk)
    return _question_page(request, asked.evaluation_set, form, asked)


@login_required
@require_POST
def delete_question(request: HttpRequest, slug: str, pk: int, question: int) -> HttpResponse:
    """Take a question out of a set."""
    services.delete_question(question_or_404(request, slug, pk, question), request.user)
    messages.success(request, "The question was deleted.")
    return redirect("evaluation-set", slug, pk)


def _question_page(
    request: HttpRequest, row: EvaluationSet, form: QuestionForm, asked: EvaluationQuestion | None = None
) -> HttpResponse:
    context = {"corpus": row.corpus, "set": row, "form": form, "question": asked}
    return render(request, "lab/question.html", context, status=422 if request.method == "POST" else 200)
