"""What a generation will take: calls, tokens, dollars and minutes, foreseen before anything is spent."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Avg

from knowledge.models import Chunk, Corpus, GenerationRun, LLMCall
from knowledge.pipeline.estimate import estimate
from knowledge.synthesis.planning import as_sources
from memosite.models import Endpoint
from memosite.runs import COMPLETE

#: What a call takes where the endpoint was never called before.
SECONDS_A_CALL = 5.0


@dataclass(frozen=True)
class Forecast:
    """An estimate with its price. ``is_measured`` says that earlier runs with the endpoint have corrected it."""

    calls: int
    prompt_tokens: int
    completion_tokens: int
    dollars: Decimal
    minutes: float
    is_measured: bool
    raw_prompt_tokens: int
    raw_completion_tokens: int

    def as_dict(self) -> dict[str, Any]:
        """The forecast as JSON can hold it."""
        return asdict(self) | {"dollars": float(self.dollars)}


def foresee(corpus: Corpus, endpoint: Endpoint) -> Forecast:
    """What a run over the whole corpus will take, if no reply of an earlier run can be used again."""
    chunks = Chunk.objects.filter(document__corpus=corpus, document__is_current=True)
    raw = plain = estimate(as_sources(chunks))
    earlier = _last_whole_run(endpoint)
    if earlier:
        spent, foreseen = earlier.spend, earlier.estimate
        plain = raw.scaled(
            spent["prompt_tokens"] / max(1, foreseen["raw_prompt_tokens"]),
            spent["completion_tokens"] / max(1, foreseen["raw_completion_tokens"]),
        )
    seconds = _seconds_a_call(endpoint)
    return Forecast(
        calls=plain.calls,
        prompt_tokens=plain.prompt_tokens,
        completion_tokens=plain.completion_tokens,
        dollars=endpoint.cost(plain.prompt_tokens, plain.completion_tokens),
        minutes=round(plain.calls * seconds / endpoint.concurrency / 60, 1),
        is_measured=earlier is not None,
        raw_prompt_tokens=raw.prompt_tokens,
        raw_completion_tokens=raw.completion_tokens,
    )


def _last_whole_run(endpoint: Endpoint) -> GenerationRun | None:
    """The latest run with the endpoint that went to its end and paid for nearly all of its calls itself."""
    runs = GenerationRun.objects.filter(endpoint=endpoint, status__in=COMPLETE).exclude(estimate={})
    for run in runs[:5]:
        if run.spend["calls"] >= 0.8 * run.estimate["calls"]:
            return run
    return None


def _seconds_a_call(endpoint: Endpoint) -> float:
    recent = LLMCall.objects.filter(endpoint=endpoint.name, model=endpoint.model).order_by("-pk")[:200]
    return recent.aggregate(average=Avg("seconds"))["average"] or SECONDS_A_CALL
