"""Which proposed questions are the same as one that was asked, in other words."""

from __future__ import annotations

from rapidfuzz import fuzz

from chat.likeness.reading import Exchange as Text
from chat.likeness.reading import Reading, name_words, read
from chat.protocol.state import Exchange, State, same_question_key
from knowledge.pipeline.wording import words

#: From this likeness on, of 100, two questions about the same are one question.
SAME = 92.0
_ASKING = {"who": "who", "whom": "who", "whose": "who"} | {
    word: word for word in ("what", "which", "when", "where", "why", "how", "many", "much", "long", "often")
}


def repeated(question: str, state: State) -> Exchange | None:
    """The exchange in which the question was asked already, word for word or nearly so; None if it is new."""
    if same := state.answer_to(question):
        return same
    return next((each for each in state.exchanges if is_nearly_the_same(question, each.question)), None)


def is_nearly_the_same(one: str, other: str) -> bool:
    """Whether two questions ask the same of the same names and numbers, with nearly the same words.

    Who does it to whom counts: "Who manages Ada Lund?" is not "Who does Ada Lund manage?".
    """
    if same_question_key(one) == same_question_key(other):
        return True
    names = name_words((one, other))
    first, second = (read(Text(text, ""), names) for text in (one, other))
    if _sense(one, first) != _sense(other, second):
        return False
    if first.relation == second.relation:
        return True
    return fuzz.token_sort_ratio(same_question_key(one), same_question_key(other)) >= SAME


def _sense(question: str, reading: Reading) -> tuple[object, ...]:
    """What has to be the same in two wordings of one question."""
    asking = frozenset(_ASKING[word] for word in words(question) if word in _ASKING)
    return (
        asking,
        reading.about,
        reading.doers,
        reading.links,
        reading.negations,
        reading.is_past,
    )
