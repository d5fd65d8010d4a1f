"""Evaluations in a browser: started from the form, followed without a reload, and read on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections
from playwright.sync_api import Page, expect

from tests.browser.conftest import barriers, log_in
from tests.evaluation.contests import Contest, carry_through, make_set, replaced_kinds
from tests.factories import UserFactory
from training.lab.runs.lineup import lineup
from training.lab.runs.running import start_evaluation
from training.models import EvaluationRun

PHONE = {"width": 390, "height": 844}


@pytest.fixture
def contest() -> Iterator[Contest]:
    yield from replaced_kinds(Contest())


@pytest.fixture
def curator(corpus: Any) -> Any:
    make_set(corpus)
    return UserFactory(username="curator", curates=corpus)


def let_a_worker_do(run: EvaluationRun) -> None:
    """Carry the run through in a thread: an event loop of the browser's runs in this one."""

    def work() -> None:
        try:
            carry_through(run)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(work).result()
    run.refresh_from_db()
    assert run.is_complete, run.error


def test_an_evaluation_is_started_followed_and_read(visitor: Page, site, corpus, curator, contest):
    log_in(visitor, site, curator.username)
    visitor.goto(f"{site}/corpora/handbook/")
    visitor.get_by_role("link", name="Evaluations", exact=True).click()
    visitor.get_by_role("link", name="Noise test").click()
    expect(visitor.get_by_label("×1", exact=True)).to_be_checked()
    visitor.get_by_role("link", name="As at first").click()
    expect(visitor.get_by_label("×1", exact=True)).not_to_be_checked()
    barriers(visitor)
    visitor.get_by_role("button", name="Start").click()
    expect(visitor.get_by_text("Waiting for a worker")).to_be_visible()
    EvaluationRun.objects.update(status="running", phase="asking Memory", done=3, total=15)
    expect(visitor.get_by_text("3 of 15")).to_be_visible()
    EvaluationRun.objects.update(status="queued", done=0)
    let_a_worker_do(EvaluationRun.objects.get())
    expect(visitor.get_by_role("heading", name="Result")).to_be_visible()
    expect(visitor.get_by_role("img", name="Exact match, with 95 % intervals")).to_be_visible()
    barriers(visitor)
    visitor.get_by_label("Outcome").select_option("answered differently")
    visitor.get_by_role("button", name="Filter").click()
    visitor.get_by_role("link", name="Who leads Project Cedar?").click()
    expect(visitor.get_by_role("heading", name="Interrogation").first).to_be_visible()
    barriers(visitor)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_the_pages_are_no_wider_than_the_screen(
    visitor: Page, site, corpus, curator, contest, scheme
):
    specs = lineup([corpus.versions.get()], against=[("bm25", {"top": 1}), ("closed_book", {})])
    run = start_evaluation(corpus.evaluation_sets.get(), specs)
    let_a_worker_do(run)
    visitor.set_viewport_size(PHONE)  # type: ignore[arg-type]
    visitor.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    log_in(visitor, site, curator.username)
    for path in ("", f"{run.pk}/", f"{run.pk}/questions/1/"):
        visitor.goto(f"{site}/corpora/handbook/evaluations/{path}")
        assert visitor.evaluate("document.documentElement.scrollWidth") == PHONE["width"], path
        barriers(visitor)
