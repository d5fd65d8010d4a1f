"""Merging from the page, over REST, on the command line, and in the workbench."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.urls import reverse

from knowledge.models import Role
from memosite.runs import Status
from tests.factories import CorpusFactory, MemoryVersionFactory, MergeRunFactory, UserFactory
from tests.workbench import browser_of, make_person
from training.engine.merge_methods import METHODS
from training.models import MergeRun

pytestmark = pytest.mark.django_db
PAGE = "/corpora/harbour/versions/merge/"
HTMX = {"HX-Request": "true"}
FIGURES = {"trained_recall": 0.9, "held_out_recall": None, "false_answer_rate": 0.1}
RESULT = {
    "seconds": 2.0,
    "evaluation_seconds": 9.0,
    "training_seconds": 600.0,
    "adapter_kept": None,
    "exams": [
        {"name": "Harbour v1", "own": FIGURES, "merged": FIGURES | {"trained_recall": 0.5}},
        {"name": "Tower v1", "own": FIGURES, "merged": FIGURES | {"false_answer_rate": 0.05}},
    ],
}


@pytest.fixture
def desk(cara: Any) -> Client:
    """A browser of the curator of the harbour, who reads the tower."""
    return browser_of(cara)


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())


# --- The page ------------------------------------------------------------------------------------------------
def test_the_corpus_page_leads_curators_to_the_merge_and_readers_not(desk, harbour, parents):
    assert PAGE in text(desk.get("/corpora/harbour/"))
    assert PAGE not in text(browser_of(UserFactory(reads=harbour)).get("/corpora/harbour/"))


def test_the_page_offers_what_one_may_ask_each_method_and_honest_advice(desk, parents):
    secret = MemoryVersionFactory(corpus__name="Secret plans")
    page = text(desk.get(PAGE))
    assert [f"parent-{one.pk}" in page for one in (*parents, secret)] == [True, True, False]
    assert "Secret plans" not in page
    for name, method in METHODS.items():
        assert f"method-{name}" in page
        assert method.description.replace("'", "&#x27;") in page
    assert "ask several corpora in one chat" in page


def test_a_corpus_with_nothing_to_merge_says_so(desk, harbour):
    assert "Train one on this corpus first" in text(desk.get(PAGE))
    MemoryVersionFactory(corpus=harbour)
    page = text(desk.get(PAGE))
    assert "Nothing to merge yet" in page
    assert "train another one" in page


def test_the_form_starts_a_merge_in_the_order_of_its_list(desk, parents, cara):
    form = {"parents": [one.pk for one in parents[::-1]], "method": "ties", "density": "0.2"}
    answer = desk.post(PAGE, form | {f"weight_{parents[1].pk}": "3"})
    run = MergeRun.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, PAGE)
    assert run.parents_in_order == parents
    assert (run.method, run.options) == ("ties", {"weights": [1.0, 3.0], "density": 0.2, "scale": 1.0})
    assert run.created_by == cara


@pytest.mark.parametrize(
    ("form", "status", "message"),
    [
        ({"method": "linear"}, 422, "Choose at least two versions."),
        ({"parents": "one", "method": "linear"}, 422, "at least two parents"),
        ({"parents": "both"}, 422, "Choose a method."),
        ({"parents": "both", "method": "linear", "density": "0.5"}, 422, "takes no density"),
        ({"parents": "both", "method": "ties", "density": "much"}, 422, "Enter a number."),
        ({"parents": "both", "method": "ties", "density": "nan"}, 422, "Enter a number."),
        ({"parents": "foreign", "method": "linear"}, 422, "Select a valid choice"),
    ],
)
def test_what_is_wrong_stands_in_the_form_and_what_was_chosen_stays(desk, parents, form, status, message):
    foreign = MemoryVersionFactory()
    keys = {"one": [parents[0].pk], "both": [one.pk for one in parents], "foreign": [foreign.pk]}
    answer = desk.post(PAGE, form | {"parents": keys.get(form.get("parents"), [])})
    assert answer.status_code == status
    assert message in text(answer)
    assert text(answer).count(" checked>") == len(set(keys.get(form.get("parents"), [])) - {foreign.pk})
    assert not MergeRun.objects.exists()


def test_parents_that_do_not_fit_are_told_in_the_form(desk, parents):
    config = parents[1].folder / "config.json"
    config.write_text(config.read_text().replace('"hidden_size": 64', '"hidden_size": 96'))
    answer = desk.post(PAGE, {"parents": [one.pk for one in parents], "method": "linear"})
    assert answer.status_code == 409
    assert "Harbour v1 and Tower v1 differ in hidden_size" in text(answer)


def test_a_merge_at_work_shows_its_bar_asks_again_soon_and_is_cancelled(desk, harbour, parents):
    run = MergeRunFactory(corpus=harbour, status=Status.RUNNING, phase="merging", done=3, total=12)
    part = text(desk.get(PAGE, headers=HTMX))
    assert part.startswith('<section class="card" id="merges"')
    assert "3 of 12" in part
    assert 'hx-trigger="every 1s"' in part
    desk.post(reverse("cancel-merge", args=["harbour", run.pk]))
    run.refresh_from_db()
    assert run.cancel_requested


def test_a_merge_that_is_done_shows_what_it_kept_and_what_retraining_costs(desk, harbour, tower, parents):
    made = MemoryVersionFactory(corpus=harbour, kind="merged", corpora=[tower])
    MergeRunFactory(corpus=harbour, status=Status.SUCCEEDED, result=RESULT, version=made, closed_by=tower)
    for address in (PAGE, made.get_absolute_url()):
        page = text(desk.get(address))
        assert '<td>90 %</td> <td>50 %</td> <td>−40.0 points <span class="chip failed">worse</span>' in page
        assert "<td>10 %</td> <td>5 %</td> <td>−5.0 points</td>" in page
        assert "Merging took 2.0 s" in page
        assert "Training the parents took 10 min in all" in page
        assert "Recall on held-out" not in page.partition("What is left")[2].partition("</table>")[0]


def test_a_merge_with_a_closed_parent_is_not_shown_but_said_to_be_at_work(desk, harbour, parents):
    run = MergeRunFactory(corpus=harbour, closed_by=CorpusFactory(), status=Status.RUNNING, error="Secret")
    page = text(desk.get(PAGE))
    assert "A merge is at work with versions that you may not see" in page
    assert "Secret" not in page
    assert desk.post(reverse("cancel-merge", args=["harbour", run.pk])).status_code == 404


# --- REST ----------------------------------------------------------------------------------------------------
def post(desk: Client, **body: Any) -> Any:
    return desk.post("/api/corpora/harbour/merges/", body, content_type="application/json")


def test_rest_starts_lists_shows_and_cancels_a_merge(desk, parents):
    keys = [one.pk for one in parents[::-1]]
    started = post(desk, parents=keys, method="dare_ties", seed=4, weights=[1, 2])
    assert started.status_code == 202
    run = started.json()
    assert (run["status"], run["parents"], run["version"]) == ("queued", keys, None)
    assert run["options"] == {"weights": [1.0, 2.0], "density": 0.5, "scale": 1.0, "seed": 4}
    assert desk.get("/api/corpora/harbour/merges/").json()["results"] == [run]
    address = reverse("api-merge", args=[run["id"]])
    assert desk.get(address).json() == run
    assert desk.post(f"{address}cancel/").json()["status"] == "cancelled"
    assert desk.post(f"{address}cancel/").status_code == 409


def test_rest_says_what_is_wrong(desk, parents):
    keys = [one.pk for one in parents]
    unknown = MemoryVersionFactory().pk
    answers = {
        "parents": post(desk, parents=[keys[0], unknown], method="linear"),
        "method": post(desk, parents=keys, method="average"),
    }
    for field, answer in answers.items():
        assert answer.status_code == 400
        assert field in answer.json()["errors"]
    twice = post(desk, parents=[keys[0]] * 2, method="linear")
    assert (twice.status_code, twice.json()["code"]) == (400, "bad_merge")
    (parents[1].folder / "pairs.jsonl").unlink()
    unfit = post(desk, parents=keys, method="linear")
    assert (unfit.status_code, unfit.json()["code"]) == (409, "incompatible_parents")
    (parents[1].folder / "manifest.json").unlink()
    assert post(desk, parents=keys, method="linear").status_code == 503
    assert not MergeRun.objects.exists()


def test_rest_hides_a_merge_of_what_one_may_not_read(desk, harbour):
    run = MergeRunFactory(corpus=harbour, closed_by=CorpusFactory(), result=RESULT)
    assert desk.get("/api/corpora/harbour/merges/").json()["results"] == []
    address = reverse("api-merge", args=[run.pk])
    assert [desk.get(address).status_code, desk.post(f"{address}cancel/").status_code] == [404, 404]


# --- The command ---------------------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("warm_engines")
def test_the_command_merges_and_tells_what_was_kept(parents, cara, capsys):
    call_command("merge_versions", "harbour", "1", "tower:1", "--method", "slerp", "--here", "--user", "cara")
    said = capsys.readouterr().out
    assert "Harbour v2: merged by SLERP" in said
    assert "Tower v1: recall on trained questions" in said
    assert MergeRun.objects.get().status == Status.SUCCEEDED


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("1", "7"), "has no version 7"),
        (("1", "nowhere:1"), "names no version"),
        (("1", "first"), "names no version"),
        (("1",), "at least two"),
        (("1", "secret:1"), "names no version"),
    ],
)
def test_the_command_ends_with_one_and_a_sentence(parents, cara, names, message):
    MemoryVersionFactory(corpus__slug="secret")
    with pytest.raises(CommandError, match=message) as refusal:
        call_command("merge_versions", "harbour", *names, "--method", "linear", "--detach", "--user", "cara")
    assert refusal.value.returncode == 1
    assert not MergeRun.objects.exists()


def test_the_command_leaves_the_work_to_the_worker(parents, capsys):
    command = [
        "merge_versions",
        "harbour",
        "1",
        "tower:1",
        "--method",
        "ties",
        "--density",
        "0.4",
        "--detach",
    ]
    call_command(*command)
    run = MergeRun.objects.get()
    assert (run.status, run.options["density"], run.created_by) == (Status.QUEUED, 0.4, None)
    assert f"{run} is queued." in capsys.readouterr().out


# --- The workbench -------------------------------------------------------------------------------------------
def test_the_workbench_shows_merges_and_cancels_them_but_starts_none(harbour, tower):
    person = make_person("olga", harbour, Role.OWNER)
    desk = browser_of(person)
    run = MergeRunFactory(corpus=harbour, status=Status.RUNNING, result=RESULT)
    closed = MergeRunFactory(corpus=harbour, closed_by=tower, status=Status.SUCCEEDED)
    listed = text(desk.get(reverse("admin:training_mergerun_changelist")))
    dashboard = desk.get(reverse("admin:knowledge_corpus_change", args=[harbour.pk]))
    assert "<strong>1</strong> Merges" in text(dashboard)  # the closed one is not counted
    assert f"#{run.pk}" in listed
    assert f"#{closed.pk}" not in listed
    page = desk.get(reverse("admin:training_mergerun_change", args=[run.pk]))
    assert "−40.0 points" in text(page)
    assert desk.get(reverse("admin:training_mergerun_add")).status_code == 403
    desk.post(reverse("admin:training_mergerun_cancel", args=[run.pk]))
    run.refresh_from_db()
    assert run.cancel_requested
    hidden = reverse("admin:training_mergerun_cancel", args=[closed.pk])
    assert desk.post(hidden).status_code == 404
