"""Which questions of a run are shown: by how they were answered, by tag, and by words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import CharField, Exists, OuterRef, Prefetch, Q, QuerySet
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from training.models import AskedQuestion, EvaluationAnswer, EvaluationRun

#: What may be asked of one contestant's answers, or of any contestant's.
OUTCOMES: dict[str, tuple[str, Q]] = {
    "right": ("answered right", Q(exact=True)),
    "wrong": ("answered wrong", Q(exact=False, known=True)),
    "abstained": ("abstained", Q(known=False, error="")),
    "failed": ("failed", ~Q(error="")),
    "judged_right": ("right in the judge’s eyes", Q(judged=True)),
    "judged_otherwise": (
        "judge and exact match differ",
        Q(judged=True, exact=False) | Q(judged=False, exact=True),
    ),
}
DIFFER = "differ"


@dataclass(frozen=True)
class QuestionFilter:
    """``outcome`` is one of OUTCOMES, of the contestant at ``position`` or of any; or ``differ``.

    ``tag`` is ``name=value``.
    """

    outcome: str = ""
    position: int = 0
    tag: str = ""
    words: str = ""

    @classmethod
    def of(cls, asked: Mapping[str, str]) -> QuestionFilter:
        """From an address; what makes no sense is left out."""
        outcome, position = asked.get("outcome", ""), asked.get("contestant", "")
        return cls(
            outcome if outcome in OUTCOMES or outcome == DIFFER else "",
            int(position) if position.isdecimal() and len(position) < 6 else 0,
            asked.get("tag", "")[:200],
            asked.get("words", "").strip()[:200],
        )

    @property
    def query(self) -> str:
        """The filter in an address, with an ampersand at its end if it is not empty."""
        told = {"outcome": self.outcome, "contestant": self.position, "tag": self.tag, "words": self.words}
        query = urlencode({name: value for name, value in told.items() if value})
        return f"{query}&" if query else ""

    def apply(self, questions: QuerySet[AskedQuestion]) -> QuerySet[AskedQuestion]:
        if self.words:
            questions = questions.filter(text__icontains=self.words)
        if self.tag:
            name, _, value = self.tag.partition("=")
            tag = Cast(KeyTextTransform(name, "tags"), CharField())
            questions = questions.annotate(tag=tag).filter(tag=value)
        return self._by_outcome(questions)

    def _by_outcome(self, questions: QuerySet[AskedQuestion]) -> QuerySet[AskedQuestion]:
        given = EvaluationAnswer.objects.filter(question=OuterRef("pk"))
        if self.outcome == DIFFER:
            return questions.filter(Exists(given.filter(exact=True)), Exists(given.filter(exact=False)))
        if self.position:
            given = given.filter(contestant__position=self.position)
        if self.outcome:
            return questions.filter(Exists(given.filter(OUTCOMES[self.outcome][1])))
        return questions


def with_answers(questions: QuerySet[AskedQuestion], *, transcripts: bool = False) -> QuerySet[AskedQuestion]:
    """The questions with their answers in the order of the contestants."""
    answers = EvaluationAnswer.objects.select_related("contestant").order_by("contestant__position")
    return questions.prefetch_related(
        Prefetch("given", answers if transcripts else answers.defer("transcript", "contestant__summary"))
    )


def in_columns(question: AskedQuestion, positions: Sequence[int]) -> list[EvaluationAnswer | None]:
    """The question's answers under the contestants at ``positions``; None where one was not asked it."""
    by_position = {answer.contestant.position: answer for answer in question.given.all()}
    return [by_position.get(position) for position in positions]


def tag_choices(run: EvaluationRun) -> list[str]:
    """The tags of the run's questions, as ``name=value``, as far as the result tells them."""
    tags: dict[str, Any] = run.result.get("tags", {})
    return [f"{name}={row['value']}" for name, rows in tags.items() for row in rows]
