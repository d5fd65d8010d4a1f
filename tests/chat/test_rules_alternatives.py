"""Other ways of putting one relation."""

from __future__ import annotations

import pytest

from chat.rules.alternatives import verb_of, verb_questions

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
