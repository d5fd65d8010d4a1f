"""Many are asked at a time; each answer is handed over as it comes, between two steps of the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing

import pytest

from memosite.errors import MemoError
from training.lab.runs.asking import Pace, as_they_come


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as made:
        yield made


class Desk:
    """Answers the item that is first in ``order``; whoever has seen an answer takes it away."""

    def __init__(self, *order: int) -> None:
        self.order, self.under_way, self.most = list(order), set[int](), 0
        self.given_up: list[int] = []

    async def ask(self, item: int) -> int:
        self.under_way.add(item)
        self.most = max(self.most, len(self.under_way))
        try:
            while self.order[0] != item:
                await asyncio.sleep(0)
        except asyncio.CancelledError:
            self.given_up.append(item)
            raise
        self.under_way.discard(item)
        return item * 10


def test_answers_come_in_the_order_in_which_they_are_there_and_no_more_are_asked_at_once_than_allowed(runner):
    desk = Desk(2, 1, 3, 4)
    seen = []
    for item, answer in as_they_come([1, 2, 3, 4], desk.ask, runner, at_once=2):
        seen.append((item, answer))
        desk.order.pop(0)
    assert seen == [(2, 20), (1, 10), (3, 30), (4, 40)]
    assert desk.most == 2


def test_no_loop_runs_while_an_answer_is_looked_at(runner):
    desk = Desk(1, 2)
    for item, _ in as_they_come([1, 2], desk.ask, runner, at_once=2):
        with pytest.raises(RuntimeError):
            asyncio.get_running_loop()
        assert desk.order.pop(0) == item


def test_an_error_that_people_are_meant_to_read_is_an_answer_and_another_one_is_raised(runner):
    async def ask(item: int) -> int:
        raise MemoError("Not now.") if item == 1 else ZeroDivisionError

    answers = as_they_come([1, 2], ask, runner)
    item, answer = next(answers)
    assert (item, str(answer)) == (1, "Not now.")
    with pytest.raises(ZeroDivisionError):
        next(answers)


def test_who_stops_early_gives_up_what_is_under_way(runner):
    desk = Desk(1, 99)
    with closing(as_they_come([1, 2, 3], desk.ask, runner, at_once=3)) as answers:
        next(answers)
    assert sorted(desk.given_up) == [2, 3]


def test_while_nothing_comes_somebody_is_called_who_may_end_it(runner, monkeypatch):
    monkeypatch.setattr("training.lab.runs.asking.PULSE_SECONDS", 0.001)
    desk, called = Desk(0), []

    def stop_at_the_third() -> None:
        called.append(True)
        if len(called) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(as_they_come([1, 2], desk.ask, runner, at_once=2, meanwhile=stop_at_the_third))
    assert sorted(desk.given_up) == [1, 2]


def test_the_pace_is_that_of_what_was_done_since_it_began():
    times = iter([0.0, 4.0, 6.0])
    pace = Pace(lambda: next(times))
    assert (pace.left(10), pace.left(9)) == (40.0, 27.0)
