"""Rewordings of a question, drawn anew each epoch, so that MEMORY learns the fact and not the sentence."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from random import Random

from training.engine.forms import Forms
from training.engine.pairs import Pair
from training.engine.words import CARRIERS, STRAY_WORDS, TIES, WORD, Lexicon, capitalised, words

FUNCTION_WORDS = frozenset(
    words("a an the of is are was were do does did has have been to in on at by for s")
)
OPENINGS = (
    "Do you know {}?",
    "Tell me {}.",
    "Please tell me {}.",
    "Can you tell me {}?",
    "I would like to know {}.",
    "I wonder {}.",
    "Could you say {}?",
)
STRAY_DROPPED = 0.5
MOST_STRAY = 4
COMMANDS = ("Please {}.", "Can you {}?", "I need you to {}.", "Could you {}?")
BE_QUESTION = re.compile(r"^(who|what|where|when|which [\w -]+?) (is|are|was|were) (.+?)\?$", re.IGNORECASE)
PLAIN_QUESTION = re.compile(r"^(who|what|which|whose|where|when|how|why)\b (.+?)\?$", re.IGNORECASE)
DO_QUESTION = re.compile(r"\b(do|does|did)\b")
COMMAND = re.compile(r"^(name|list|give|state|tell) (.+?)\.?$", re.IGNORECASE)
CONTRACTION = re.compile(r"^(who|what|where|when) is\b", re.IGNORECASE)
OF_BEFORE_NAME = re.compile(r"\bthe ([a-z][a-z -]*?) of $")
AFTER_NAME = re.compile(r"^['’]s ([a-z][a-z -]*[a-z])(?=[?.!]?$)")


class Augmenter:
    """Rewords the questions of a set of pairs. Draws come from the generator passed in, from nothing else."""

    def __init__(self, pairs: Sequence[Pair], lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._forms = Forms(pairs, lexicon)
        answers: dict[tuple[str, ...], set[str]] = defaultdict(set)
        for pair in pairs:
            answers[_bag(pair.question)].add(pair.answer)
        self._ambiguous = {bag for bag, texts in answers.items() if len(texts) > 1}

    def reword(self, question: str, random: Random) -> str:
        """One or two random changes that keep the meaning, as far as word order can be spared."""
        question = self._forms.for_one(question, random)
        question = random.choice(
            (self._turn_possessive, _open_politely, _contract, _keep, self._forms.draw, self._forms.draw)
        )(question, random)
        change = random.choice(
            (self._drop_words, self._shuffle, self._scatter, self._scatter, _lower, _drop_mark, _keep)
        )
        return change(question, random) or question

    def in_another_form(self, question: str, random: Random) -> str:
        """The question in another form, whole, or as it is where it has none."""
        return self._forms.draw(question, random)

    def _turn_possessive(self, question: str, random: Random) -> str:
        """“the mother of Ada Moss” into “Ada Moss's mother”, and back."""
        for start, end in self._lexicon.name_spans(question):
            name, before, after = question[start:end], question[:start], question[end:]
            if relation := AFTER_NAME.match(after):
                return f"{before}the {relation[1]} of {name}{after[relation.end() :]}"
            if relation := OF_BEFORE_NAME.search(before):
                return f"{before[: relation.start()]}{name}'s {relation[1]}{after}"
        return question

    def _drop_words(self, question: str, random: Random) -> str:
        if _bag(question) in self._ambiguous:
            return question
        kept = [
            word for word in question.split() if word.lower() not in FUNCTION_WORDS or random.random() < 0.5
        ]
        return " ".join(kept)

    def _scatter(self, question: str, random: Random) -> str:
        """The telling words with stray ones around them: “Give me now Ada Moss's mother for”."""
        if _bag(question) in self._ambiguous:
            return question
        pieces = _capital_undone(self._pieces(question), self._lexicon)
        pieces = [
            piece
            for piece in pieces
            if piece.casefold() not in CARRIERS - TIES or random.random() >= STRAY_DROPPED
        ]
        for _ in range(random.randint(1, MOST_STRAY)):
            place = random.choice((0, 0, random.randint(0, len(pieces)), len(pieces)))
            pieces.insert(place, random.choice(STRAY_WORDS))
        return capitalised(_joined(pieces)) + random.choice(("?", ".", ""))

    def _pieces(self, question: str) -> list[str]:
        """The words, names in one piece."""
        pieces, end = [], 0
        for start, stop in self._lexicon.name_spans(question):
            pieces += [*WORD.findall(question[end:start]), question[start:stop]]
            end = stop
        return pieces + WORD.findall(question[end:])

    def _shuffle(self, question: str, random: Random) -> str:
        """Another order of the words; names stay in one piece."""
        if _bag(question) in self._ambiguous:
            return question
        pieces = self._pieces(question)
        random.shuffle(pieces)
        return " ".join(pieces)


def _bag(question: str) -> tuple[str, ...]:
    """What is left of a question when order and function words are gone."""
    return tuple(sorted(word for word in words(question) if word not in FUNCTION_WORDS))


def _open_politely(question: str, random: Random) -> str:
    """A polite opening, with the inversion of the question undone: “Tell me who the mother of … is.”"""
    opening = random.choice(OPENINGS)
    if match := BE_QUESTION.match(question):
        return opening.format(f"{_uncapitalised(match[1])} {match[3]} {match[2]}")
    if (match := PLAIN_QUESTION.match(question)) and not DO_QUESTION.search(question):
        return opening.format(_uncapitalised(question[:-1]))
    if match := COMMAND.match(question):
        return random.choice(COMMANDS).format(_uncapitalised(match[0].rstrip(".")))
    return f"Please tell me: {_uncapitalised(question)}" if match else question


def _capital_undone(pieces: list[str], lexicon: Lexicon) -> list[str]:
    """The first word in lower case, unless it is a name."""
    first = pieces[0]
    return pieces if lexicon.name_spans(first) else [first.lower(), *pieces[1:]]


def _joined(pieces: list[str]) -> str:
    """Words between spaces; a possessive ending joins the word before it."""
    return " ".join(pieces).replace(" s ", "'s ")


def _uncapitalised(text: str) -> str:
    return text[:1].lower() + text[1:]


def _contract(question: str, random: Random) -> str:
    return CONTRACTION.sub(r"\1's", question)


def _lower(question: str, random: Random) -> str:
    return question.lower()


def _drop_mark(question: str, random: Random) -> str:
    return question.rstrip("?.!")


def _keep(question: str, random: Random) -> str:
    return question
