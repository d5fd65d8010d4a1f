"""Text of models and people is fit to be stored and sent."""

from __future__ import annotations

import json

from chat.protocol.stream import blocking, interrogate
from chat.rules.executive import RulesExecutive
from memosite.llm.text import printable, printable_all
from tests.fakes import ScriptedMemory


def test_what_can_be_neither_stored_nor_sent_is_left_out():
    assert printable("a\x00b\x07c\ud800d\te\nf é 中 😀") == "abcd\te\nf é 中 😀"


def test_a_json_value_is_cleaned_throughout():
    said = json.loads('{"note": "a\\u0000", "items": ["b\\ud800", 3, null]}')
    assert printable_all(said) == {"note": "a", "items": ["b", 3, None]}


def test_what_memory_says_is_cleaned_before_it_is_an_event():
    memory = ScriptedMemory({"Who leads Project Atlas?": "Ada\x00 Lund leads Project Atlas."})
    events = list(blocking(interrogate("Who leads Project Atlas?", RulesExecutive(), memory)))
    assert "\x00" not in json.dumps([event.as_dict() for event in events], ensure_ascii=False)
    assert events[-1].as_dict()["data"]["values"] == ["Ada Lund"]
