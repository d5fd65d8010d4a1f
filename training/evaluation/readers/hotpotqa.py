"""HotpotQA (arXiv 1809.09600): questions of two hops, each with ten paragraphs.

Read are the published files, one JSON list, and those of its copies that have one object a line with columns of
titles and sentences.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from training.evaluation.questions import BadQuestion, checked_question
from training.evaluation.readers.parts import Row, Shelf, Source, records
from training.evaluation.types import Passage


def read_hotpotqa(source: Source) -> Iterator[Row]:
    shelf = Shelf()
    return records(source, lambda line, values: _row(line, values, shelf))


def _row(line: int, values: Mapping[str, Any], shelf: Shelf) -> Row:
    context = _pairs(values.get("context"), "title", "sentences")
    placed = {str(title): _passage(str(title), sentences, shelf) for title, sentences in context}
    gold = dict.fromkeys(
        str(title) for title, _ in _pairs(values.get("supporting_facts"), "title", "sent_id")
    )
    question = checked_question(
        values.get("question"),
        values.get("answer"),
        documents=[placed[title].title if title in placed else title for title in gold],
        tags={"hops": "2", "kind": values.get("type"), "level": values.get("level")},
    )
    return Row(line, question, tuple(placed.values()))


def _pairs(value: Any, first: str, second: str) -> list[tuple[Any, Any]]:
    """Pairs that stand as a list of two each, or as two lists of the same length."""
    if value is None:
        return []
    try:
        if isinstance(value, Mapping):
            return list(zip(value[first], value[second], strict=True))
        return [(one, other) for one, other in value]
    except (KeyError, TypeError, ValueError):
        raise BadQuestion(
            f"There are no pairs of {first} and {second}. Is this a file of HotpotQA?"
        ) from None


def _passage(title: str, sentences: Any, shelf: Shelf) -> Passage:
    if not isinstance(sentences, list) or not all(isinstance(one, str) for one in sentences):
        raise BadQuestion(
            f"The paragraph “{title[:60]}” is no list of sentences. Is this a file of HotpotQA?"
        )
    return shelf.put(title, "".join(sentences).strip())
