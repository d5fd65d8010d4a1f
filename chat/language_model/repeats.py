"""Which proposed questions are the same as one that was asked, in other words."""

from __future__ import annotations

from rapidfuzz import fuzz

from chat.protocol.mentions import names_in, numbers_in
from chat.protocol.state import Exchange, State, same_question_key
from chat.protocol.voting import content_words

#: From this likeness on, of 100, two questions with the same names and numbers are one question.
SAME = 92.0


def repeated(question: str, state: State) -> Exchange | None:
    """The exchange in which the question was asked already, word for word or nearly so; None if it is new."""
    if same := state.answer_to(question):
        return same
    return next((each for each in state.exchanges if is_nearly_the_same(question, each.question)), None)


def is_nearly_the_same(one: str, other: str) -> bool:
    """Whether two questions ask the same: of the same names and numbers, with nearly the same words."""
    if same_question_key(one) == same_question_key(other):
        return True
    if _particulars(one) != _particulars(other):
        return False
    words, others = content_words(one), content_words(other)
    if words == others:
        return True
    return fuzz.token_sort_ratio(same_question_key(one), same_question_key(other)) >= SAME


def _particulars(question: str) -> frozenset[str]:
    return frozenset(each.casefold() for each in (*names_in(question), *numbers_in(question)))
