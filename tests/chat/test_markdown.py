"""Answers as HTML."""

from __future__ import annotations

import pytest

from chat.markdown import as_html


def html(text: str, indexes: tuple[int, ...] = (1, 2)) -> str:
    return as_html(text, lambda index: f"#turn-7-{index}", indexes)


def test_markdown_becomes_html():
    assert html("Two lead it:\n\n- **Ada Lund**\n- Ola Berg") == (
        "<p>Two lead it:</p>\n<ul>\n<li><strong>Ada Lund</strong></li>\n<li>Ola Berg</li>\n</ul>"
    )
    assert "<td>Oslo</td>" in html("| City |\n| --- |\n| Oslo |")


def test_a_citation_links_to_its_sub_query():
    link = '<a href="#turn-7-2" class="cite" rel="nofollow noopener noreferrer">[2]</a>'
    assert html("Ola Berg does. [2]") == f"<p>Ola Berg does. {link}</p>"


def test_a_number_in_brackets_that_is_no_sub_query_stays_text():
    assert html("In [1999] it began. [3]") == "<p>In [1999] it began. [3]</p>"


def test_a_citation_in_code_stays_code():
    assert html("`[1]`") == "<p><code>[1]</code></p>"


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "![picture](https://elsewhere.example/?said=secret)",
        "[click](javascript:alert(1))",
        "<a href='javascript:alert(1)'>x</a>",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
    ],
)
def test_nothing_runs_and_nothing_is_fetched(text):
    shown = html(text)
    assert "<script" not in shown
    assert "<img" not in shown
    assert 'href="javascript' not in shown
    assert 'href="data' not in shown


def test_headings_come_below_the_question_in_the_outline():
    assert html("# Big\n\n##### Small") == "<h3>Big</h3>\n<h6>Small</h6>"


def test_lines_stay_lines():
    assert html("one\ntwo") == "<p>one<br>\ntwo</p>"
