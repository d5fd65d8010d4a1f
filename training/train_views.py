"""Pages about one training: the form that plans it, and the page on which it is followed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from knowledge.models import Corpus, Reflection, Role
from knowledge.views import corpus_or_404
from memosite.errors import Conflict
from training import services
from training.audience import open_trainings
from training.charts.curve import chart_of
from training.charts.gauge import gauge_of
from training.choices import version_numbered, with_named_base
from training.engine.config import as_yaml
from training.engine.errors import BadConfig
from training.models import TrainingRun
from training.plans import BadPlan, Plan, Wishes, command_of, config_of, plan_training, wishes_of
from training.train_form import CHOICES, choices, entries, keys, wishes_from_post, wishes_from_yaml
from training.version_views import rights
from training.views import PageRequest, poll_seconds

LOG_BYTES = 6_000
PAIRS_SHOWN = 50


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def train(request: HttpRequest, slug: str) -> HttpResponse:
    """The form of a training: checked as it is filled in, and started by its button."""
    corpus = corpus_or_404(request, slug, Role.CURATOR)
    if request.method != "POST":
        wishes, repeats = _suggested(request, corpus)
        return _form(request, corpus, wishes, _checked(request, corpus, wishes), repeats)
    deed = {"start": _start, "import": _import, "export": _export}.get(
        request.POST.get("do", "start"), _check
    )
    try:
        wishes = wishes_from_post(corpus, request.user, request.POST.dict())
    except BadPlan as problem:
        return _form(request, corpus, Wishes(), problem)
    return deed(request, corpus, wishes)


def _suggested(request: HttpRequest, corpus: Corpus) -> tuple[Wishes, TrainingRun | None]:
    """What the form begins with: as an earlier run was, going on from a version, or the default."""
    repeats, continues = (request.GET.get(name, "") for name in ("repeats", "continues"))
    if repeats.isdecimal():
        run = get_object_or_404(open_trainings(corpus, request.user).filter(rebuilds=None), pk=repeats)
        wishes = wishes_of(run)
        base, config = with_named_base(wishes.base_model, dict(wishes.config))
        return replace(wishes, base_model=base, config=config), run
    if continues.isdecimal():
        try:
            return Wishes(continues=version_numbered(corpus, request.user, int(continues))), None
        except BadPlan:
            return Wishes(), None
    return Wishes(), None


def _checked(request: HttpRequest, corpus: Corpus, wishes: Wishes) -> Plan | BadPlan:
    """The plan, or what is wrong with it."""
    try:
        return plan_training(corpus, request.user, wishes)
    except BadPlan as problem:
        return problem
    except Conflict as problem:
        return BadPlan({"": [str(problem)]})


def _check(request: HttpRequest, corpus: Corpus, wishes: Wishes) -> HttpResponse:
    return _form(request, corpus, wishes, _checked(request, corpus, wishes))


def _start(request: HttpRequest, corpus: Corpus, wishes: Wishes) -> HttpResponse:
    go_live = "go_live" in request.POST
    if go_live:
        corpus.require(request.user, Role.OWNER)
    repeats = _repeated(request, corpus)
    try:
        run = services.start_training(corpus, request.user, wishes, go_live=go_live, repeats=repeats)
    except BadPlan as problem:
        return _form(request, corpus, wishes, problem, repeats)
    except Conflict as problem:
        return _form(request, corpus, wishes, BadPlan({"": [str(problem)]}), repeats)
    return redirect("training-run", corpus.slug, run.pk)


def _import(request: HttpRequest, corpus: Corpus, wishes: Wishes) -> HttpResponse:
    """Fill the form in with a recipe that was pasted or uploaded."""
    try:
        file = request.FILES.get("yaml_file")
        text = file.read().decode("utf-8") if file else request.POST.get("yaml", "")
        wishes = wishes_from_yaml(wishes, text)
    except BadPlan as problem:
        return _form(request, corpus, wishes, problem)
    except (BadConfig, UnicodeDecodeError) as problem:
        return _form(request, corpus, wishes, BadPlan({"yaml": [str(problem)]}))
    return _check(request, corpus, wishes)


def _export(request: HttpRequest, corpus: Corpus, wishes: Wishes) -> HttpResponse:
    plan = _checked(request, corpus, wishes)
    if isinstance(plan, BadPlan):
        return _form(request, corpus, wishes, plan)
    return yaml_file(plan.yaml, f"{corpus.slug}-recipe")


def yaml_file(text: str, name: str) -> HttpResponse:
    disposition = {"Content-Disposition": f'attachment; filename="{name}.yaml"'}
    return HttpResponse(text, content_type="application/yaml; charset=utf-8", headers=disposition)


def _repeated(request: HttpRequest, corpus: Corpus) -> TrainingRun | None:
    number = request.POST.get("repeats", "")
    return open_trainings(corpus, request.user).filter(pk=number).first() if number.isdecimal() else None


def _form(
    request: HttpRequest,
    corpus: Corpus,
    wishes: Wishes,
    plan: Plan | BadPlan,
    repeats: TrainingRun | None = None,
) -> HttpResponse:
    """The page of the form, with the plan or with what is wrong at each entry."""
    problems = plan.problems if isinstance(plan, BadPlan) else {}
    front, others = entries(wishes, problems)
    visible = {*CHOICES, *keys(), "replay_share", "yaml"}
    forecast = plan.forecast if isinstance(plan, Plan) else None
    context = {
        "corpus": corpus,
        "wishes": wishes,
        "choices": choices(corpus, request.user, wishes, problems),
        "front": front,
        "others": others,
        "others_open": any(entry.errors for entry in others),
        "problems": [(name if name in visible else "", text) for name in problems for text in problems[name]],
        "field_problems": problems,
        "plan": None if problems else plan,
        "gauge": gauge_of(forecast) if forecast else None,
        "repeats": repeats or _repeated(request, corpus),
        "wants_live": "go_live" in request.POST,
        "pasted": request.POST.get("yaml", "") if problems.get("yaml") else "",
        **rights(request, corpus),
    }
    refused = problems and request.method == "POST" and not request.htmx  # type: ignore[attr-defined]
    return render(request, "training/train.html", context, status=422 if refused else 200)


# --- A run ---------------------------------------------------------------------------------------------------
@login_required
@require_safe
def training_run(request: PageRequest, slug: str, pk: int) -> HttpResponse:
    """A training as it goes on, and what became of it; asked by htmx, only the part that changes."""
    corpus = corpus_or_404(request, slug)
    run = get_object_or_404(
        open_trainings(corpus, request.user).select_related(
            "version__corpus", "continues__corpus", "base_model"
        ),
        pk=pk,
    )
    may_curate = corpus.allows(request.user, Role.CURATOR)
    context = {
        "corpus": corpus,
        "run": run,
        "chart": chart_of(run.curve, run.total),
        "last": run.curve[-1] if run.curve else {},
        "continued": run.continues,
        "poll_seconds": poll_seconds(run.is_active),
        **rights(request, corpus),
        **(_for_curators(corpus, run) if may_curate else {}),
    }
    part = "training/_run_state.html" if request.htmx else "training/run.html"
    return render(request, part, context)


def _for_curators(corpus: Corpus, run: TrainingRun) -> dict[str, Any]:
    """What tells of pairs and of the server: the logs of run and engine, pairs that were left out, the command."""
    config = config_of(run)
    ids = [number for number in run.result.get("too_long", ()) if str(number).isdecimal()]
    return {
        "log": run.log,
        "engine_log": log_tail(run),
        "too_long": Reflection.objects.filter(corpus=corpus, pk__in=ids[:PAIRS_SHOWN]),
        "command": command_of(config.model_dump(mode="json"), run.recipe) if config else "",
    }


def log_tail(run: TrainingRun) -> str:
    """The end of what the engine wrote for people, whole lines only."""
    file = settings.MEMORY_DIR / f"{run.folder_name}.log"
    if not file.exists():
        return ""
    with file.open("rb") as stream:
        size = stream.seek(0, 2)
        stream.seek(max(0, size - LOG_BYTES))
        text = stream.read().decode("utf-8", errors="replace")
    return text if size <= LOG_BYTES else text.partition("\n")[2]


@login_required
@require_safe
def run_recipe(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """The whole recipe of a run as a YAML file."""
    corpus = corpus_or_404(request, slug, Role.CURATOR)
    run = get_object_or_404(open_trainings(corpus, request.user), pk=pk)
    config = config_of(run)
    if config is None:
        raise Conflict("This release does not understand the recipe of that run any more.")
    return yaml_file(as_yaml(config), f"{corpus.slug}-run{run.pk}")
