"""Work on the units of a run, shared by any number of processes."""

from __future__ import annotations

import asyncio
import time
import uuid
from typing import Any

from asgiref.sync import async_to_sync, sync_to_async
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from knowledge.models import Chunk, Document, GenerationRun, GenerationUnit
from knowledge.pipeline.candidates import Source
from knowledge.pipeline.lookup import PassageIndex
from knowledge.pipeline.synthesis import Synthesis, reflect_on_bundle, reflect_on_groups
from knowledge.storing import retire, store_pairs
from knowledge.synthesis.calls import RowStore, Stopping, make_transport
from knowledge.synthesis.planning import (
    CANDIDATES,
    GROUPS,
    GROUPS_DATA,
    PASSAGES,
    as_sources,
    sources_of_groups,
)
from memosite.llm import Asker, OpenAICompatible, Transport
from memosite.runs import LeaseLost, RunCancelled, RunInterrupted, RunPaused, Status, shutting_down

TICK_SECONDS = 0.5
POLL_SECONDS = 0.2
#: How long calls under way may take to come in when a worker has to go. They are paid for, so they are waited for.
GRACE_SECONDS = 3.0


class Worker:
    """One process's part in a run: claims units, works on several at a time, stores what came of each."""

    def __init__(self, run: GenerationRun, *, is_helper: bool = False) -> None:
        self.run = run
        self.is_helper = is_helper
        self.lease = uuid.uuid4()
        self._index: PassageIndex | None = None
        self._started = time.monotonic()
        self._done_before = run.units.filter(finished_at__isnull=False).count()
        self._next_report = 0.0

    def work(self, step: str) -> None:
        """Work on the units of a step until none is left. Raises what stopped it."""
        if self.is_helper or self._claimable(step).exists():
            async_to_sync(self._work)(step, make_transport(self.run), RowStore(self.run))

    async def _work(self, step: str, transport: Transport, store: RowStore) -> None:
        share = max(1, self.run.endpoint.concurrency // settings.GENERATION_WORKERS)  # type: ignore[union-attr]
        salt = f"run {self.run.pk}" if self.run.fresh else ""
        asker = Asker(transport, store, concurrency=share, salt=salt)
        tasks: set[asyncio.Task[None]] = set()
        try:
            await self._work_off(step, asker, store, share, tasks)
        except BaseException as error:
            await self._wind_up(tasks, store, at_once=isinstance(error, RunCancelled | LeaseLost))
            raise
        finally:
            if isinstance(transport, OpenAICompatible):
                await transport.close()

    async def _work_off(
        self, step: str, asker: Asker, store: RowStore, width: int, tasks: set[asyncio.Task[None]]
    ) -> None:
        while True:
            while len(tasks) < width and (unit := await sync_to_async(self._claim)(step)):
                tasks.add(asyncio.create_task(self._do(unit, asker)))
            if tasks:
                done, _ = await asyncio.wait(tasks, timeout=TICK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
                tasks -= done
                for task in done:
                    self._raise_problem(task, store)
            elif await sync_to_async(self._is_over)(step):
                return
            else:  # another worker has the rest
                await asyncio.sleep(POLL_SECONDS)
            await sync_to_async(self._report)(store)

    def _raise_problem(self, task: asyncio.Task[None], store: RowStore) -> None:
        problem = task.exception()
        if isinstance(problem, Stopping) and store.is_over_budget:
            raise RunPaused(
                f"The budget of {self.run.budget} US dollars does not cover the next calls. "
                "Raise it and resume the run."
            ) from problem
        if problem is not None:
            raise problem

    async def _wind_up(self, tasks: set[asyncio.Task[None]], store: RowStore, *, at_once: bool) -> None:
        """Let the calls under way come in, for they are paid for, unless the work has to stop at once."""
        store.stopping = True
        if tasks and not at_once:
            patience = GRACE_SECONDS if shutting_down.is_set() else None
            await asyncio.wait(tasks, timeout=patience)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await sync_to_async(self._give_back)()

    async def _do(self, unit: GenerationUnit, asker: Asker) -> None:
        if unit.step == PASSAGES:
            sources, index = await sync_to_async(self._passages)(unit)
            made = await reflect_on_bundle(sources, index.lookup, asker)
        else:
            groups = GROUPS_DATA.validate_python(unit.payload["groups"])
            by_id = await sync_to_async(sources_of_groups)(groups)
            made = await reflect_on_groups(groups, by_id, asker)
        await sync_to_async(self._store)(unit, made)

    def _passages(self, unit: GenerationUnit) -> tuple[list[Source], PassageIndex]:
        if self._index is None:
            everything = Chunk.objects.filter(document__corpus=self.run.corpus_id, document__is_current=True)
            self._index = PassageIndex(as_sources(everything))
        return as_sources(Chunk.objects.filter(pk__in=unit.payload["chunks"])), self._index

    # -- units --------------------------------------------------------------------------------------------------
    def _claimable(self, step: str) -> Any:
        return self.run.units.filter(step=step).claimable(settings.RUN_LEASE_SECONDS)

    def _claim(self, step: str) -> GenerationUnit | None:
        """Take the next unit for this worker, or None. Two workers never get the same one."""
        for unit in self._claimable(step)[:20]:
            taken = (
                GenerationUnit.objects.claimable(settings.RUN_LEASE_SECONDS)
                .filter(pk=unit.pk)
                .update(
                    status=Status.RUNNING,
                    lease=self.lease,
                    heartbeat_at=timezone.now(),
                    attempts=unit.attempts + 1,
                )
            )
            if taken:
                return unit
        return None

    def _is_over(self, step: str) -> bool:
        """No unit of the step waits or is worked on. A helper stays until the run has no more steps."""
        if self.is_helper:
            return step == PASSAGES and not self._unfinished(step) and self._unfinished(GROUPS)
        return not self._unfinished(step)

    def _unfinished(self, step: str) -> bool:
        return self.run.units.filter(step=step, status__in=(Status.QUEUED, Status.RUNNING)).exists()

    def _give_back(self) -> None:
        self.run.units.filter(lease=self.lease, status=Status.RUNNING).update(
            status=Status.QUEUED, lease=None
        )

    @transaction.atomic
    def _store(self, unit: GenerationUnit, made: Synthesis) -> None:
        """Store a unit's pairs and the mark that it is done, both or neither."""
        pairs = [pair for candidate in made.candidates for pair in candidate.pairs()]
        titles = dict(
            Document.objects.filter(pk__in={failure.document_id for failure in made.failures}).values_list(
                "pk", "title"
            )
        )
        errors = [
            {
                "document": titles.get(failure.document_id, ""),
                "document_id": failure.document_id,
                "step": failure.step,
                "error": failure.error,
                "passages": failure.passages,
            }
            for failure in made.failures
        ]
        payload = unit.payload | {
            "facts": CANDIDATES.dump_python(made.facts, mode="json"),
            "discarded": dict(made.discarded),
            "keys": [pair.key for pair in pairs],
        }
        status = Status.SUCCEEDED if not errors else Status.WITH_ERRORS if pairs else Status.FAILED
        held = GenerationUnit.objects.filter(pk=unit.pk, lease=self.lease, status=Status.RUNNING)
        if not held.update(
            status=status, lease=None, finished_at=timezone.now(), errors=errors, payload=payload
        ):
            return  # another worker took the unit over and stores it
        retire(
            self.run, unit.payload.get("keys", [])
        )  # of an earlier attempt; store_pairs brings back what stays
        store_pairs(self.run, pairs)

    # -- the run --------------------------------------------------------------------------------------------------
    def _report(self, store: RowStore) -> None:
        """Renew the leases and show progress, twice a second at most."""
        if time.monotonic() < self._next_report and not shutting_down.is_set():
            return
        self._next_report = time.monotonic() + TICK_SECONDS
        self.run.units.filter(lease=self.lease, status=Status.RUNNING).update(heartbeat_at=timezone.now())
        store.refresh()
        if self.is_helper:
            self._look_at_run()
        else:
            self._report_progress()

    def _look_at_run(self) -> None:
        """A helper stops when the run is over, or is to stop."""
        row = GenerationRun.objects.filter(pk=self.run.pk).values(
            "status", "pause_requested", "cancel_requested"
        )
        state = row.first()
        if state is None or state["status"] != Status.RUNNING or state["cancel_requested"]:
            raise RunCancelled
        if state["pause_requested"]:
            raise RunPaused
        if shutting_down.is_set():
            raise RunInterrupted

    def _report_progress(self) -> None:
        total = self.run.units.count()
        done = self.run.units.filter(finished_at__isnull=False).count()
        gone = max(1, done - self._done_before)
        left = (time.monotonic() - self._started) / gone * (total - done)
        self.run.report(
            done=done,
            total=total,
            seconds_left=left if done > self._done_before else None,
            pairs=self.run.reflections.count(),
        )
