"""A worker's application with a contestant that takes its time and writes down what it was asked.

Each question becomes a line of ``asked.log`` in the site's folder once it is answered.
"""

from __future__ import annotations

import asyncio
from typing import Any

from celery.signals import celeryd_after_setup

from memosite.celery import app

__all__ = ["app"]
SECONDS = 0.05


class Slow:
    """Answers every question with the same name."""

    fingerprint = "slow"

    async def prepare(self) -> None:
        """It is ready."""

    async def answer(self, question: Any) -> Any:
        from django.conf import settings

        from training.evaluation.types import Answered

        await asyncio.sleep(SECONDS)
        with (settings.STATE_DIR / "asked.log").open("a", encoding="utf-8") as log:
            log.write(f"{question.text}\n")
        return Answered("Bo.", ("Bo",), known=True)


@celeryd_after_setup.connect
def fill(**_: Any) -> None:
    """Put the contestant in the place of the site's own, once the site is set up."""
    from training.lab.runs.contestants import KINDS, Kind

    KINDS["closed_book"] = Kind(
        "closed_book", "Slow", "Takes its time.", False, lambda spec, passages: Slow()
    )
