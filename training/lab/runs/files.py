"""A run as files: CSV for table programs, JSON for programs, and HTML that can be sent to somebody."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Prefetch
from django.template.loader import render_to_string

from knowledge.exchange.table import BYTE_ORDER_MARK, harmless
from memosite.errors import MemoError
from training.lab.runs.filters import in_columns
from training.lab.runs.report import report_of
from training.models import AskedQuestion, EvaluationAnswer, EvaluationRun

QUESTIONS_AT_ONCE = 200
ANSWER_FIELDS = (
    "text",
    "values",
    "known",
    "exact",
    "f1",
    "judged",
    "judged_why",
    "error",
    "calls",
    "prompt_tokens",
    "completion_tokens",
    "read_tokens",
    "cost",
    "seconds",
    "is_cached",
)
QUESTION_FIELDS = ("position", "text", "answers", "is_set", "answerable", "documents", "tags")


class UnknownForm(MemoError):
    """A run is not written in that form."""

    code = "unknown_form"
    status = 422


@dataclass(frozen=True)
class Form:
    """A form of file: its ending, its media type, and what writes it block by block."""

    suffix: str
    media_type: str
    write: Callable[[EvaluationRun], Iterator[bytes]]


def questions_of(run: EvaluationRun, *, with_transcripts: bool = False) -> Iterator[AskedQuestion]:
    """The questions in their order, each with its answers in the order of the contestants."""
    answers = EvaluationAnswer.objects.select_related("contestant").order_by("contestant__position")
    answers = answers if with_transcripts else answers.defer("transcript")
    rows = run.questions.order_by("position").prefetch_related(Prefetch("given", answers))
    return rows.iterator(chunk_size=QUESTIONS_AT_ONCE)


def as_csv(run: EvaluationRun) -> Iterator[bytes]:
    """One line an answer."""
    writer: Any = csv.writer(_Lines(), quoting=csv.QUOTE_ALL)
    head = ["position", "question", "answers", "answerable", "tags", "contestant", "executive", "noise"]
    head += ["version", *("answer" if name == "text" else name for name in ANSWER_FIELDS)]
    yield f"{BYTE_ORDER_MARK}{writer.writerow(head)}".encode()
    versions = dict(run.contestants.values_list("pk", "version__number"))
    for question in questions_of(run):
        asked = [question.position, question.text, question.answers, question.answerable, question.tags]
        for row in question.given.all():
            who = [row.contestant.label, row.contestant.executive, row.contestant.noise]
            cells = [
                *asked,
                *who,
                versions[row.contestant_id],
                *(getattr(row, name) for name in ANSWER_FIELDS),
            ]
            yield writer.writerow(harmless(_cell(cell)) for cell in cells).encode()


def _cell(value: Any) -> str:
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    return "" if value is None else str(value)


class _Lines:
    """What a CSV writer writes to: it hands each line back."""

    def write(self, line: str) -> str:
        return line


def as_json(run: EvaluationRun) -> Iterator[bytes]:
    """Everything, the interrogations included."""
    head = json.dumps(_head(run), ensure_ascii=False, indent=1)
    yield f'{head.rstrip()[:-1].rstrip()},\n "questions": ['.encode()
    for number, question in enumerate(questions_of(run, with_transcripts=True)):
        told = {name: getattr(question, name) for name in QUESTION_FIELDS}
        told["given"] = [
            {
                "contestant": row.contestant.position,
                **{name: getattr(row, name) for name in ANSWER_FIELDS},
                "transcript": row.transcript,
            }
            for row in question.given.all()
        ]
        yield f"{',' if number else ''}\n{json.dumps(told, ensure_ascii=False)}".encode()
    yield b"\n]}\n"


def _head(run: EvaluationRun) -> dict[str, Any]:
    return {
        "run": run.pk,
        "title": run.title,
        "corpus": run.corpus.slug,
        "set": run.evaluation_set.name if run.evaluation_set else None,
        "status": run.status,
        "finished_at": run.finished_at.isoformat() if run.finished_at else None,
        "judge": run.judge.name if run.judge else None,
        "noise": run.noise,
        "distractors": run.distractors.slug if run.distractors else None,
        "result": run.result,
        "contestants": [
            {
                "position": one.position,
                "kind": one.kind,
                "label": one.label,
                "executive": one.executive,
                "version": one.version.number if one.version else None,
                "options": one.options,
                "noise": one.noise,
                "summary": one.summary,
            }
            for one in run.contestants.select_related("version")
        ],
    }


def as_html(run: EvaluationRun) -> Iterator[bytes]:
    """One page that needs nothing but itself: styles and drawings are in it, and it asks for nothing."""
    contestants = list(run.contestants.order_by("position"))
    positions = [one.position for one in contestants]
    context = {
        "run": run,
        "corpus": run.corpus,
        "report": report_of(run),
        "contestants": contestants,
        "rows": ((question, in_columns(question, positions)) for question in questions_of(run)),
    }
    yield render_to_string("lab/report.html", context).encode()


FORMS = {
    "csv": Form(".csv", "text/csv; charset=utf-8", as_csv),
    "json": Form(".json", "application/json", as_json),
    "html": Form(".html", "text/html; charset=utf-8", as_html),
}


def form_named(name: str) -> Form:
    """Raises UnknownForm."""
    if name not in FORMS:
        raise UnknownForm(f"“{name[:20]}” is no form of file here. Choose one of: {', '.join(FORMS)}.")
    return FORMS[name]


def file_name(run: EvaluationRun, form: Form) -> str:
    return f"{run.corpus.slug}-evaluation-{run.pk}{form.suffix}"
