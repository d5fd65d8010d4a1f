"""Several wordings of one sub-query: MEMORY answers each, and the answers vote.

The paper's code has paraphrases written and never sends them. Here they go to MEMORY in one batch; how far the
answers agree is part of the confidence. Two answers agree if they add the same to what was asked: "Ada Lund leads
Project Atlas." and "The lead of Project Atlas is Ada Lund." both add Ada Lund.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from knowledge.rules.english import singular, verb_lemma
from knowledge.rules.lexicon import ARTICLES, BE_FORMS, DO_FORMS, HAVE_FORMS, PREPOSITIONS, PRONOUNS
from training.memory import DONT_KNOW, MemoryAnswer

_WORD = re.compile(r"[^\W_]+(?:[.'’&/-][^\W_]+)*")
_EMPTY = (
    ARTICLES | BE_FORMS | DO_FORMS | HAVE_FORMS | PREPOSITIONS | PRONOUNS | {"and", "or", "there", "both"}
)


@dataclass(frozen=True)
class Vote:
    """What several wordings came to. ``agreement`` is the share of wordings behind ``answer``, in [0, 1]."""

    answer: MemoryAnswer
    agreement: float


def vote(wordings: Sequence[str], answers: Sequence[MemoryAnswer]) -> Vote:
    """The answer that has the most confidence behind it, over all wordings; the first wording is the question.

    It is known if at least half of the wordings gave it; its confidence is the mean over all wordings, where
    those that said something else, or did not know, count as 0.
    """
    if len(answers) == 1:
        return Vote(answers[0], 1.0)
    camps = _camps(wordings, answers)
    if not camps:
        return Vote(answers[0], sum(not answer.known for answer in answers) / len(answers))
    best = max(camps, key=lambda camp: sum(answers[n].confidence for n in camp))
    agreement = len(best) / len(answers)
    confidence = sum(answers[n].confidence for n in best) / len(answers)
    said = answers[min(best, key=lambda n: (n != 0, -answers[n].confidence))]
    if agreement < 0.5:
        return Vote(MemoryAnswer(DONT_KNOW, confidence, known=False, source=said.source), agreement)
    return Vote(replace(said, confidence=confidence), agreement)


def _camps(wordings: Sequence[str], answers: Sequence[MemoryAnswer]) -> list[list[int]]:
    """The known answers by what they say, each camp the numbers of its wordings."""
    camps: list[tuple[frozenset[str], list[int]]] = []
    for number, (wording, answer) in enumerate(zip(wordings, answers, strict=True)):
        if not answer.known:
            continue
        told = added(wording, answer.text)
        for core, camp in camps:
            if told and core and (told <= core or core <= told):
                camp.append(number)
                break
        else:
            camps.append((told, [number]))
    return [camp for _, camp in camps]


def added(question: str, answer: str) -> frozenset[str]:
    """The words that an answer adds to its question, without inflection; all its words if it adds none."""
    asked, said = content_words(question), content_words(answer)
    return (said - asked) or said


def content_words(text: str) -> frozenset[str]:
    """The words that carry meaning, in lower case and without inflection."""
    words = (re.sub(r"['’]s?$", "", word) for word in _WORD.findall(text.casefold()))
    return frozenset(_stem(word) for word in words if word not in _EMPTY)


def _stem(word: str) -> str:
    """ "leads", "led" and "leading" are one word, as "friends" and "friend" are."""
    lemma = verb_lemma(word)
    return lemma if lemma != word else singular(word)
