"""Sets, contestants that answer by heart, and runs of them, for tests of evaluations."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from knowledge.models import Corpus
from memosite.errors import MemoError, Unavailable
from memosite.runs import work_on
from tests.factories import CorpusFactory
from training.evaluation.types import Answered, Passage, Question
from training.lab.runs.contestants import KINDS, Kind, Spec
from training.lab.runs.running import perform_evaluation
from training.models import EvaluationQuestion, EvaluationRun, EvaluationSet

LEADERS = {f"Who leads Project {name}?": f"{name} Lund" for name in ("Atlas", "Beacon", "Cedar", "Delta")}


@dataclass
class ByHeart:
    """A contestant that gives the answers written down for it and knows nothing else.

    ``asked`` keeps the questions that were put to it.
    """

    fingerprint: str
    answers: Mapping[str, str | BaseException]
    passages: Sequence[Passage] = ()
    asked: list[str] = field(default_factory=list)
    unready: MemoError | None = None

    async def prepare(self) -> None:
        if self.unready:
            raise self.unready

    async def answer(self, question: Question) -> Answered:
        self.asked.append(question.text)
        said = self.answers.get(question.text)
        if isinstance(said, BaseException):
            raise said
        told = [
            {"type": "stage", "data": {"stage": "answer_seeking", "note": "Ask about it."}},
            {"type": "sub_query", "data": {"index": 1, "stage": "answer_seeking", "question": question.text}},
            {"type": "memory_answer", "data": _memory_answer(said)},
        ]
        if said is None:
            return Answered("I don't know.", calls=1, seconds=0.5, transcript=tuple(told))
        return Answered(f"{said}.", (said,), True, 2, 100, 20, 30, 0.001, 1.5, tuple(told))


def _memory_answer(said: str | None) -> dict[str, Any]:
    known = {"answer": said or "I don't know.", "known": said is not None, "confidence": 0.9 if said else 0.0}
    return {"index": 1, "latency_ms": 12.0, **known}


class Contest:
    """Kinds of contestants that tests decide on. ``built`` keeps those that were made, in their order."""

    def __init__(self) -> None:
        self.answers: dict[str, dict[str, str | BaseException]] = {"memory": dict(LEADERS), "bm25": {}}
        self.built: list[ByHeart] = []
        self.when_built: Callable[[], Any] = lambda: None

    def kinds(self) -> dict[str, Kind]:
        return {
            "memory": Kind("memory", "Memory", "Asks a version.", True, self.build),
            "bm25": Kind(
                "bm25", "BM25", "Looks words up.", False, self.build, {"top": 5, "unit": "sentence"}
            ),
            "closed_book": Kind("closed_book", "Closed book", "The EXECUTIVE alone.", False, self.build),
        }

    def build(self, spec: Spec, passages: Sequence[Passage]) -> ByHeart:
        version = spec.version.number if spec.version else ""
        fingerprint = f"{spec.kind} {version} {spec.executive} {sorted(spec.options.items())} {len(passages)}"
        made = ByHeart(fingerprint, self.answers.get(spec.kind, {}), passages)
        self.built.append(made)
        self.when_built()
        return made

    @property
    def asked(self) -> list[str]:
        return [question for made in self.built for question in made.asked]


def replaced_kinds(contest: Contest) -> Iterator[Contest]:
    """The contest's kinds in place of the site's, for the length of a test."""
    before = dict(KINDS)
    KINDS.clear()
    KINDS.update(contest.kinds())
    yield contest
    KINDS.clear()
    KINDS.update(before)


def make_set(corpus: Corpus | None = None, name: str = "Leaders", **fields: Any) -> EvaluationSet:
    """A set of four answerable questions of one and two hops, and one that has no answer."""
    made = EvaluationSet.objects.create(corpus=corpus or CorpusFactory(), name=name, **fields)
    for number, (question, answer) in enumerate(LEADERS.items()):
        EvaluationQuestion.objects.create(
            evaluation_set=made, text=question, answers=[answer], tags={"hops": str(1 + number % 2)}
        )
    EvaluationQuestion.objects.create(
        evaluation_set=made, text="Who leads Project Void?", answerable=False, tags={"hops": "1"}
    )
    return made


def carry_through(run: EvaluationRun) -> EvaluationRun:
    """Let a worker do the run; as it stands afterwards."""
    work_on(run, perform_evaluation)
    run.refresh_from_db()
    return run


DOWN = Unavailable("The server does not answer. Try again later.")
