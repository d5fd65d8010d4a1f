"""English for rules: sentences, lists, names, dates and inflection."""

from __future__ import annotations

from datetime import date

import inflect
import pytest
import typeguard

from knowledge.rules import english


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in english.split_sentences(text)]


def test_a_sentence_ends_at_its_full_stop_but_not_at_an_abbreviation_an_initial_or_a_decimal() -> None:
    assert sentences("Dr. Ada Brun met J. R. Voss at 3 p.m. sharp. It cost 3.5 million euros! Why?") == [
        "Dr. Ada Brun met J. R. Voss at 3 p.m. sharp.",
        "It cost 3.5 million euros!",
        "Why?",
    ]


def test_an_empty_line_ends_a_sentence() -> None:
    assert sentences("No stop here\n\nA new paragraph.") == ["No stop here", "A new paragraph."]


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("Ada and Bo", ["Ada", "Bo"]),
        ("Ada, Bo and Cy", ["Ada", "Bo", "Cy"]),
        ("Ada, Bo, and Cy.", ["Ada", "Bo", "Cy"]),
        ("Ada, Bo", ["Ada", "Bo"]),
        ("Research and Development, Sales and Marketing", ["Research and Development", "Sales", "Marketing"]),
        ("May 3, 2021 and June 4, 2022", ["May 3, 2021", "June 4, 2022"]),
        ("Turin, Italy; Lyon, France; and Ghent", ["Turin, Italy", "Lyon, France", "Ghent"]),
        ("Martin King, Jr. and Bo", ["Martin King, Jr.", "Bo"]),
    ],
)
def test_a_plural_enumeration_is_split_into_its_items(text: str, items: list[str]) -> None:
    assert english.split_list(text) == items


def test_after_a_singular_the_words_are_one_name() -> None:
    assert english.split_list("Research and Development", plural=False) == ["Research and Development"]


def test_a_list_is_joined_with_commas_and_a_last_and() -> None:
    assert english.join_list([]) == ""
    assert english.join_list(["Ada"]) == "Ada"
    assert english.join_list(["Ada", "Bo"]) == "Ada and Bo"
    assert english.join_list(["Ada", "Bo", "Cy"]) == "Ada, Bo and Cy"


@pytest.mark.parametrize(
    ("form", "base"),
    [
        ("led", "lead"),
        ("saw", "see"),
        ("founded", "found"),
        ("co-founded", "co-found"),
        ("oversees", "oversee"),
    ],
)
def test_a_verb_form_has_its_lemma(form: str, base: str) -> None:
    assert english.verb_lemma(form) == base


def test_verbs_are_inflected_regularly_and_irregularly() -> None:
    assert (english.past("lead"), english.participle("write")) == ("led", "written")
    assert (english.third_person("have"), english.third_person("watch")) == ("has", "watches")


@pytest.mark.parametrize(
    ("one", "many"),
    [
        ("person", "people"),
        ("mother-in-law", "mothers-in-law"),
        ("head of research", "heads of research"),
        ("date of birth", "dates of birth"),
        ("child", "children"),
        ("project manager", "project managers"),
        ("employee", "employees"),
    ],
)
def test_nouns_are_put_into_the_plural_and_back_on_their_head(one: str, many: str) -> None:
    assert english.plural(one) == many
    assert english.singular(many) == one
    assert english.singular(one) == one
    assert english.is_plural(many) and not english.is_plural(one)


@pytest.mark.parametrize(
    "noun",
    [
        "mother",
        "father-in-law",
        "manager",
        "co-founder",
        "head of design",
        "librarian",
        "nurse",
        "editor-in-chief",
    ],
)
def test_nouns_that_name_people(noun: str) -> None:
    assert english.is_person_noun(noun)


@pytest.mark.parametrize(
    "noun", ["river", "computer", "budget", "head office", "number", "plant", "list", "hobby"]
)
def test_nouns_that_do_not_name_people(noun: str) -> None:
    assert not english.is_person_noun(noun)


@pytest.mark.parametrize("name", ["Tove Strand", "Dr. Eva Holm", "J. R. Voss", "Jan de Wit"])
def test_names_that_read_like_people(name: str) -> None:
    assert english.looks_like_person_name(name)


@pytest.mark.parametrize(
    "name", ["Project Kestrel", "Turin Museum", "Annual Report", "Ghent", "the Ghent office"]
)
def test_names_that_do_not_read_like_people(name: str) -> None:
    assert not english.looks_like_person_name(name)


@pytest.mark.parametrize("text", ["3 May 2021", "May 3, 2021", "3rd of May 2021", "2021-05-03", "03.05.2021"])
def test_a_date_means_the_same_in_every_form(text: str) -> None:
    parsed = english.parse_date(text)
    assert parsed is not None
    assert parsed.as_date() == date(2021, 5, 3)


def test_dates_are_found_in_running_text_with_their_wording() -> None:
    found = english.find_dates("It opened in March 1999, closed in 2004 and sold 1,999 seats.")
    assert [(item.text, item.year, item.month) for item in found] == [
        ("March 1999", 1999, 3),
        ("2004", 2004, None),
    ]


@pytest.mark.parametrize(
    ("start", "end", "years"),
    [
        ("3 May 1950", "2 May 2000", 49),
        ("3 May 1950", "3 May 2000", 50),
        ("1950", "2000", 50),
        ("1950", "3 May 2000", None),
    ],
)
def test_the_years_between_two_dates_are_computed_only_where_certain(
    start: str, end: str, years: int | None
) -> None:
    first, last = english.parse_date(start), english.parse_date(end)
    assert first is not None and last is not None
    assert english.years_between(first, last) == years


def test_names_are_found_without_the_ordinary_word_that_opens_the_sentence() -> None:
    text = "The head of the University of Ghent met Tove Strand. Founded late, Kestrel grew."
    assert [text[start:end] for start, end in english.name_spans(text)] == [
        "University of Ghent",
        "Tove Strand",
        "Kestrel",
    ]


def test_articles_and_possessives() -> None:
    assert english.strip_article("the head of design") == "head of design"
    assert english.with_indefinite_article("hour") == "an hour"
    assert english.possessive("Jonas") == "Jonas's"
    assert english.possessive("the employees") == "the employees'"


def test_inflect_is_loaded_without_checks_of_types_which_cost_a_second_of_every_start() -> None:
    assert "typeguard" not in inflect.engine.plural_noun.__code__.co_names
    assert typeguard.typechecked.__module__.startswith("typeguard"), "others have their checks"
