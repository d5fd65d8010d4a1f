"""A small grammar of English questions: finds their frame and the descriptions in them.

A chart parser by hand. Each rule gives, for a position, its readings as (result, end), likeliest first and
one for each end, so the work grows with the square of the question's length. Words keep every part of speech
that they may have; what fits the whole question decides.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from typing import Any, TypeVar

from chat.rules.phrases import Clause, NounPhrase, Predicate, Template, is_relation, with_clauses, with_place
from knowledge.rules.english import is_person_noun, is_plural, singular, third_person, verb_lemma
from knowledge.rules.lexicon import BE_FORMS, DO_FORMS, HAVE_FORMS, TIME_NOUNS, words
from knowledge.rules.tokens import Token, tokenise

T = TypeVar("T")
Readings = list[tuple[T, int]]

_RELATIVE = frozenset({"who", "that", "which", "whom"})
_MODIFIER_TAGS = ("N", "NS", "PN", "J", "CD", "DATE", "VBN", "VBG", "QUOTE")
_HEAD_TAGS = ("N", "NS", "PN", "CD", "DATE", "QUOTE", "PRP", "CLOCK")
_NAME_TAGS = ("PN", "DATE", "QUOTE", "CD", "CLOCK")
_NAME_LINKS = frozenset({"of", "for", "and", "&"})
#: Prepositions that tie a phrase to the noun before it.
_ATTACHED = words("in at on near from for with to about behind by between inside within against over outside")
_ADVERBIAL = frozenset({"when", "while", "after", "before", "because", "until"})
_ADJECTIVE = re.compile(r"[ai]ble$")


def _memo(rule: Callable[[Any, int], Iterable[tuple[T, int]]]) -> Callable[[Any, int], Readings[T]]:
    """Compute a rule once for each position, keeping the first reading for each end."""

    @wraps(rule)
    def remembered(self: Chart, start: int) -> Readings[T]:
        key = (rule.__name__, start)
        if key not in self.known:
            readings: dict[int, T] = {}
            for reading, end in rule(self, start):
                readings.setdefault(end, reading)
            self.known[key] = [(reading, end) for end, reading in readings.items()]
        return self.known[key]

    return remembered


class Chart:
    """The readings of one question."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[Token] = tokenise(text)
        self.known: dict[tuple[str, int], list[tuple[Any, int]]] = {}

    @property
    def end(self) -> int:
        return len(self.tokens)

    def span(self, start: int, end: int) -> str:
        """The text of the tokens [start, end) as written."""
        return self.text[self.tokens[start].start : self.tokens[end - 1].end] if end > start else ""

    def lower(self, index: int) -> str:
        return self.tokens[index].lower if index < self.end else ""

    def may_be(self, index: int, *tags: str) -> bool:
        return index < self.end and self.tokens[index].may_be(*tags)

    # Noun phrases

    @_memo
    def noun_phrase(self, start: int) -> Iterator[tuple[NounPhrase, int]]:
        if self.may_be(start, "QT", "DT", "CD") and self.lower(start + 1) == "of":
            for whole, end in self.noun_phrase(start + 2):
                yield NounPhrase((self.span(start, start + 2), whole)), end
        for phrase, end in self.possessive_phrase(start):
            if phrase.is_name:
                yield from self.enumeration(phrase, end)
            else:
                yield from self.described(phrase, end)
            yield phrase, end

    def enumeration(self, first: NounPhrase, end: int) -> Iterator[tuple[NounPhrase, int]]:
        """Names joined by "and": each is a phrase of its own."""
        if self.lower(end) == "and" and self.may_be(end + 1, "PN", "DT"):
            for other, stop in self.noun_phrase(end + 1):
                if other.is_name or (other.members and all(member.is_name for member in other.members)):
                    members = (first, *(other.members or (other,)))
                    yield NounPhrase((first, "and", other), members=members), stop

    @_memo
    def possessive_phrase(self, start: int) -> Iterator[tuple[NounPhrase, int]]:
        """A core with any number of possessives before it: "Mara Lind's manager's birthplace"."""
        for phrase, end in self.core(start):
            if self.may_be(end, "POS"):
                yield from self.possessed(phrase, end + 1)
            yield phrase, end

    def possessed(self, owner: NounPhrase, start: int) -> Iterator[tuple[NounPhrase, int]]:
        for thing, end in self.core(start):
            if thing.determiner or thing.is_name:
                continue
            for noun, stop in self.compound(thing.noun, end):
                phrase = NounPhrase((owner, f"'s {noun}"), nouns=(noun,), genitive=owner)
                if self.may_be(stop, "POS"):
                    yield from self.possessed(phrase, stop + 1)
                yield phrase, stop

    def compound(self, noun: str, end: int) -> Iterator[tuple[str, int]]:
        """ "date" in "Mara Lind's date of birth" is "date of birth"."""
        if self.lower(end) == "of" and self.may_be(end + 1, "N") and not self.may_be(end + 1, "PN"):
            yield f"{noun} {self.span(end, end + 2)}", end + 2
        yield noun, end

    @_memo
    def core(self, start: int) -> Iterator[tuple[NounPhrase, int]]:
        """Determiner, modifiers and head, the longest first."""
        has_determiner = self.may_be(start, "DT", "PP$", "QT") and self.lower(start) != "that"
        first = start + has_determiner
        determiner = self.lower(start) if has_determiner else ""
        for end in self.core_ends(first):
            words = self.tokens[first:end]
            is_name = all(token.may_be(*_NAME_TAGS) or token.lower in _NAME_LINKS for token in words)
            is_title = is_name and has_determiner and _is_role(words[0]) and len(words) == 1
            yield (
                NounPhrase(
                    (self.span(start, end),),
                    nouns=(self.span(first, end),),
                    determiner=determiner,
                    is_name=is_name and not is_title,
                ),
                end,
            )

    def core_ends(self, first: int) -> list[int]:
        ends = []
        index = first
        while index < self.end:
            linked = self.name_link(first, index)
            if linked:
                index = linked
            elif not self.may_be(index, *_MODIFIER_TAGS, *_HEAD_TAGS) or self.opens_participle(first, index):
                break
            index += 1
            if self.may_be(index - 1, *_HEAD_TAGS) and not self.opens_adjective_phrase(index - 1):
                ends.append(index)
        doubtful = {
            end for end in ends if self.is_likelier_verb(first, end - 1) or self.opens_clause(first, end)
        }
        return sorted(ends, key=lambda end: (end in doubtful, -end))

    def opens_clause(self, first: int, end: int) -> bool:
        """ "the city Ada" in "the city Ada played for" is rather the city that she played for."""
        start_of_name = end - 1
        follows_noun = start_of_name > first and self.may_be(start_of_name - 1, "N", "NS")
        is_verb_next = self.may_be(end, "VBD", "VBZ") and self.lower(end + 1) != "by"
        return self.tokens[start_of_name].is_name and follows_noun and is_verb_next

    def opens_adjective_phrase(self, index: int) -> bool:
        """ "responsible for" is never the head of a noun phrase, whatever the dictionary says."""
        return bool(_ADJECTIVE.search(self.lower(index))) and self.may_be(index + 1, "IN", "TO")

    def opens_participle(self, first: int, index: int) -> bool:
        """ "containing" in "the country containing Nugegoda" begins a clause of its own."""
        return (
            index > first
            and self.may_be(index, "VBG", "VBN")
            and self.may_be(index - 1, "N", "NS", "PN")
            and self.may_be(index + 1, "DT", "PN", "PP$", "IN")
            and self.lower(index + 1) != "of"
        )

    def is_likelier_verb(self, first: int, index: int) -> bool:
        """ "leads" in "the project Mara Lind leads" may be a noun, but hardly is."""
        if index == first or not self.may_be(index, "VBZ", "VBD") or self.may_be(index + 1, "AUX", "MD"):
            return False
        return self.tokens[index - 1].is_name or self.may_be(index + 1, "DT", "PN", "PP$")

    def name_link(self, first: int, index: int) -> int:
        """Where the next capitalised word stands in "University of Oslo"; 0 if the name ends here."""
        before = self.tokens[index - 1] if index > first else None
        if before is None or not before.is_name or _is_role(before):
            return 0
        if self.lower(index) == "," and self.may_be(index + 1, "PN"):  # "Portland, Oregon"
            return index + 1 if self.lower(index + 2) not in (",", "and", "or") else 0
        following = index + 1 + (self.lower(index + 1) == "the")
        return following if self.lower(index) == "of" and self.may_be(following, "PN", "DATE") else 0

    def described(self, phrase: NounPhrase, end: int) -> Iterator[tuple[NounPhrase, int]]:
        """The phrase with what follows it: "of ...", relative clauses, participles, places."""
        if phrase.genitive is None and not phrase.clauses:
            yield from self.with_genitive(phrase, end)
        is_misplaced = self.lower(end) == "when" and singular(phrase.noun) not in TIME_NOUNS
        for clauses, stop in self.clauses(end):
            if not (phrase.clauses or is_misplaced):
                described = with_clauses(phrase, self.span(end, stop), clauses)
                yield from self.described(described, stop)
                yield described, stop
        if self.lower(end) in _ATTACHED and not phrase.clauses:
            for place, stop in self.noun_phrase(end + 1):
                yield with_place(phrase, self.span(end, end + 1), place), stop

    def with_genitive(self, phrase: NounPhrase, end: int) -> Iterator[tuple[NounPhrase, int]]:
        for nouns, stop in self.relation_nouns(phrase, end):
            if self.lower(stop) != "of":
                continue
            for owner, owner_end in self.noun_phrase(stop + 1):
                head = f"{phrase.determiner} {' and '.join(nouns)} of".strip()
                genitive = owner if is_relation(phrase, nouns, owner) else None
                described = NounPhrase((head, owner), nouns, phrase.determiner, genitive)
                yield from self.described(described, owner_end)
                yield described, owner_end

    def relation_nouns(self, phrase: NounPhrase, end: int) -> Iterator[tuple[tuple[str, ...], int]]:
        """The nouns before the last "of": "date of birth", or "mother" and "father"."""
        for noun, stop in self.compound(phrase.noun, end):
            if stop == end or self.lower(stop) == "of":
                if self.lower(stop) == "and":
                    for other, other_end in self.core(stop + 1):
                        for nouns, nouns_end in self.relation_nouns(other, other_end):
                            yield (noun, *nouns), nouns_end
                yield (noun,), stop

    # Clauses

    @_memo
    def clauses(self, start: int) -> Iterator[tuple[tuple[Clause, ...], int]]:
        """The relative clauses that stand at ``start``; several when joined by "and"."""
        if self.lower(start) == ",":
            start += 1
        for clause, end in self.clause(start):
            if self.lower(end) == "and":
                yield from self.joined(clause, end + 1)
            yield (clause,), end

    def joined(self, first: Clause, start: int) -> Iterator[tuple[tuple[Clause, ...], int]]:
        for others, end in self.clauses(start):
            yield (first, *others), end
        if first.gap == "subject":
            for predicate, end in self.finite(start):
                yield (first, Clause("subject", predicate)), end

    @_memo
    def clause(self, start: int) -> Iterator[tuple[Clause, int]]:
        word = self.lower(start)
        if word in _RELATIVE:
            for predicate, end in self.finite(start + 1):
                yield Clause("subject", predicate), end
            yield from self.object_clause(start + 1)
        elif word == "whose":
            yield from self.whose_clause(start + 1)
        elif word in ("where", "when") and not self.may_be(start + 1, "PRP"):
            yield from self.place_clause(start + 1, "")
        elif self.may_be(start, "IN") and self.lower(start + 1) in ("which", "whom"):
            yield from self.place_clause(start + 2, word)
        else:
            yield from self.reduced_clause(start)
            if self.may_be(start, "DT", "PN"):
                yield from self.object_clause(start)

    def object_clause(self, start: int) -> Iterator[tuple[Clause, int]]:
        for subject, middle in self.noun_phrase(start):
            for predicate, end in self.agreeing(subject, middle):
                if predicate.verb or predicate.rest:
                    yield Clause("object", predicate, subject), end

    def agreeing(self, subject: NounPhrase, start: int) -> Iterator[tuple[Predicate, int]]:
        """A bare verb needs a subject in the plural: "the Field team works" is not "the Field" that teams."""
        is_bare = self.may_be(start, "VB") and not self.may_be(start, "VBZ", "VBD", "AUX", "MD")
        if not is_bare or subject.members or is_plural(subject.noun) or self.may_be(start - 1, "PRP"):
            yield from self.finite(start)

    def place_clause(self, start: int, preposition: str) -> Iterator[tuple[Clause, int]]:
        for subject, middle in self.noun_phrase(start):
            for predicate, end in self.agreeing(subject, middle):
                is_cut_short = not (predicate.verb or predicate.rest) and self.may_be(end, "VBN", "VBG")
                if not is_cut_short:
                    yield Clause("place", predicate, subject, preposition=preposition), end

    def whose_clause(self, start: int) -> Iterator[tuple[Clause, int]]:
        for thing, middle in self.core(start):
            for noun, stop in self.compound(thing.noun, middle):
                if self.lower(stop) in BE_FORMS:
                    for value, end in self.value(stop + 1):
                        predicate = Predicate(self.span(stop, stop + 1), rest=(value,))
                        yield Clause("whose", predicate, possessed=noun), end
                else:
                    for predicate, end in self.finite(stop):
                        yield Clause("whose", predicate, possessed=noun), end

    def value(self, start: int) -> Iterator[tuple[str | NounPhrase, int]]:
        """What "whose hobby is" may be followed by: a description, else any words, the more the likelier."""
        for phrase, end in self.noun_phrase(start):
            if phrase.is_description and not phrase.members:
                yield phrase, end
        for index in range(start + 1, self.end):
            if self.lower(index) == "and" and self.may_be(index + 1, "VBZ", "VBD", "AUX", "WH"):
                yield self.span(start, index), index
        for end in range(self.end, start, -1):
            yield self.span(start, end), end

    def reduced_clause(self, start: int) -> Iterator[tuple[Clause, int]]:
        """ "led by Mara Lind", "located in Oslo", "working at Nordwind", "responsible for releases"."""
        word = self.span(start, start + 1) if start < self.end else ""
        is_passive = self.may_be(start, "VBN", "J") or bool(_ADJECTIVE.search(word))
        for rest, end in self.items(start + 1) if start < self.end else ():
            if not any(isinstance(part, NounPhrase) for part in rest):
                continue
            if self.may_be(start, "VBG"):
                active = Predicate(verb=third_person(verb_lemma(word)), rest=rest)
                yield Clause("subject", active, is_reduced=True), end
            elif is_passive and self.may_be(start + 1, "IN", "TO"):
                yield Clause("subject", Predicate("is", word, rest), is_reduced=True), end

    # Verbs and what follows them

    @_memo
    def finite(self, start: int) -> Iterator[tuple[Predicate, int]]:
        if self.may_be(start, "R"):
            for predicate, end in self.finite(start + 1):
                adverb = self.span(start, start + 1)
                yield Predicate(predicate.auxiliary, predicate.verb, (*predicate.rest, adverb)), end
        word = self.span(start, start + 1) if start < self.end else ""
        if word.lower() in BE_FORMS:
            for rest, end in self.complements(start + 1):
                yield Predicate(word, rest=rest), end
            return
        if word.lower() in HAVE_FORMS | DO_FORMS or self.may_be(start, "MD"):
            yield from self.after_auxiliary(word, start + 1)
        if self.may_be(start, "VBZ", "VBD", "VB") or word.lower() in HAVE_FORMS:
            for rest, end in self.items(start + 1):
                yield Predicate(verb=word, rest=rest), end

    def after_auxiliary(self, auxiliary: str, start: int) -> Iterator[tuple[Predicate, int]]:
        form = "VBN" if auxiliary.lower() in HAVE_FORMS else "VB"
        if self.may_be(start, form) or self.lower(start) in ("been", "be", "have"):
            for rest, end in self.complements(start + 1):
                yield Predicate(auxiliary, self.span(start, start + 1), rest), end

    @_memo
    def complements(self, start: int) -> Iterator[tuple[Template, int]]:
        """What follows a form of be: a participle, an adjective or a phrase, then the usual items."""
        is_adjective = self.may_be(start, "J") or _ADJECTIVE.search(self.lower(start))
        if self.lower(start) in ("not", "been", "being") or self.may_be(start, "R"):
            for rest, end in self.complements(start + 1):
                yield (self.span(start, start + 1), *rest), end
        elif is_adjective or self.may_be(start, "VBN", "VBG"):
            for rest, end in self.items(start + 1):
                yield (self.span(start, start + 1), *rest), end
        yield from self.items(start)

    @_memo
    def items(self, start: int) -> Iterator[tuple[Template, int]]:
        """Objects, places, times and particles after a verb, the longest first."""
        readings: Readings[Template] = []
        for item, middle in self.item(start):
            readings += [((*item, *rest), end) for rest, end in self.items(middle)]
        yield from _longest_first(readings)
        yield (), start

    def item(self, start: int) -> Iterator[tuple[Template, int]]:
        if self.lower(start) in _ADVERBIAL:
            for clause, end in self.object_clause(start + 1):
                yield (self.span(start, start + 1), *clause.parts), end
        if self.may_be(start, "IN", "TO"):
            yield from self.prepositional(start)
            return
        for phrase, end in _longest_first(self.noun_phrase(start)):
            yield (phrase,), end
        is_adjective = self.may_be(start, "J") and not self.may_be(start, "VBN", "VBG")
        if is_adjective or self.may_be(start, "R", "DATE", "CLOCK", "CD", "QT", "NEG"):
            yield (self.span(start, start + 1),), start + 1

    def prepositional(self, start: int) -> Iterator[tuple[Template, int]]:
        """A preposition with its phrase, "to" with its verb, or a preposition left stranded."""
        preposition = self.span(start, start + 1)
        for phrase, end in _longest_first(self.noun_phrase(start + 1)):
            yield (preposition, phrase), end
        if self.lower(start) == "to" and self.lower(start + 1) == "be":
            for rest, end in self.complements(start + 2):
                yield ("to be", *rest), end
        elif self.lower(start) == "to" and self.may_be(start + 1, "VB"):
            yield (self.span(start, start + 2),), start + 2
        elif not self.may_be(start + 1, "DT", "PN", "PP$", "PRP", "DATE"):
            yield (preposition,), start + 1


def _longest_first(readings: Readings[T]) -> Readings[T]:
    return sorted(readings, key=lambda reading: -reading[1])


def _is_role(token: Token) -> bool:
    """ "Head", "CEO" and "Mayor" before "of" are roles, not parts of a name."""
    return token.text.isupper() or is_person_noun(token.lower)
