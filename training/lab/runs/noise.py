"""The documents that retrieval searches, with distractors among them."""

from __future__ import annotations

from collections.abc import Sequence

from knowledge.models import Corpus
from memosite.errors import MemoError
from training.evaluation.types import Passage

MOST_NOISE = 10_000  # times as many distractors as documents


class BadNoise(MemoError):
    """There is no such noise to be had."""

    code = "bad_noise"
    status = 422


def passages_of(corpus: Corpus) -> list[Passage]:
    """The current documents of a corpus."""
    rows = corpus.documents.current().order_by("name").values_list("title", "text")
    return [Passage(title, text) for title, text in rows]


def with_distractors(corpus: Corpus, distractors: Corpus | None, level: float) -> list[Passage]:
    """The documents, and ``level`` times as many others, the same ones each time: those of the least checksums.

    Raises BadNoise where there are not so many.
    """
    own = passages_of(corpus)
    wanted = round(level * len(own))
    if not wanted:
        return own
    if distractors is None:
        raise BadNoise("The corpus that the noise was to come from is gone. Start a run with another one.")
    rows = distractors.documents.current().order_by("checksum", "name").values_list("title", "text")
    others = [Passage(title, text, is_noise=True) for title, text in rows[:wanted]]
    if len(others) < wanted:
        raise BadNoise(_too_few(level, wanted, str(distractors), len(others)))
    return [*own, *others]


def check_noise(corpus: Corpus, distractors: Corpus | None, levels: Sequence[float]) -> None:
    """Raise BadNoise where the levels of noise cannot be had."""
    if wrong := [level for level in levels if not 0 <= level <= MOST_NOISE]:
        raise BadNoise(
            f"Noise of {wrong[0]:g} makes no sense. Give 0 for none, or such as 1 or 3, {MOST_NOISE:,} at most."
        )
    most = max(levels, default=0.0)
    if not most:
        return
    if distractors is None:
        raise BadNoise("Choose the corpus whose documents are to be the noise.")
    if distractors == corpus:
        raise BadNoise("The noise has to come from another corpus than the one that is asked about.")
    wanted = round(most * corpus.documents.current().count())
    if (there := distractors.documents.current().count()) < wanted:
        raise BadNoise(_too_few(most, wanted, str(distractors), there))


def _too_few(level: float, wanted: int, corpus: str, there: int) -> str:
    return (
        f"×{level:g} noise takes {wanted:,} documents, and “{corpus}” has {there:,}. Choose a larger corpus, or "
        "less noise."
    )
