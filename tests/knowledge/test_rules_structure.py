"""Labels, lists and tables: what Markdown says without sentences."""

from __future__ import annotations

from tests.knowledge.reading import ask, unread_of

PROJECT = """# Project Heron

- **Owner:** Nora Quist
- Start date: 3 May 2021
- Team members: Cor Visser, Bo Vos and Wim Mol

Status: active
"""

TABLE = """# Boats

| Boat | Length | Builder |
|------|--------|---------|
| Fulmar 7 | 7.2 m | Nora Quist |
| Skua 9 | 9.4 m | - |
"""


def test_labels_under_a_heading_are_properties_of_what_it_names() -> None:
    assert ask("Who is the owner of Project Heron?", PROJECT) == "The owner of Project Heron is Nora Quist."
    assert ask("When did Project Heron start?", PROJECT) == "The start date of Project Heron is 3 May 2021."
    assert ask("What is the status of Project Heron?", PROJECT) == "The status of Project Heron is active."
    assert ask("Who are the team members of Project Heron?", PROJECT) == (
        "The team members of Project Heron are Cor Visser, Bo Vos and Wim Mol."
    )


def test_a_table_row_gives_the_properties_of_its_first_cell() -> None:
    assert ask("How long is Fulmar 7?", TABLE) == "The length of Fulmar 7 is 7.2 m."
    assert ask("Who is the builder of Fulmar 7?", TABLE) == "The builder of Fulmar 7 is Nora Quist."
    assert ask("Which boat has the length 9.4 m?", TABLE) == "The boat whose length is 9.4 m is Skua 9."
    assert ask("Who is the builder of Skua 9?", TABLE) == ""


def test_a_label_without_anything_it_could_belong_to_is_left_unread() -> None:
    assert unread_of("Owner: Nora Quist") == {
        "Owner: Nora Quist": "a label without a heading that names what it is about"
    }


def test_wrapped_lines_are_one_sentence_and_code_is_not_read() -> None:
    text = "Nora Quist joined Vosdam\nin 2015 as an engineer.\n\n```\nCor Visser leads Vosdam.\n```\n"
    assert ask("When did Nora Quist join Vosdam?", text) == "Nora Quist joined Vosdam in 2015."
    assert ask("Who leads Vosdam?", text) == ""


def test_emphasis_links_and_parentheses_do_not_get_into_answers() -> None:
    text = "**Nora Quist** (see below) leads [Project Heron](https://example.org/heron)."
    assert ask("Who leads Project Heron?", text) == "Nora Quist leads Project Heron."
