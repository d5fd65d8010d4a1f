"""“Who are the friends of Ada Moss?” in the other sentences that people make of it.

A GENERATOR words a fact as full questions. People also ask for one of several ("Who is Ada Moss's friend?"), type
two words as into a search field ("friend Ada Moss"), or offer a choice ("Ada Moss, female or male?").
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from random import Random

import lemminflect

from training.engine.pairs import Pair
from training.engine.words import CARRIERS, STRAY_WORDS, Lexicon, capitalised, words

OF_QUESTION = re.compile(
    r"^(?P<asking>who|what) (?P<be>is|are|was|were) the (?P<relation>[a-z][a-z -]*) of (?P<subject>.+)\?$",
    re.IGNORECASE,
)
POSSESSIVE_QUESTION = re.compile(
    r"^(?P<asking>who|what) (?P<be>is|are|was|were) (?P<subject>.+)['’]s (?P<relation>[a-z][a-z -]*)\?$",
    re.IGNORECASE,
)
PLURAL = frozenset({"are", "were"})
FULL = (
    "{asking} {be} the {relation} of {subject}?",
    "{asking} {be} {subject}'s {relation}?",
    "Which {relation} does {subject} have?",
    "Does {subject} have {any} {relation}? If so, {asking}?",
    "{asking} does {subject} have as {relation}?",
    "Find the {relation} of {subject}.",
    "Look up {subject}'s {relation}.",
    "I am after the {relation} of {subject}.",
    "Let me have {subject}'s {relation}.",
    "Show me {asking} the {relation} of {subject} {be}.",
    "I am trying to find the {relation} of {subject}.",
    "We would like to have {subject}'s {relation}.",
    "Somebody asked for the {relation} of {subject}.",
    "Is there {any} {relation} of {subject}, and {asking}?",
    "Tell me whether {subject} has {any} {relation}, and {asking}.",
)
BARE = (
    "The {relation} of {subject}?",
    "{subject}'s {relation}?",
    "{subject} {relation}",
    "{relation} {subject}",
    "{relation}, {subject}?",
    "{subject} - {relation}",
)
FRAMED = (
    "{before} the {relation} of {subject} {after}?",
    "{before} {subject}'s {relation}, {after}?",
    "{before} {subject} {between} {relation}, {after}?",
)
CHOICES = (
    "Is the {relation} of {subject} {this} or {that}?",
    "Is {subject}'s {relation} {this}, or is it {that}?",
    "{this} or {that}: what is {subject}?",
    "Is {subject} a {this} or a {that}?",
    "{subject}, {this} or {that}?",
)
COUNTING = re.compile(r"^how many\b", re.IGNORECASE)
BE_PLURAL = re.compile(r"\b(?:are|were)\b", re.IGNORECASE)
ONE_OF_SEVERAL = 0.35  # share of the questions for several that are asked as if for one
MOST_AROUND = 4  # words before, and as many after, what is asked
MOST_CHOICES = 3  # a relation has so many values at most for people to offer them
FEWEST_TO_CHOOSE = 5  # subjects that each of the values is told of


@dataclass(frozen=True)
class Asked:
    """“Who are the friends of Ada Moss?” taken apart: ``asking`` who, ``be`` are, ``relation`` friends."""

    asking: str
    be: str
    relation: str
    subject: str

    @property
    def is_plural(self) -> bool:
        return self.be in PLURAL and one_of(self.relation) != self.relation


def take_apart(question: str, lexicon: Lexicon) -> Asked | None:
    """The parts of a question for a relation of something named, or None if it is another sort of question."""
    match = OF_QUESTION.match(question) or POSSESSIVE_QUESTION.match(question)
    if not match or not lexicon.name_spans(match["subject"]):
        return None
    return Asked(match["asking"].lower(), match["be"].lower(), match["relation"], match["subject"])


class Forms:
    """Other forms of questions for a relation. ``pairs`` tell which relations there are several of, and which have
    so few values that people ask for them by offering a choice."""

    def __init__(self, pairs: Sequence[Pair], lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        several: set[str] = set()
        values: dict[str, Counter[str]] = defaultdict(Counter)
        for pair in pairs:
            if asked := take_apart(pair.question, lexicon):
                several |= {asked.relation} if asked.is_plural else set()
                said = CARRIERS | set(words(pair.question))
                told = (word for word in words(pair.answer) if word not in said)
                values[asked.relation][" ".join(told)] += 1
        self._several = re.compile(rf"\b(?:{'|'.join(sorted(several)) or '(?!)'})\b")
        self._choices = {relation: found for relation in values if (found := _choices(values[relation]))}

    def for_one(self, question: str, random: Random) -> str:
        """Now and then “Who are the friends of Ada Moss?” as “Who is the friend of Ada Moss?”: people do not know
        how many there are. Other questions stay as they are."""
        found = self._several.findall(question)
        if len(found) != 1 or COUNTING.match(question) or not BE_PLURAL.search(question):
            return question
        if random.random() >= ONE_OF_SEVERAL:
            return question
        one = self._several.sub(lambda several: one_of(several[0]), question)
        return BE_PLURAL.sub(lambda be: "is" if be[0].lower() == "are" else "was", one)

    def draw(self, question: str, random: Random) -> str:
        """The question in another form, or as it is where it asks for no relation."""
        asked = take_apart(question, self._lexicon)
        if asked is None:
            return question
        offered = self._choices.get(asked.relation)
        kinds = (FULL, FULL, FRAMED, FRAMED, BARE, *([CHOICES] if offered else []))
        this, that = random.sample(offered, 2) if offered else ("", "")
        form = random.choice(random.choice(kinds))
        around = {place: _stray_words(random) for place in ("before", "between", "after")}
        return capitalised(_filled(form, asked, this=this, that=that, **around))


def _stray_words(random: Random) -> str:
    return " ".join(random.choices(STRAY_WORDS, k=random.randint(1, MOST_AROUND)))


def _filled(form: str, asked: Asked, **words_beside: str) -> str:
    article = "an" if asked.relation[0] in "aeiou" else "a"
    return form.format(
        asking=asked.asking,
        be=asked.be,
        relation=asked.relation,
        subject=asked.subject,
        any="any" if asked.is_plural else article,
        **words_beside,
    )


def _choices(values: Counter[str]) -> list[str]:
    """The values of a relation in a fixed order if they are few single words, each told of several subjects."""
    offered = sorted(value for value, times in values.items() if times >= FEWEST_TO_CHOOSE)
    few = 2 <= len(values) <= MOST_CHOICES and len(offered) == len(values)
    return offered if few and all(value and " " not in value for value in offered) else []


@lru_cache(maxsize=10_000)
def one_of(relation: str) -> str:
    """“account managers” to “account manager”; what is no plural stays as it is."""
    before, space, last = relation.rpartition(" ")
    lemmas = lemminflect.getLemma(last, upos="NOUN")
    return f"{before}{space}{lemmas[0] if lemmas else last}"
