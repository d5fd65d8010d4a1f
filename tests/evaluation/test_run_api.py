"""REST for evaluations: start, follow, read, cancel, resume, export."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from django.urls import reverse

from knowledge.models import Role
from tests.evaluation.contests import LEADERS, carry_through
from tests.workbench import browser_of, make_person
from training.lab.runs.running import start_evaluation
from training.models import EvaluationRun

pytestmark = pytest.mark.django_db


@pytest.fixture
def curator(corpus) -> Any:
    return browser_of(make_person("cara", corpus, Role.CURATOR))


@pytest.fixture
def run(leaders, specs) -> EvaluationRun:
    return carry_through(start_evaluation(leaders, specs))


def post(browser: Any, name: str, *arguments: Any, **data: Any) -> Any:
    return browser.post(reverse(name, args=arguments), json.dumps(data), content_type="application/json")


def body(response: Any) -> bytes:
    return b"".join(response.streaming_content)


def test_a_run_is_started_with_versions_baselines_and_options(leaders, specs, curator):
    asked = {"evaluation_set": "Leaders", "versions": [3], "against": ["bm25:top=1", "closed_book"]}
    answer = post(curator, "api-evaluations", "harbour", **asked)
    assert (answer.status_code, answer.json()["status"]) == (202, "queued")
    told = [(row["kind"], row["version"], row["options"]) for row in answer.json()["contestants"]]
    assert told == [("memory", 3, {}), ("bm25", None, {"top": 1}), ("closed_book", None, {})]


def test_without_versions_the_newest_one_answers_and_with_an_empty_list_none(leaders, specs, curator):
    newest = post(curator, "api-evaluations", "harbour", evaluation_set="Leaders").json()
    assert [row["version"] for row in newest["contestants"]] == [3]
    none = post(
        curator, "api-evaluations", "harbour", evaluation_set="Leaders", versions=[], against=["bm25"]
    )
    assert [row["kind"] for row in none.json()["contestants"]] == ["bm25"]


@pytest.mark.parametrize(
    ("baseline", "code", "told"),
    [
        ("bm25:unit=foo", "bad_contestant_options", "choose one of: sentence, chunk, article"),
        ("bm25:top=0", "bad_contestant_options", "top: Input should be greater than or equal to 1"),
        ("bm25:depth=2", "bad_contestant", "has no option “depth”. Its options:"),
        ("dense", "no_embedding_endpoint", "Endpoints with the role “embedding”"),
    ],
)
def test_options_that_the_worker_could_not_use_are_refused_at_once(leaders, curator, baseline, code, told):
    answer = post(
        curator,
        "api-evaluations",
        "harbour",
        evaluation_set="Leaders",
        versions=[],
        against=["closed_book", baseline],
    )
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert told in answer.json()["detail"]
    assert not EvaluationRun.objects.exists()


@pytest.mark.parametrize(
    ("asked", "code", "told"),
    [
        ({"evaluation_set": "Nobody"}, "bad_evaluation", "There are “Leaders”"),
        ({"versions": [77]}, "bad_evaluation", "no version 77"),
        ({"against": ["oracle"]}, "unknown_contestant", "Choose one of"),
        ({"against": ["bm25:top"]}, "bad_evaluation", "Write NAME=VALUE"),
        ({"judge": "nobody"}, "bad_evaluation", "There is no judge"),
        ({"noise": [1]}, "bad_noise", "Choose the corpus"),
        ({"noise": [1], "distractors": "secret"}, "bad_evaluation", "no corpus “secret”"),
        ({"noisy": {"much": 3}}, "bad_evaluation", "no level of noise"),
        ({"executives": ["gpt"]}, "executive_not_allowed", "Choose one of: rules"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_a_reason_and_starts_nothing(
    leaders, specs, curator, asked, code, told
):
    answer = post(curator, "api-evaluations", "harbour", **{"evaluation_set": "Leaders", **asked})
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert told in answer.json()["detail"]
    assert not EvaluationRun.objects.exists()


def test_a_run_tells_its_progress_its_contestants_and_its_result(run, curator):
    told = curator.get(reverse("api-evaluation", args=[run.pk])).json()
    assert (told["percent"], told["done"], told["evaluation_set"]) == (100, 10, "Leaders")
    assert told["contestants"][0]["summary"]["exact"] == 1.0
    assert told["result"]["paired"][0]["position"] == 2
    listed = curator.get(reverse("api-evaluations", args=["harbour"])).json()
    assert (listed["count"], listed["results"][0]["id"]) == (1, run.pk)


def test_answers_come_paged_and_by_contestant_and_question(run, curator):
    address = reverse("api-evaluation-answers", args=[run.pk])
    assert curator.get(address).json()["count"] == 10
    (answer,) = curator.get(f"{address}?contestant=1&question=1").json()["results"]
    assert (answer["text"], answer["answers"], answer["exact"]) == ("Atlas Lund.", ["Atlas Lund"], True)
    assert [event["type"] for event in answer["transcript"]] == ["stage", "sub_query", "memory_answer"]


def test_a_run_is_cancelled_and_a_failed_one_resumed(leaders, specs, curator):
    run = start_evaluation(leaders, specs)
    assert post(curator, "api-evaluation-resume", run.pk).status_code == 409
    EvaluationRun.objects.update(status="failed")
    assert post(curator, "api-evaluation-resume", run.pk).json()["status"] == "queued"
    assert post(curator, "api-evaluation-cancel", run.pk).json()["status"] == "cancelled"


# --- Files -----------------------------------------------------------------------------------------------------
def test_the_csv_file_has_a_line_an_answer_and_runs_nothing(run, curator):
    answer = run.contestants.first().answers.first()
    answer.text = "=1+1"
    answer.save()
    response = curator.get(reverse("api-evaluation-export", args=[run.pk]), {"as": "csv"})
    assert response["Content-Disposition"] == f'attachment; filename="harbour-evaluation-{run.pk}.csv"'
    rows = list(csv.DictReader(io.StringIO(body(response).decode("utf-8-sig"))))
    assert len(rows) == 10
    assert (rows[0]["contestant"], rows[0]["version"], rows[0]["answer"]) == (
        "Memory, version 3",
        "3",
        "'=1+1",
    )
    assert (rows[1]["contestant"], rows[1]["known"], rows[1]["exact"]) == ("BM25 (top 1)", "False", "False")


def test_the_json_file_has_everything_the_interrogations_included(run, curator):
    response = curator.get(reverse("api-evaluation-export", args=[run.pk]), {"as": "json"})
    told = json.loads(body(response))
    assert (told["corpus"], told["set"], len(told["contestants"])) == ("harbour", "Leaders", 2)
    assert [row["text"] for row in told["questions"]][:4] == list(LEADERS)
    assert len(told["questions"][0]["given"][0]["transcript"]) == 3


def test_the_report_is_one_page_that_asks_for_nothing(run, curator):
    run.questions.filter(position=1).update(text="Who leads <script>alert(1)</script>?")
    response = curator.get(reverse("export-evaluation", args=["harbour", run.pk]), {"as": "html"})
    told = body(response).decode()
    assert "<style>" in told
    assert told.count('<figure class="bars">') == 2
    for outside in ("http:", "https:", "src=", "<link", "<script", "@import", "url("):
        assert outside not in told, outside
    assert told.count('<tr><th scope="row">') >= 5


def test_the_report_of_a_run_that_is_not_over_says_so(leaders, specs, curator):
    run = start_evaluation(leaders, specs)
    response = curator.get(reverse("export-evaluation", args=["harbour", run.pk]), {"as": "html"})
    assert "it is not summed up" in body(response).decode()


def test_another_form_of_file_is_refused_with_those_that_there_are(run, curator):
    answer = curator.get(reverse("api-evaluation-export", args=[run.pk]), {"as": "pdf"})
    assert (answer.status_code, "csv, json, html" in answer.json()["detail"]) == (422, True)
