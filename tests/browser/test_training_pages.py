"""The form of a training and its page in a browser: checked while one types, followed without a reload."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import log_in
from tests.factories import ReflectionFactory, TrainingRunFactory, UserFactory
from training.models import BaseModel, TrainingRun

PHONE = {"width": 390, "height": 844}
QWEN = "Qwen/Qwen2.5-14B-Instruct"


@pytest.fixture
def owner(corpus: Any) -> Any:
    ReflectionFactory.create_batch(5, corpus=corpus)
    BaseModel.objects.get_or_create(
        source="hub",
        location=QWEN,
        defaults={
            "name": "Qwen2.5 14B Instruct",
            "licence": "apache-2.0",
            "parameters": 14_770_033_664,
        },
    )
    return UserFactory(username="owner", owns=corpus)


def test_a_training_is_planned_and_started_and_then_followed(visitor: Page, site, corpus, owner):
    log_in(visitor, site, owner.username)
    visitor.goto(f"{site}/corpora/handbook/")
    visitor.get_by_role("link", name="Train …").click()
    expect(visitor.get_by_role("img", name="Capacity. 5 facts")).to_be_visible()
    rate = visitor.get_by_label("Learning rate")
    rate.fill("-1")
    rate.blur()
    expect(visitor.get_by_role("link", name="Learning rate")).to_be_visible()
    rate.fill("0.002")
    visitor.get_by_label("Base", exact=True).select_option("Qwen2.5 14B Instruct")
    expect(visitor.get_by_label("Batch size")).to_have_value("64")
    expect(rate).to_have_value("0.002")
    visitor.get_by_label("Base", exact=True).select_option("auto")
    expect(visitor.get_by_label("Batch size")).to_have_value("32")
    visitor.get_by_role("button", name="Train", exact=True).click()
    expect(visitor.get_by_text("Waiting for a worker")).to_be_visible()
    run = TrainingRun.objects.get()
    assert run.config == {"learning_rate": 0.002}
    TrainingRun.objects.update(status="running", phase="training", done=3, total=9)
    expect(visitor.get_by_text("3 of 9")).to_be_visible()
    TrainingRun.objects.update(status="failed", error="The disk is full.")
    expect(visitor.get_by_text("The disk is full.")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_the_pages_are_no_wider_than_the_screen(visitor: Page, site, corpus, owner, scheme):
    curve = [{"step": step, "loss": 1 / step, "held_out_recall": step / 9} for step in range(1, 9)]
    run = TrainingRunFactory(corpus=corpus, status="failed", curve=curve, total=10, log="A long line " * 50)
    visitor.set_viewport_size(PHONE)  # type: ignore[arg-type]
    visitor.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    log_in(visitor, site, owner.username)
    for path in ("train/", f"train/?repeats={run.pk}", f"trainings/{run.pk}/"):
        visitor.goto(f"{site}/corpora/handbook/{path}")
        for summary in visitor.locator("summary").all():
            summary.click()
        assert visitor.evaluate("document.documentElement.scrollWidth") == PHONE["width"], path
