"""More wordings of questions that were asked already: the same clause behind another polite opening.

Nothing is made up: a question is either taken out of a polite opening that it has, or asks for its subject, so
that its word order stays when it is told rather than asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from knowledge.rules.lexicon import words

REWORDING = "reword"  # the step of pairs that are asked for beside those of the five steps
OPENINGS = (
    "Do you know {}?",
    "Could you tell me {}?",
    "Can you say {}?",
    "Would you tell me {}?",
    "Could you say {}?",
    "Can you please tell me {}?",
    "Can you tell me {}?",
)
_POLITE = re.compile(
    r"^(?:can|could|do|would) you (?:please )?(?:tell me|know|say) (?P<clause>.+)\?$", re.IGNORECASE
)
_OF_WHAT = re.compile(
    r"^(?P<word>who|what) (?P<be>is|are|was|were) (?P<noun>the [a-z][a-z -]*? of .+)\?$", re.IGNORECASE
)
_LOOK_UP = re.compile(r"^(?:who|what) (?:is|are) the .+ whose .+\?$", re.IGNORECASE)
_SUBJECT = re.compile(r"^(?P<word>who|what|which|whose) (?P<rest>.+)\?$", re.IGNORECASE)
#: Behind these the subject has changed places with the verb, which only the whole sentence could undo.
_TURNED = words("do does did is are was were has have had can could will would shall should may might must")
#: So many words behind "which" may be its noun.
_NOUN_LENGTH = 4


def reworded(questions: Iterable[str]) -> Iterator[str]:
    """Wordings of the same question that are not among ``questions``, the plainest first."""
    asked = list(questions)
    known = {question.casefold() for question in asked}
    clauses = list(dict.fromkeys(clause for question in asked if (clause := told(question))))
    for opening in OPENINGS:
        for clause in clauses:
            wording = opening.format(clause)
            if wording.casefold() not in known:
                known.add(wording.casefold())
                yield wording


def told(question: str) -> str:
    """The question as a clause that can follow "tell me": "who leads X", "who the manager of X is"; "" if none."""
    if polite := _POLITE.match(question):
        return polite["clause"]
    if _LOOK_UP.match(question):  # turned, the verb would stand at the far end of the description
        return question[:1].lower() + question[1:].removesuffix("?")
    if asked := _OF_WHAT.match(question):
        return f"{asked['word'].lower()} {asked['noun']} {asked['be'].lower()}"
    if (asked := _SUBJECT.match(question)) and not _is_turned(asked["word"], asked["rest"]):
        return f"{asked['word'].lower()} {asked['rest']}"
    return ""


def _is_turned(word: str, rest: str) -> bool:
    """Whether an auxiliary stands where a verb that is asked for its subject cannot have one."""
    reach = _NOUN_LENGTH if word.lower() in ("which", "whose") else 1
    return any(each.casefold() in _TURNED for each in rest.split()[:reach])
