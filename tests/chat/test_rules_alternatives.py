"""Other ways of putting one relation."""

from __future__ import annotations

import pytest

from chat.rules.alternatives import is_surely_thing, verb_of, verb_questions, with_bare_names

VERBS = [
    ("founder", "found"),
    ("winner", "win"),
    ("runner", "run"),
    ("skipper", "skipper"),
    ("coordinator", "coordinate"),
    ("manager", "manage"),
    ("supplier", "supply"),
    ("leader", "lead"),
    ("owner", "own"),
    ("writer", "write"),
    ("seller", "sell"),
    ("sponsor", "sponsor"),
    ("mentor", "mentor"),
    ("coach", "coach"),
    ("head", "head"),
    ("officer", ""),
    ("member", ""),
    ("sister", ""),
    ("computer", ""),
]


@pytest.mark.parametrize(("noun", "verb"), VERBS)
def test_what_an_agent_does_is_the_verb_in_its_name(noun: str, verb: str) -> None:
    assert verb_of(noun) == verb


def test_the_founder_is_asked_for_by_founding() -> None:
    assert verb_questions("founder", "Kestrel") == ["Who founds Kestrel", "Who founded Kestrel"]


@pytest.mark.parametrize("noun", ["battery", "hull", "colour", "budget", "place of birth", "office", "boat"])
def test_a_noun_of_the_dictionary_that_names_nobody_is_a_thing(noun: str) -> None:
    assert is_surely_thing(noun)


@pytest.mark.parametrize("noun", ["mother", "skipper", "supplier", "crew", "chauffeur", "fjordkeep"])
def test_people_groups_and_unknown_nouns_may_be_somebody(noun: str) -> None:
    assert not is_surely_thing(noun)


@pytest.mark.parametrize(
    ("question", "plainer"),
    [
        ("Who teaches the Sea Rescue course?", "Who teaches Sea Rescue?"),
        ("Who resolved the March outage?", ""),
        ("Who chairs the Monday meeting?", ""),
        ("Who wrote the Spring review?", ""),
        ("Who wrote the Q3 report?", ""),
        ("Who leads the Oslo office?", ""),
    ],
)
def test_a_name_goes_without_its_kind_unless_it_is_a_time_or_a_place(question: str, plainer: str) -> None:
    assert with_bare_names(question) == plainer
