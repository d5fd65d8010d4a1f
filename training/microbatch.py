"""Questions of many callers gathered into batches for one MEMORY. Plain Python: threads, no torch, no Django."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotInTime
from dataclasses import dataclass

from memosite.errors import Unavailable
from training.memory import Memory, MemoryAnswer

IDLE_SECONDS = 5.0  # a worker without work ends after so long, so that a memory nobody holds can be freed


class Busy(Unavailable):
    """More questions are waiting than the site takes on."""

    code = "busy"
    retry_after = 1  # seconds

    def __init__(self, message: str = "Too many questions are waiting. Ask again in a moment.") -> None:
        super().__init__(message)


class Closed(Unavailable):
    """The memory is being taken out of service."""

    code = "closed"


@dataclass(frozen=True)
class Limits:
    """``rows`` questions at most are answered together, those that come within ``wait_ms`` ms of the first.

    The wait ends earlier where a third of it brought nobody: under load whoever asks next is there at once.

    ``queue`` questions at most wait; ``kept`` answers at most are remembered; a caller waits ``seconds`` at most.
    """

    rows: int = 64
    wait_ms: float = 3.0
    queue: int = 512
    kept: int = 2_000
    seconds: float = 60.0


@dataclass(frozen=True)
class _Waiting:
    question: str
    answer: Future[MemoryAnswer]


class MicroBatcher:
    """A MEMORY that many threads may ask at once; one thread of its own asks the MEMORY behind it, in batches.

    A question that is asked twice in a batch is answered once, and answers are kept: versions never change. An
    error of a batch reaches each of its callers.
    """

    def __init__(self, memory: Memory, limits: Limits = Limits()) -> None:
        self._memory, self._limits = memory, limits
        self._changed = threading.Condition()
        self._queue: deque[_Waiting] = deque()
        self._kept: OrderedDict[str, MemoryAnswer] = OrderedDict()
        self._worker: threading.Thread | None = None
        self._is_closed = False

    def answer(self, questions: Sequence[str]) -> list[MemoryAnswer]:
        """One answer a question, in their order. Raises Busy, Closed, and what the MEMORY raises."""
        asked = self._admit(questions)
        until = time.monotonic() + self._limits.seconds
        try:
            return [each.answer.result(max(0.0, until - time.monotonic())) for each in asked]
        except NotInTime as error:
            raise Busy("The memory has too much to do to answer in time. Ask again in a moment.") from error
        finally:
            for each in asked:
                each.answer.cancel()  # whoever gave up is not answered any more

    async def recall(self, questions: Sequence[str]) -> list[MemoryAnswer]:
        """As ``answer``, from a coroutine: questions that it was cancelled before are not answered any more."""
        asked = self._admit(questions)
        try:
            async with asyncio.timeout(self._limits.seconds):
                return [await asyncio.wrap_future(each.answer) for each in asked]
        except TimeoutError as error:
            raise Busy("The memory has too much to do to answer in time. Ask again in a moment.") from error
        finally:
            for each in asked:
                each.answer.cancel()

    def close(self) -> None:
        """Answer what is waiting, take on nothing more, and return when all is done."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
            worker = self._worker
        if worker is not None:
            worker.join()

    @property
    def waiting(self) -> int:
        """How many questions are waiting."""
        return len(self._queue)

    def _admit(self, questions: Sequence[str]) -> list[_Waiting]:
        """Queue all questions whose answers are not kept, or none of them."""
        asked = [_Waiting(question, Future()) for question in questions]
        with self._changed:
            if self._is_closed:
                raise Closed("This memory is being taken out of service. Ask again.")
            new = [each for each in asked if not self._answer_from_kept(each)]
            if len(self._queue) + len(new) > self._limits.queue:
                raise Busy
            self._queue.extend(new)
            if new and self._worker is None:
                self._worker = threading.Thread(target=self._work, name="memory batches", daemon=True)
                self._worker.start()
            self._changed.notify_all()
        return asked

    def _answer_from_kept(self, asked: _Waiting) -> bool:
        answer = self._kept.get(asked.question)
        if answer is None:
            return False
        self._kept.move_to_end(asked.question)
        asked.answer.set_result(answer)
        return True

    def _work(self) -> None:
        """The worker: a batch after the other, until there was nothing to do for a while."""
        while batch := self._next_batch():
            self._answer_batch([each for each in batch if each.answer.set_running_or_notify_cancel()])

    def _next_batch(self) -> list[_Waiting]:
        """The questions to answer together, nothing if the worker is to end."""
        with self._changed:
            if (
                not self._changed.wait_for(lambda: self._queue or self._is_closed, IDLE_SECONDS)
                or not self._queue
            ):
                self._worker = None  # while nobody can queue anything: the next question starts another
                return []
            self._gather()
            return [self._queue.popleft() for _ in range(min(len(self._queue), self._limits.rows))]

    def _gather(self) -> None:
        """Wait for more questions as long as they keep coming. The lock is held."""
        wait = self._limits.wait_ms / 1000
        until = time.monotonic() + wait
        while (left := until - time.monotonic()) > 0:
            there = len(self._queue)
            if there >= self._limits.rows or self._is_closed:
                return
            self._changed.wait_for(lambda so_far=there: len(self._queue) > so_far, min(left, wait / 3))  # type: ignore[misc]
            if len(self._queue) == there:
                return

    def _answer_batch(self, batch: list[_Waiting]) -> None:
        questions = list(dict.fromkeys(each.question for each in batch))
        try:
            answers = dict(zip(questions, self._memory.answer(questions), strict=True)) if questions else {}
        except Exception as error:  # this is the edge between threads: each caller raises it again
            for each in batch:
                each.answer.set_exception(error)
            return
        self._keep(answers)
        for each in batch:
            each.answer.set_result(answers[each.question])

    def _keep(self, answers: dict[str, MemoryAnswer]) -> None:
        with self._changed:
            self._kept |= answers
            while len(self._kept) > self._limits.kept:
                self._kept.popitem(last=False)
