"""Sets of questions in a browser: made, filled and read by a curator."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import barriers, log_in
from tests.factories import UserFactory

BAD = b"question,answers\nWho leads Project Atlas?,Ada Lund\n,Bo\n"
NARROW = {"width": 390, "height": 800}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_curator_makes_a_set_writes_a_question_and_learns_what_is_wrong_with_a_file(
    visitor: Page, site: str, corpus: Any, complaints: list[str], scheme: Any
) -> None:
    log_in(visitor, site, UserFactory(username="curator", curates=corpus).username)
    visitor.emulate_media(color_scheme=scheme)
    visitor.set_viewport_size(NARROW)  # type: ignore[arg-type]
    visitor.goto(f"{site}/corpora/{corpus.slug}/evaluation-sets/")
    barriers(visitor)
    visitor.get_by_label("Name", exact=True).fill("Nightly")
    visitor.get_by_role("button", name="Make an empty set").click()
    visitor.get_by_role("link", name="Add a question").click()
    visitor.get_by_label("Question", exact=True).fill("Who leads Project Atlas?")
    visitor.get_by_label("Accepted answers").fill("Ada Lund")
    barriers(visitor)
    visitor.get_by_role("button", name="Save", exact=True).click()
    expect(visitor.get_by_role("link", name="Who leads Project Atlas?")).to_be_visible()
    visitor.reload()  # without the message on top
    barriers(visitor)
    visitor.goto(f"{site}/corpora/{corpus.slug}/evaluation-sets/import/")
    visitor.get_by_label("File").set_input_files({"name": "q.csv", "mimeType": "text/csv", "buffer": BAD})
    visitor.get_by_label("Name of the set").fill("Nightly")
    visitor.get_by_role("button", name="Import").click()
    expect(visitor.get_by_role("alert")).to_contain_text("The question is empty.")
    barriers(visitor)
    is_too_wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    assert not visitor.evaluate(is_too_wide)
    complaints[:] = [told for told in complaints if "422" not in told]  # the browser notes the refused file
