"""Reading what language models write instead of the JSON they were asked for."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from memosite.llm import BadReply, Request
from memosite.llm.reading import read_items, read_json


class Fact(BaseModel):
    question: str
    answer: str


REQUEST = Request("direct", "1", "system", "user", "pairs", Fact)
ONE, TWO = {"question": "Who?", "answer": "Ada."}, {"question": "Where?", "answer": "In Oslo."}
WHOLE = json.dumps({"pairs": [ONE, TWO]})


@pytest.mark.parametrize(
    "text",
    [
        WHOLE,
        f"```json\n{WHOLE}\n```",
        f"Here are the pairs:\n```\n{WHOLE}\n```\nShall I go on?",
        f"<think>Let me see. {{}} []</think>\n{WHOLE}",
        f"Sure! {WHOLE} I hope this helps.",
        json.dumps([ONE, TWO]),
        json.dumps({"reflections": [ONE, TWO]}),
        '{"pairs": [ // the first\n {"question": "Who?", "answer": "Ada."}, /* more */ '
        '{"question": "Where?", "answer": "In Oslo.",},]}',
        "{'pairs': [{'question': 'Who?', 'answer': 'Ada.'}, {question: 'Where?', answer: 'In Oslo.'}]}",
        "\ufeff" + WHOLE,
    ],
    ids=["plain", "fenced", "talk", "thoughts", "prose", "list", "other name", "comments", "quotes", "mark"],
)
def test_a_reply_in_another_dress_is_read_in_full(text: str) -> None:
    items, lost, is_cut = read_items(REQUEST, text)
    assert [item.model_dump() for item in items] == [ONE, TWO]
    assert (lost, is_cut) == (0, False)


@pytest.mark.parametrize("length", range(len('{"pairs": [') + len(json.dumps(ONE)) + 1, len(WHOLE) - 1))
def test_of_a_reply_that_was_cut_only_whole_items_are_taken(length: int) -> None:
    try:
        items, _, is_cut = read_items(REQUEST, WHOLE[:length])
    except BadReply as error:
        assert "cut off" in str(error)
        return
    assert is_cut
    assert [item.model_dump() for item in items] in ([], [ONE])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "empty"),
        ("I am sorry, but I cannot help with that.", "no JSON"),
        ('{"error": "overloaded"}', "no list"),
        ('{"pairs": [{"q1": "Who?", "a1": "Ada."}]}', "“a1, q1” where “question, answer” was asked for"),
        ('{"pairs": ["Who? Ada."]}', "str"),
    ],
)
def test_a_reply_that_cannot_be_used_says_why(text: str, told: str) -> None:
    with pytest.raises(BadReply, match=told):
        read_items(REQUEST, text)


def test_items_of_another_shape_are_counted_and_left_out() -> None:
    text = json.dumps({"pairs": [ONE, {"question": "Which?"}, TWO]})
    items, lost, _ = read_items(REQUEST, text)
    assert (len(items), lost) == (2, 1)


def test_nothing_found_is_an_answer() -> None:
    assert read_items(REQUEST, '{"pairs": []}') == ((), 0, False)


def test_a_comment_sign_inside_a_text_is_no_comment() -> None:
    value = {"pairs": [{"question": "What is at https://example.org?", "answer": "/* A page */ // there."}]}
    assert read_json(json.dumps(value)[:-1] + ",}")[0] == value


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.dictionaries(st.text(), values, min_size=1))
def test_whatever_is_valid_json_is_read_as_it_is(value: object) -> None:
    assert read_json(json.dumps(value)) == (value, False)
