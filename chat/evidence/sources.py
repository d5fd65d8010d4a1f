"""What supports one answer of a memory, as values, and how it is told.

Nobody read the weights: a supporting pair shows that the version was taught something, not where an answer came
from.
"""

from __future__ import annotations

from dataclasses import dataclass

from chat.evidence.grading import Grade
from knowledge.highlight import Stretch

WEIGHTS_UNREAD = (
    "Memory answered from its weights, and those were not read. These are pairs that it was trained on, "
    "with the passages that they were made from: they support the answer, they are not its source."
)
UNANSWERED = "Memory has not answered this yet."
ABSTAINED = "Memory said that it does not know, so there is nothing to support."
DELETED = "The memory version that answered was deleted, and its pairs with it."
WITHOUT_PAIRS = (
    "The version that answered came without the pairs that it was trained on, so none can be shown."
)
NOTHING_NEAR = (
    "No pair that this version was trained on says this or nearly this. Check the answer elsewhere."
)
ALL_HIDDEN = (
    "What this version was trained on and says something near comes from corpora that you may not read."
)
NO_RECORD = (
    "No document is known for this pair: it came with an imported memory, or was deleted from the corpus."
)
REJECTED = "A curator has rejected this pair since."
UNDER_REVIEW = "This pair is under review again."
EDITED = "This pair was edited since."
RETIRED = "The documents no longer yield this pair, by the latest generation."


@dataclass(frozen=True)
class Passage:
    """A passage that a pair was made from, with the supporting span marked, and where to read on.

    ``since`` says that the document was replaced or taken out after the pair was made; empty if it is current.
    """

    document: str
    version: int
    url: str
    stretches: tuple[Stretch, ...]
    since: str = ""

    @property
    def marked(self) -> str:
        """The supporting span alone."""
        return " ".join(piece.text for piece in self.stretches if piece.marked)


@dataclass(frozen=True)
class SupportingPair:
    """A pair as the version was trained on it.

    ``answers_otherwise``: it gives another answer to the same question. ``other_wordings`` counts the pairs of the
    same answer besides. ``since`` says what became of the pair. ``more_passages`` are not shown for their number,
    ``hidden_passages`` because the person may not read their documents.
    """

    question: str
    answer: str
    grade: Grade
    answers_otherwise: bool = False
    other_wordings: int = 0
    since: tuple[str, ...] = ()
    passages: tuple[Passage, ...] = ()
    more_passages: int = 0
    hidden_passages: int = 0

    @property
    def hidden_passages_told(self) -> str:
        """How many passages the person does not see, and why; empty where all are seen."""
        if not self.hidden_passages:
            return ""
        count = "1 passage is" if self.hidden_passages == 1 else f"{self.hidden_passages} passages are"
        return f"{count} not shown: you may not read the document."


@dataclass(frozen=True)
class Sources:
    """What supports one answer of a memory, as one person may see it.

    ``grade`` is that of the best pair shown; without any, ``why_none`` says why. ``version`` names the version
    that answered, where it is open to the person. ``hidden_pairs`` were left out because the person may not read
    the corpus that they belong to.
    """

    index: int
    question: str
    answer: str
    known: bool
    confidence: float | None = None
    version: str = ""
    pairs: tuple[SupportingPair, ...] = ()
    hidden_pairs: int = 0
    why_none: str = ""

    @property
    def grade(self) -> Grade:
        return self.pairs[0].grade if self.pairs else Grade.NONE

    @property
    def in_words(self) -> str:
        """The grade in a few words."""
        if not self.pairs:
            return "no pair to show"
        if self.grade == Grade.EXACT:
            return "memory was taught the same"
        other = self.pairs[0].answers_otherwise
        return "memory was taught another answer" if other else "memory was taught something near"

    @property
    def hidden_pairs_told(self) -> str:
        """How many pairs the person does not see, and why; empty where all are seen."""
        if not self.hidden_pairs:
            return ""
        if self.hidden_pairs == 1:
            return "1 pair is not shown: you may not read the corpus behind it."
        return f"{self.hidden_pairs} pairs are not shown: you may not read the corpus behind them."

    @property
    def note(self) -> str:
        """What these pairs are, and what they are not."""
        return WEIGHTS_UNREAD
