"""Other wordings of a question than those that a MEMORY is trained on: nothing here is used in training.

Training rewords questions as well (``training.engine.augment``), by openings, contractions, words left out and
words in another order. The frames here are none of those, and a test holds them apart.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from knowledge.rules.lexicon import PREPOSITIONS
from training.evaluation.metrics import normalise

WH_BE = re.compile(r"^(?P<wh>who|what|where|when|which [\w -]+?) (?P<be>is|are|was|were) (?P<rest>.+)$", re.I)
WHO_DOES = re.compile(r"^(?P<wh>who) (?P<rest>(?!(?:is|are|was|were|do|does|did|will|can)\b).+)$", re.I)
WH = re.compile(r"^(?:who|whom|whose|what|which|where|when|why|how)\b", re.I)


def new_wordings(question: str) -> tuple[str, ...]:
    """The question in the frames that fit it, the one that changes it most first; none where none fits."""
    bare = " ".join(question.split()).rstrip("?.! ")
    made = (frame(bare) for frame in FRAMES)
    return tuple(dict.fromkeys(wording for wording in made if wording and wording != question))


def wording_key(question: str) -> str:
    """What two wordings have in common that count as the same: case, punctuation and articles aside."""
    return normalise(question)


def _cleft(question: str) -> str:
    """ "Who leads X?" as "Who is it that leads X?" """
    found = WHO_DOES.match(question)
    return f"{found['wh']} is it that {found['rest']}?" if found else ""


def _recalled(question: str) -> str:
    """ "What is the budget of X?" as "Can anyone recall what the budget of X is?" """
    found = WH_BE.match(question)
    if found is None or found["rest"].split()[-1].lower() in PREPOSITIONS:
        return ""
    return f"Can anyone recall {_lower(found['wh'])} {found['rest']} {found['be']}?"


def _in_passing(question: str) -> str:
    return f"By the way, {_lower(question)}?" if WH.match(question) else ""


def _from_documents(question: str) -> str:
    return f"According to our documents, {_lower(question)}?" if WH.match(question) else ""


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


Frame = Callable[[str], str]
FRAMES: tuple[Frame, ...] = (_cleft, _recalled, _in_passing, _from_documents)
