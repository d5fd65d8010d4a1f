"""Pairs that people suggest who only ask: a corrected answer becomes a pending pair for the curators.

Who suggested a pair is not kept with it. What else there is to tell of it (the answer that was corrected, the
reason) is known to the apps above knowledge; this asks them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from knowledge.models import Corpus, Reflection, ReflectionSet, ReviewStatus
from knowledge.pipeline.types import Kind, Pair
from knowledge.signals import pairs_suggested, reflections_changed

FEEDBACK = "feedback"  # the step of synthesis, as it were, that such a pair comes from
FROM_FEEDBACK = "from feedback"  # in the place of a GENERATOR's name


@dataclass(frozen=True)
class Suggestion:
    """What a person said who corrected an answer. ``answer`` is what they got.

    It is empty with ``is_answer_closed`` where whoever looks may not read all that it may rest on.
    """

    question: str
    answer: str
    reason: str
    comment: str
    corrected: str
    suggested_at: datetime
    is_answer_closed: bool = False


def suggestions_for(pair: Reflection, person: Any) -> list[Suggestion]:
    """What people said who suggested the pair, the newest first, as far as the person may see it."""
    answers: list[tuple[Any, Any]] = pairs_suggested.send(sender=Reflection, pair=pair, person=person)
    found = [suggestion for _, suggestions in answers for suggestion in suggestions]
    return sorted(found, key=lambda suggestion: suggestion.suggested_at, reverse=True)


def from_feedback() -> QuerySet[Reflection]:
    """The pairs that began as somebody's correction, their revisions included."""
    return Reflection.objects.filter(step=FEEDBACK)


@transaction.atomic
def suggest_pair(corpus: Corpus, question: str, answer: str) -> Reflection:
    """The pair with these words: a new pending one in nobody's name, or the one that is there already."""
    Corpus.objects.select_for_update().get(pk=corpus.pk)
    question, answer = question.strip(), answer.strip()
    if known := _with_words(corpus, question, answer):
        return known
    reflection_set, _ = ReflectionSet.objects.get_or_create(corpus=corpus, generator=FROM_FEEDBACK)
    key = _free_key(reflection_set, Pair(question, answer, Kind.DIRECT, fact="", spans=()).key)
    row = Reflection(corpus=corpus, reflection_set=reflection_set, key=key, fact=key, kind=Kind.DIRECT)
    row.question, row.answer, row.step = question, answer, FEEDBACK
    _in_nobodys_name(row)
    row.save()
    reflections_changed.send(sender=Reflection, ids=[row.pk], compare=True)
    return row


@transaction.atomic
def reword_suggestion(suggestion: Reflection, answer: str) -> Reflection:
    """Give a suggestion that nobody has looked at yet another answer; any other stays, and a new one is made."""
    row = Reflection.objects.select_for_update().get(pk=suggestion.pk)
    answer = answer.strip()
    if row.answer == answer:
        return row
    if not is_untouched(row):
        return suggest_pair(row.corpus, row.question, answer)
    if known := _with_words(row.corpus, row.question, answer):
        withdraw_suggestion(row)
        return known
    row.answer = answer
    row.edit += 1
    _in_nobodys_name(row)
    row.save(update_fields=["answer", "edit"])
    reflections_changed.send(sender=Reflection, ids=[row.pk], compare=True)
    return row


@transaction.atomic
def withdraw_suggestion(suggestion: Reflection) -> bool:
    """Delete a suggestion that nobody has looked at yet; True if it was. What curators touched stays theirs."""
    row = Reflection.objects.select_for_update().filter(pk=suggestion.pk).first()
    if row is None or not is_untouched(row):
        return False
    _in_nobodys_name(row)
    row.delete()
    return True


def is_untouched(row: Reflection) -> bool:
    """The pair is a suggestion as it came in: no curator has decided on it or edited it."""
    is_as_it_came = row.status == ReviewStatus.PENDING and row.reviewed_at is None
    return row.step == FEEDBACK and is_as_it_came and row.is_latest and not row.trained


def _with_words(corpus: Corpus, question: str, answer: str) -> Reflection | None:
    return corpus.reflections.present().filter(question=question, answer=answer).first()


def _free_key(reflection_set: ReflectionSet, key: str) -> str:
    """The key of a pair's words, or the next one if a pair had these words once and was edited since."""
    while reflection_set.reflections.filter(key=key).exists():
        key = sha256(f"suggested again: {key}".encode()).hexdigest()
    return key


def _in_nobodys_name(row: Reflection) -> None:
    """Keep the history from naming whoever is logged in: people who ask are not named to curators."""
    row._history_user = None  # type: ignore[attr-defined]
