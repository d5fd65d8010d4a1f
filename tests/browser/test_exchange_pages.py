"""Pairs in files in a browser: a download while it is made, an upload with bad lines, phones and the keyboard."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from knowledge.models import Role
from tests.browser.conftest import log_in
from tests.workbench import make_pair, make_person

PHONE = {"width": 390, "height": 844}
LIST = "/admin/knowledge/reflection/"
GOOD, BAD = '{"question": "Who paints?", "answer": "Bo."}\n', '{"question": "Who paints?"}\n'


@pytest.fixture
def curator(visitor: Page, site: str, corpus: Any) -> Page:
    log_in(visitor, site, make_person("ann", corpus, Role.CURATOR).username)
    return visitor


def test_the_list_as_it_is_filtered_becomes_a_file(curator: Page, site: str, corpus: Any) -> None:
    make_pair(corpus, "Who leads?"), make_pair(corpus, "Who paints?")
    curator.goto(f"{site}{LIST}?q=paints")
    curator.get_by_role("link", name="Export 1 pair").click()
    curator.get_by_label("Format").select_option("openai")
    with curator.expect_download() as download:
        curator.get_by_role("button", name="Download").press("Enter")
    assert download.value.suggested_filename == "all-pairs-openai.jsonl"
    (line,) = Path(download.value.path()).read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["messages"][0]["content"] == "Who paints?"


@pytest.mark.parametrize("size", [PHONE, {"width": 1280, "height": 900}], ids=["phone", "desktop"])
def test_a_file_with_a_bad_line_is_mended_and_comes_in(
    curator: Page, site: str, corpus: Any, tmp_path: Path, size: dict[str, int]
) -> None:
    curator.set_viewport_size(size)  # type: ignore[arg-type]
    file = tmp_path / "pairs.jsonl"
    file.write_text(GOOD + BAD)
    curator.goto(f"{site}{LIST}import/?corpus=handbook")
    curator.get_by_label("File").set_input_files(file)
    curator.get_by_role("button", name="Import").click()
    expect(curator.get_by_role("status")).to_contain_text("Nothing of “pairs.jsonl” was stored")
    expect(curator.get_by_role("row", name="2 The answer is missing")).to_be_visible()
    assert curator.evaluate("document.documentElement.scrollWidth") <= size["width"]
    curator.get_by_label("File").set_input_files(file)
    curator.get_by_label("Store the good lines").check()
    curator.get_by_role("button", name="Import").click()
    expect(curator.get_by_role("status")).to_contain_text("1 added")
    curator.get_by_role("link", name="The pairs of “Handbook”").click()
    expect(curator.get_by_text("Who paints?")).to_be_visible()
