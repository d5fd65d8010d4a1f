"""Paid calls as rows, and the limits on making more of them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from asgiref.sync import sync_to_async

from knowledge.models import GenerationRun, LLMCall
from memosite.endpoints import settings_of
from memosite.errors import MemoError
from memosite.llm import Completion, OpenAICompatible, Request, Transport


class Stopping(Exception):
    """No new call is made any more; those under way come in."""


class EndpointGone(MemoError):
    """The endpoint of the run was deleted."""

    code = "endpoint_gone"


class RowStore:
    """Keeps replies as LLMCall rows, and lets no call be made once the budget is spent or the work has to stop."""

    def __init__(self, run: GenerationRun) -> None:
        self._run = run
        self._endpoint: Any = run.endpoint
        self._spent = run.spend["cost"]
        self._calls = run.spend["calls"]
        self.has_paid = False  # for a call, since this worker started
        self.stopping = False
        self.is_over_budget = False

    async def find(self, key: str) -> str | None:
        kept = await sync_to_async(self._find)(key)
        if kept is None:
            self._admit()
        return kept

    def _find(self, key: str) -> str | None:
        kept = LLMCall.objects.filter(corpus=self._run.corpus_id, key=key)
        return kept.values_list("reply", flat=True).first()

    def _admit(self) -> None:
        """Refuse the call if those under way may spend what is left of the budget."""
        if self.stopping:
            raise Stopping
        budget = self._run.budget
        if budget is not None:
            average = self._spent / self._calls if self._calls else Decimal(0)
            if self._spent + average * self._endpoint.concurrency >= budget:
                self.is_over_budget = self.stopping = True
                raise Stopping

    def refresh(self) -> None:
        """See what other workers of the run have spent."""
        if self._run.budget is not None:
            found = self._run.spend
            self._spent, self._calls = found["cost"], found["calls"]

    async def keep(self, key: str, request: Request[Any], completion: Completion, *, usable: bool) -> None:
        await sync_to_async(self._keep)(key, request, completion)

    def _keep(self, key: str, request: Request[Any], completion: Completion) -> None:
        cost = self._endpoint.cost(completion.prompt_tokens, completion.completion_tokens)
        self._spent += cost
        if not self.has_paid:  # a worker that dies after this did not die in vain
            GenerationRun.objects.filter(pk=self._run.pk).update(fruitless=0)
            self.has_paid = True
        self._calls += 1
        values = {
            "run": self._run,
            "step": request.step,
            "prompt_version": request.prompt_version,
            "endpoint": self._endpoint.name,
            "model": self._endpoint.model,
            "prompt_tokens": completion.prompt_tokens,
            "completion_tokens": completion.completion_tokens,
            "cost": cost,
            "seconds": completion.seconds,
            "retries": completion.retries,
            "reply": completion.text,
        }
        LLMCall.objects.get_or_create(corpus_id=self._run.corpus_id, key=key, defaults=values)


def make_transport(run: GenerationRun) -> Transport:
    """The client of the run's endpoint. Raises EndpointGone or NoKey."""
    if run.endpoint is None:
        raise EndpointGone(f"The endpoint “{run.generator}” was deleted. Start a run with another generator.")
    return OpenAICompatible(settings_of(run.endpoint))
