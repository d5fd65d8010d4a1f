"""Questions of many callers are answered together: bounded, in order, each once; who gave up holds up nobody."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from training import microbatch
from training.memory import MemoryAnswer
from training.microbatch import Busy, Closed, Limits, MicroBatcher

PATIENCE = 10


class HeldMemory:
    """Answers a batch only once the test opens the gate; ``began`` is set when a batch is in its hands."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.gate, self.began = threading.Semaphore(0), threading.Semaphore(0)
        self.error: Exception | None = None

    def answer(self, questions: Sequence[str]) -> list[MemoryAnswer]:
        self.asked.append(list(questions))
        self.began.release()
        assert self.gate.acquire(timeout=PATIENCE)
        if self.error:
            raise self.error
        return [MemoryAnswer(f"Answer to {question}", 1.0, True) for question in questions]


@pytest.fixture
def memory():
    held = HeldMemory()
    yield held
    held.gate.release(100)


@pytest.fixture
def people():
    with ThreadPoolExecutor(16) as threads:
        yield threads


def texts(answers: Future[list[MemoryAnswer]]) -> list[str]:
    return [answer.text for answer in answers.result(PATIENCE)]


def until(condition: Callable[[], bool]) -> None:
    """Wait without a guess at how long it takes."""
    changed = threading.Event()
    for _ in range(PATIENCE * 200):
        if condition():
            return
        changed.wait(0.005)
    raise AssertionError("it never came to pass")


def occupied(
    batcher: MicroBatcher, memory: HeldMemory, people: ThreadPoolExecutor
) -> Future[list[MemoryAnswer]]:
    """The memory at work on a question of somebody, so that others have to wait."""
    first = people.submit(batcher.answer, ["first"])
    assert memory.began.acquire(timeout=PATIENCE)
    return first


def test_what_comes_while_a_batch_is_answered_is_answered_together_next(memory, people):
    batcher = MicroBatcher(memory, Limits(wait_ms=0))
    first = occupied(batcher, memory, people)
    others = [people.submit(batcher.answer, [f"{n}a", f"{n}b"]) for n in range(5)]
    until(lambda: batcher.waiting == 10)
    memory.gate.release(2)
    assert texts(first) == ["Answer to first"]
    assert [texts(other) for other in others] == [[f"Answer to {n}a", f"Answer to {n}b"] for n in range(5)]
    assert len(memory.asked) == 2
    assert sorted(memory.asked[1]) == sorted(f"{n}{part}" for n in range(5) for part in "ab")


def test_a_batch_has_no_more_rows_than_allowed(memory, people):
    memory.gate.release(10)
    answers = MicroBatcher(memory, Limits(rows=4)).answer([str(n) for n in range(10)])
    assert [answer.text for answer in answers] == [f"Answer to {n}" for n in range(10)]
    assert [len(batch) for batch in memory.asked] == [4, 4, 2]


def test_beyond_the_queue_people_are_told_that_it_is_busy_and_nothing_of_theirs_is_queued(memory, people):
    batcher = MicroBatcher(memory, Limits(wait_ms=0, queue=2))
    first = occupied(batcher, memory, people)
    second = people.submit(batcher.answer, ["second"])
    until(lambda: batcher.waiting == 1)
    with pytest.raises(Busy, match="Too many questions are waiting") as refused:
        batcher.answer(["third", "fourth"])
    assert (refused.value.status, refused.value.code) == (503, "busy")
    memory.gate.release(2)
    assert texts(first) + texts(second) == ["Answer to first", "Answer to second"]
    assert memory.asked == [["first"], ["second"]]


def test_a_question_that_several_ask_at_once_is_answered_once(memory, people):
    batcher = MicroBatcher(memory, Limits(wait_ms=0, kept=0))
    occupied(batcher, memory, people)
    others = [people.submit(batcher.answer, ["same"]) for _ in range(3)]
    until(lambda: batcher.waiting == 3)
    memory.gate.release(2)
    assert [texts(other) for other in others] == [["Answer to same"]] * 3
    assert memory.asked[1] == ["same"]


def test_answers_are_kept_up_to_a_number(memory):
    memory.gate.release(10)
    batcher = MicroBatcher(memory, Limits(kept=2))
    for question in ("a", "b", "a", "c", "a", "b"):
        batcher.answer([question])
    assert memory.asked == [["a"], ["b"], ["c"], ["b"]]


def test_an_error_reaches_each_caller_of_the_batch_and_the_next_batch_is_answered(memory, people):
    batcher = MicroBatcher(memory, Limits(wait_ms=0))
    first = occupied(batcher, memory, people)
    others = [people.submit(batcher.answer, [str(n)]) for n in range(3)]
    until(lambda: batcher.waiting == 3)
    memory.gate.release()
    first.result(PATIENCE)
    memory.error = Busy("Out of order.")
    memory.gate.release()
    for other in others:
        with pytest.raises(Busy, match="Out of order"):
            other.result(PATIENCE)
    memory.error = None
    memory.gate.release()
    assert [answer.text for answer in batcher.answer(["0"])] == ["Answer to 0"]


def test_whoever_gave_up_is_told_so_and_costs_the_others_nothing(memory, people):
    batcher = MicroBatcher(memory, Limits(wait_ms=0, seconds=0.05))
    first = occupied(batcher, memory, people)
    with pytest.raises(Busy, match="too much to do"):
        batcher.answer(["nobody waits for this"])
    with pytest.raises(Busy):
        first.result(PATIENCE)
    memory.gate.release(2)
    until(lambda: batcher.waiting == 0)
    assert batcher.answer(["second"])[0].text == "Answer to second"
    assert ["nobody waits for this"] not in memory.asked


def test_closing_answers_what_waits_and_takes_on_nothing_more(memory, people):
    batcher = MicroBatcher(memory, Limits(wait_ms=0))
    first = occupied(batcher, memory, people)
    second = people.submit(batcher.answer, ["second"])
    until(lambda: batcher.waiting == 1)
    closing = people.submit(batcher.close)
    until(lambda: batcher._is_closed)
    with pytest.raises(Closed):
        batcher.answer(["third"])
    memory.gate.release(2)
    closing.result(PATIENCE)
    assert texts(first) + texts(second) == ["Answer to first", "Answer to second"]


def test_a_memory_that_nobody_holds_any_more_is_freed(memory, monkeypatch):
    monkeypatch.setattr(microbatch, "IDLE_SECONDS", 0.01)
    memory.gate.release(2)
    made = [MicroBatcher(memory)]
    made[0].answer(["once"])
    until(lambda: made[0]._worker is None)
    made[0].answer(["a worker starts again"])
    until(lambda: made[0]._worker is None)
    watched = weakref.ref(made.pop())
    until(lambda: not gc.collect() and watched() is None)
