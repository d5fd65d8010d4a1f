"""Which questions of a language model count as asked already, and are not put to memory again."""

from __future__ import annotations

import pytest

from chat.language_model.repeats import is_nearly_the_same


@pytest.mark.parametrize(
    ("asked", "proposed"),
    [
        ("Who manages Ada Lund?", "who is managing Ada Lund"),
        ("Who is the manager of Ada Lund?", "Who manages Ada Lund?"),
        ("Whose manager is Ada Lund?", "Whom does Ada Lund manage?"),
        ("Who is Ada Lund's manager?", "Who is Ada Lund managed by?"),
    ],
)
def test_a_question_in_other_words_is_not_asked_again(asked: str, proposed: str) -> None:
    assert is_nearly_the_same(asked, proposed)
    assert is_nearly_the_same(proposed, asked)


@pytest.mark.parametrize(
    ("asked", "proposed"),
    [
        ("Who is the manager of Anna?", "Whose manager is Anna?"),
        ("Who manages Ada Lund?", "Whom does Ada Lund manage?"),
        ("Who reports to Ada Lund?", "Who does Ada Lund report to?"),
        ("Who is the aunt of Ada Lund?", "Whose aunt is Ada Lund?"),
        ("Who manages Ada Lund?", "Who manages Bo Marsh?"),
        ("Who manages Ada Lund?", "Who managed Ada Lund?"),
        ("When was Ada Lund born?", "Where was Ada Lund born?"),
    ],
)
def test_a_question_about_somebody_or_something_else_is_asked(asked: str, proposed: str) -> None:
    assert not is_nearly_the_same(asked, proposed)
    assert not is_nearly_the_same(proposed, asked)
