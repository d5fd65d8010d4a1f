"""The gate in a browser: a worse version is refused, approved, overridden; on a phone and in the dark."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import barriers, log_in
from tests.evaluation.gating import QUESTIONS, evaluate, make_rules, make_set
from tests.factories import MemoryVersionFactory, UserFactory
from training.lab.gate.services import approve
from training.models import MemoryVersion
from training.services import offer, promote

PHONE = {"width": 390, "height": 844}


@pytest.fixture
def owner(corpus: Any) -> Any:
    return UserFactory(username="owner", owns=corpus, is_staff=True)


@pytest.fixture
def worse(corpus: Any, owner: Any) -> MemoryVersion:
    """A candidate that misses a golden question, answers too much and has lost recall."""
    corpus.aliases.all().delete()
    live = MemoryVersionFactory(
        corpus=corpus, number=2, metrics={"held_out_recall": 0.97, "false_answer_rate": 0.06}
    )
    make_rules(
        corpus,
        golden_must_pass=True,
        least_recall=0.9,
        most_false_answers=0.1,
        most_drop=0.02,
        needs_second_approver=True,
    )
    golden = make_set(corpus, "Must know")
    evaluate(live, golden)
    approve(live, UserFactory(username="Ada Lund", owns=corpus), "Asked it about the new handbook")
    promote(live, owner, reason="The handbook of this year")
    worse: MemoryVersion = MemoryVersionFactory(
        corpus=corpus, number=3, metrics={"held_out_recall": 0.912, "false_answer_rate": 0.143}
    )
    evaluate(worse, golden, wrong=QUESTIONS[:1])
    offer(worse, owner, go_live=True, reason="Training run 7 asked for it")
    return worse


def test_a_worse_version_is_refused_and_then_overridden(visitor: Page, site, corpus, owner, worse):
    log_in(visitor, site, owner.username)
    visitor.goto(f"{site}/corpora/handbook/gate/")
    expect(visitor.get_by_text("It does not pass: 5 of 6 findings fail.")).to_be_visible()
    visitor.get_by_label("Note").fill("I looked at it")
    visitor.get_by_role("button", name="Approve").click()
    expect(visitor.get_by_text("I looked at it")).to_be_visible()
    visitor.get_by_label("Reason", exact=True).fill("It is newer")
    visitor.get_by_role("button", name="Promote").click()
    expect(visitor.get_by_role("alert")).to_contain_text("The gate refuses Handbook v3.")
    visitor.get_by_label("Reason", exact=True).fill("It is newer")
    visitor.get_by_label("Go live against the gate, because").fill("The old one names a customer")
    visitor.get_by_role("button", name="Promote").click()
    expect(visitor.get_by_text("Version 3 answers from now on.")).to_be_visible()
    visitor.goto(f"{site}/corpora/handbook/gate/")
    expect(visitor.get_by_text("The old one names a customer")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [{"width": 1280, "height": 900}, PHONE], ids=["desk", "phone"])
def test_the_pages_fit_the_screen_and_have_no_barriers(
    visitor: Page, site, corpus, owner, worse, scheme, size
):
    visitor.emulate_media(color_scheme=scheme)
    visitor.set_viewport_size(size)
    log_in(visitor, site, owner.username)
    pages = {"gate": "gate/", "version": "versions/3/", "compare": "versions/compare/?a=2&b=3"}
    for name, address in pages.items():
        visitor.goto(f"{site}/corpora/handbook/{address}")
        assert visitor.evaluate("document.documentElement.scrollWidth") <= size["width"]
        shoot(visitor, f"{name}-{size['width']}-{scheme}")
    visitor.goto(f"{site}/corpora/handbook/gate/")
    barriers(visitor)
    visitor.goto(f"{site}/admin/training/memoryversion/{worse.pk}/change/")
    shoot(visitor, f"admin-{size['width']}-{scheme}")
    visitor.goto(f"{site}/admin/training/gaterules/add/")
    shoot(visitor, f"adminrules-{size['width']}-{scheme}")
    visitor.goto(f"{site}/admin/training/gatecheck/")
    shoot(visitor, f"admincheck-{size['width']}-{scheme}")


def shoot(page: Page, name: str) -> None:
    if folder := os.environ.get("SHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
