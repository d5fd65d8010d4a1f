"""What has to be right about a question before it is asked, wherever it comes from: a form, a file, a program."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from training.evaluation.types import Question

LONGEST_QUESTION = 2000  # characters
LONGEST_ANSWER = 1000
LONGEST_TITLE = 500
LONGEST_TAG = 100
MOST_ANSWERS = 1000
MOST_TAGS = 20


class BadQuestion(ValueError):
    """What is wrong with one question, as a sentence that says what to do."""


def checked_question(
    text: Any,
    answers: Any = (),
    *,
    is_set: Any = False,
    answerable: Any = True,
    documents: Any = (),
    tags: Any = None,
) -> Question:
    """The question of these values, in one kind of white space and without repeats. Raises BadQuestion.

    A single answer or document may stand without its list, and numbers count as texts.
    """
    question = Question(
        checked_text("question", text, LONGEST_QUESTION),
        _texts("answer", answers, LONGEST_ANSWER),
        _yes_or_no("is_set", is_set),
        _yes_or_no("answerable", answerable),
        _texts("document", documents, LONGEST_TITLE),
        _tags(tags or {}),
    )
    if question.answerable and not question.answers:
        raise BadQuestion("There is no answer. Write one, or say that the question is not answerable.")
    if question.answers and not question.answerable:
        raise BadQuestion(
            "A question that is not answerable has no answers. Take them out, or say that it is."
        )
    return question


def checked_text(name: str, value: Any, most: int) -> str:
    """The text with single spaces. Raises BadQuestion where it is none, empty, too long or broken."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise BadQuestion(f"The {name} is missing, or no text.")
    text = " ".join(value.split())
    if not text:
        raise BadQuestion(f"The {name} is empty. Write one, or take the line out.")
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise BadQuestion(f"The {name} holds bytes that are no text. Save the file as UTF-8.")
    if len(text) > most:
        raise BadQuestion(f"The {name} is longer than {most:,} characters. Shorten it.")
    return text


def _texts(name: str, value: Any, most: int) -> tuple[str, ...]:
    given: Iterable[Any] = value if isinstance(value, list | tuple) else () if value is None else (value,)
    texts = tuple(dict.fromkeys(checked_text(name, one, most) for one in given))
    if len(texts) > MOST_ANSWERS:
        raise BadQuestion(f"The question has {len(texts):,} {name}s; {MOST_ANSWERS:,} is the limit.")
    return texts


def _yes_or_no(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise BadQuestion(f"“{name}” is neither true nor false.")
    return value


def _tags(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise BadQuestion("The tags are no names with values, such as hops: 2.")
    if len(value) > MOST_TAGS:
        raise BadQuestion(f"The question has {len(value)} tags; {MOST_TAGS} is the limit.")
    return {
        checked_text("name of a tag", name, LONGEST_TAG): checked_text(f"tag “{name}”", one, LONGEST_TAG)
        for name, one in value.items()
        if one not in (None, "")
    }
