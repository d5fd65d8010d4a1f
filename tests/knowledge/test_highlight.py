"""Marking the supporting span in a passage."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from knowledge.highlight import stretches


def test_the_span_is_marked_and_what_surrounds_it_is_not() -> None:
    assert stretches("Ada leads it.", [(4, 9)]) == [("Ada ", False), ("leads", True), (" it.", False)]


def test_overlapping_and_repeated_spans_mark_a_letter_once() -> None:
    pieces = stretches("abcdef", [(1, 3), (2, 5), (1, 3)])
    assert "".join(text for text, marked in pieces if marked) == "bcde"


def test_a_span_beyond_the_end_marks_up_to_the_end() -> None:
    assert stretches("abc", [(1, 99), (50, 60)]) == [("a", False), ("bc", True)]


@given(st.text(), st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50))))
def test_the_pieces_together_are_always_the_text(text: str, spans: list[tuple[int, int]]) -> None:
    pieces = stretches(text, spans)
    assert "".join(piece.text for piece in pieces) == text
    assert all(piece.text for piece in pieces)
