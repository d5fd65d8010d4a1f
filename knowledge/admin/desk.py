"""What one person does in the review queue during a session: the steps back, the pace, the pair in hand."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterable
from typing import Any, TypedDict

from django.contrib.sessions.backends.base import SessionBase
from django.core.cache import cache

from knowledge.models import Reflection

SESSION_KEY = "review_queue"
MOST_STEPS_BACK = 50
MOST_MEASURES = 50
FEWEST_MEASURES = 3  # before that, nobody knows how long the rest takes
LONGEST_PAUSE = 300.0  # seconds; whoever takes longer was away
HOLD_SECONDS = 300


class Step(TypedDict):
    """A change that can be undone: the pair and its ``edit`` after the change, and what was before.

    ``was`` is the pair that was changed: another one where the change made a revision.
    """

    was: int
    pair: int
    edit: int
    before: dict[str, str]


class Desk:
    """The session's part of the review queue: each change of it is stored with the session.

    Pairs that lie on a desk are held in the cache for some minutes, so that another curator is given others. That
    is a courtesy: without a cache that all processes share it fails now and then, and then ``edit`` refuses what
    is stale.
    """

    def __init__(self, session: SessionBase, person: Any) -> None:
        self._session = session
        self._person = person.pk
        self._state: dict[str, Any] = session.get(SESSION_KEY, {})

    def _keep(self, **values: Any) -> None:
        self._state.update(values)
        self._session[SESSION_KEY] = self._state

    # -- undo -----------------------------------------------------------------------------------------------
    @property
    def steps(self) -> list[Step]:
        return list(self._state.get("steps", []))

    def remember(self, was: Reflection, row: Reflection, before: dict[str, str]) -> None:
        """Note a change that made ``row`` of ``was``, so that it can be undone."""
        step = Step(was=was.pk, pair=row.pk, edit=row.edit, before=before)
        self._keep(steps=[*self.steps, step][-MOST_STEPS_BACK:])

    def take_step_back(self) -> Step | None:
        """The last change, which is forgotten here; None if there is none."""
        steps = self.steps
        last = steps.pop() if steps else None
        self._keep(steps=steps)
        return last

    def follow(self, undone: Step, row: Reflection) -> None:
        """After ``undone``, the person's step just before it on that pair leads back from ``row``, the pair now.

        If anybody else changed the pair between the two, it does not, and undoing it will be refused.
        """
        steps = self.steps
        for step in reversed(steps):
            if step["pair"] == undone["was"] and step["edit"] == undone["edit"] - 1:
                step["pair"], step["edit"] = row.pk, row.edit
                break
        self._keep(steps=steps)

    # -- pace -----------------------------------------------------------------------------------------------
    def measure(self) -> None:
        """Take the time since the decision before."""
        now, last = time.time(), self._state.get("decided_at")
        seconds = list(self._state.get("seconds", []))
        if last and now - last < LONGEST_PAUSE:
            seconds.append(round(now - last, 1))
        self._keep(decided_at=now, seconds=seconds[-MOST_MEASURES:])

    @property
    def pace(self) -> float | None:
        """Seconds that a decision takes this person in this session; None before that is known."""
        seconds = self._state.get("seconds", [])
        return statistics.median(seconds) if len(seconds) >= FEWEST_MEASURES else None

    # -- what lies on it ------------------------------------------------------------------------------------
    def hold(self, pair: int | None) -> None:
        """Put this pair on the desk, and give back the one that lay there."""
        desk = f"review-desk-{self._person}"
        held = cache.get(desk)
        if held and held != pair and cache.get(_claim(held)) == self._person:
            cache.delete(_claim(held))
        if pair and cache.get(_claim(pair)) in (None, self._person):
            cache.set_many({_claim(pair): self._person, desk: pair}, HOLD_SECONDS)

    def first_free(self, pairs: Iterable[int]) -> int | None:
        """The first of the pairs that lies on nobody else's desk."""
        claims = {_claim(pair): pair for pair in pairs}
        holders = cache.get_many(claims)
        return next((pair for key, pair in claims.items() if holders.get(key) in (None, self._person)), None)


def _claim(pair: int) -> str:
    return f"pair-under-review-{pair}"
