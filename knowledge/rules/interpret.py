"""From clauses to facts: which clause states a property, a kind, or an action, and of whom."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from knowledge.rules import lexicon
from knowledge.rules.clause import Apposition, Attached, Clause
from knowledge.rules.discourse import Discourse, has_name, is_anchored
from knowledge.rules.english import (
    find_dates,
    is_person_noun,
    looks_like_place,
    singular,
    split_list,
    with_indefinite_article,
)
from knowledge.rules.facts import Action, Adjunct, Classification, Evidence, Fact, Property, Verb, norm
from knowledge.rules.phrases import NounPhrase
from knowledge.rules.times import TimeRole, made_absolute
from knowledge.rules.tokens import word_tags
from knowledge.rules.verbs import Unreadable

_VAGUE_OWNED = lexicon.words(
    "one part member number lot kind type sort form piece example result series range variety"
)
_PLACES = lexicon.PLACE_PREPOSITIONS | lexicon.words("from to into across through throughout along")
_DIMENSIONS = {
    "tall": "height", "high": "height", "long": "length", "wide": "width", "deep": "depth", "thick": "thickness",
}  # fmt: skip
LONGEST_VALUE = 25


@dataclass(frozen=True)
class Relation:
    """A phrase that names a property of an entity: "head of research" + "at" + "Nordlys"."""

    noun: str
    preposition: str
    subject: str
    plural: bool


def relation_of(phrase: NounPhrase) -> Relation | None:
    """Read "X's N", "the N of X", "the N of M at X" as a property of X, or None if it is none."""
    if phrase.items or phrase.kind != "common" or phrase.tail:
        return None
    if phrase.owner is not None:
        of = [f"{word} {inner.text}" for word, inner in phrase.modifiers]
        return Relation(_noun(phrase, of), "of", phrase.owner.text, phrase.plural)
    if phrase.determiner not in ("the", "") or phrase.counted:
        return None
    chain = _chain(phrase)
    for position, (word, inner) in enumerate(chain):
        if _is_entity(inner) and word in ("of", "at", "for", "in", "to"):
            before = [f"{each} {part.text}" for each, part in chain[:position]]
            after = [f"{each} {part.text}" for each, part in chain[position + 1 :]]
            subject = " ".join([inner.text, *after])
            return Relation(_noun(phrase, before), word, subject, phrase.plural)
    return None


def _noun(phrase: NounPhrase, extra: Sequence[str]) -> str:
    core = " ".join((singular(phrase.core) if phrase.plural else phrase.core, *extra))
    return core[:1].lower() + core[1:] if not core.split()[0].isupper() else core


def _chain(phrase: NounPhrase) -> list[tuple[str, NounPhrase]]:
    """The modifiers of a phrase with theirs in turn: "date of birth of X" gives (of, birth), (of, X)."""
    found = []
    for word, inner in phrase.modifiers:
        if _is_entity(inner) or inner.items:
            found.append((word, inner))
        else:
            found.append((word, replace(inner, modifiers=())))
            found += _chain(inner)
    return found


def _is_entity(phrase: NounPhrase) -> bool:
    """Does this phrase name one thing by itself: a name, or a description with a name in it?"""
    if phrase.items:
        return False
    if phrase.kind == "name" or phrase.owner is not None:
        return True
    return phrase.kind == "common" and phrase.determiner == "the" and has_name(phrase.core)


@dataclass
class Interpreter:
    """Turns what the parser found in one sentence into facts, with references resolved by the discourse."""

    discourse: Discourse
    evidence: Evidence

    def facts(self, clauses: Sequence[Clause], appositions: Sequence[Apposition]) -> list[Fact]:
        """All facts of a sentence; raises Unreadable if not one clause of it can be understood."""
        found: list[Fact] = []
        reasons: list[str] = []
        for apposition in appositions:
            found += self._introduced(apposition)
        for clause in clauses:
            try:
                found += self._clause(clause, appositions)
            except Unreadable as reason:
                reasons.append(str(reason))
        if not found:
            raise Unreadable(reasons[0] if reasons else "states no fact")
        return found

    # Clauses

    def _clause(self, clause: Clause, appositions: Sequence[Apposition]) -> list[Fact]:
        subject = self.discourse.of_topic(self.discourse.resolve(clause.subject))
        clause = replace(clause, subject=subject)
        self._note(clause)
        roles = list(self._roles(subject))
        if clause.group.copular and clause.group.verb.lemma == "be":
            facts = self._copular(clause)
        elif clause.group.possessive and (facts := self._possession(clause, appositions)):
            pass
        else:
            facts = [self._action(clause)]
        self._mention_others(clause)
        return roles + facts

    def _note(self, clause: Clause) -> None:
        """Tell the discourse whom the sentence is about: the owner where the subject is a property."""
        relation = relation_of(clause.subject)
        if relation is not None:
            self.discourse.mention(relation.subject, subject=True)
            return
        for item in clause.subject.flat():
            if item.kind == "name" or is_anchored(item):
                self.discourse.mention(item.text, subject=True)
        if clause.subject.items:
            self.discourse.mention(clause.subject.text, subject=True, plural=True)

    def _mention_others(self, clause: Clause) -> None:
        spoken = [(clause.object, ""), (clause.predicate, "")]
        spoken += [(each.phrase, each.preposition) for each in clause.attached]
        for phrase, preposition in spoken:
            for name in _names_in(phrase):
                place = preposition in _PLACES and not self.discourse.is_person(name)
                self.discourse.mention(name, subject=False, place=place)

    def _roles(self, phrase: NounPhrase) -> Iterator[Fact]:
        """ "The engineer Mara Lind": the noun before a name says what it is."""
        for item in phrase.flat():
            noun = item.role.split()[-1] if item.kind == "name" and item.role else ""
            if noun:
                self.discourse.learn_noun(item.core, noun)
                article = with_indefinite_article(item.role)
                yield Classification(item.core, article, noun, self.evidence)

    def _introduced(self, apposition: Apposition) -> list[Fact]:
        """ "Mara Lind, the head of research at Nordlys": what the one says of the other."""
        try:
            subject, predicate = self.discourse.resolve(apposition.subject), apposition.predicate
            for each in apposition.attached:
                if each.phrase is not None:
                    predicate = replace(
                        predicate, modifiers=(*predicate.modifiers, (each.preposition, each.phrase))
                    )
            predicate = self.discourse.resolve(predicate)
        except Unreadable:
            return []
        if subject.kind == "common" and predicate.kind == "name" and not subject.items:
            subject, predicate = predicate, subject
        if (
            subject.kind != "name"
            or subject.items
            or predicate.items
            or predicate.kind != "common"
            or predicate.plural
        ):
            return []
        return self._named_as(subject, predicate, past=False)

    def _copular(self, clause: Clause) -> list[Fact]:
        subject, past = clause.subject, clause.group.verb.past
        relation = relation_of(subject) or self._measured(clause)
        if self.discourse.role_in_topic(subject):
            relation = Relation(_noun(subject, ()), "of", self.discourse.topic, subject.plural)
        if relation is not None and not _is_place_only(clause):
            values = self._values(clause)
            if values:
                return [self._property(relation, values, past)]
        if clause.predicate is None:
            return [self._action(clause)]
        predicate = self.discourse.resolve(clause.predicate)
        self._self_contained_subject(clause)
        if clause.group.verb.finite in ("are", "were") and not subject.is_many:
            raise Unreadable("subject and verb differ in number")
        return self._named_as(subject, predicate, past, clause)

    def _measured(self, clause: Clause) -> Relation | None:
        """ "X is 30 metres tall" is the height of X."""
        amount, _, dimension = clause.adjective.rpartition(" ")
        noun = _DIMENSIONS.get(dimension) if amount[:1].isdigit() else None
        return Relation(noun, "of", clause.subject.text, False) if noun and not clause.subject.items else None

    def _values(self, clause: Clause) -> tuple[str, ...]:
        """What a property is said to be; an enumeration only after a plural."""
        if clause.raw and clause.subject.is_many:
            return tuple(split_list(clause.raw))
        if self._measured(clause) is not None:
            return (clause.adjective.rpartition(" ")[0],)
        if clause.raw or clause.adjective:
            return (" ".join([clause.raw or clause.adjective, *self._plain_adjuncts(clause)]),)
        if clause.predicate is None:
            return tuple(self._plain_adjuncts(clause))[:1]
        predicate = self.discourse.resolve(clause.predicate)
        rest = self._plain_adjuncts(clause)
        if len(predicate.items) > 1 and clause.subject.is_many:
            return tuple(item.text for item in predicate.items)
        return (" ".join([predicate.text, *rest]),)

    def _plain_adjuncts(self, clause: Clause) -> list[str]:
        return [each.text for each in self._adjuncts(clause.attached)]

    def _property(self, relation: Relation, values: tuple[str, ...], past: bool) -> Property:
        if any(len(value.split()) > LONGEST_VALUE for value in values):
            raise Unreadable("the value is too long to be remembered")
        if relation.noun in lexicon.KINSHIP:
            for value in values:
                self.discourse.people.add(norm(value))
                self.discourse.learn_gender(value, relation.noun)
        return Property(relation.subject, relation.noun, values, self.evidence, relation.preposition, past)

    def _named_as(
        self, subject: NounPhrase, predicate: NounPhrase, past: bool, clause: Clause | None = None
    ) -> list[Fact]:
        """ "X is the mayor of Y" is a property of Y; "X is a painter" says what X is."""
        relation = relation_of(predicate)
        if self.discourse.role_in_topic(predicate):
            relation = Relation(_noun(predicate, ()), "of", self.discourse.topic, predicate.plural)
        names = tuple(item.text for item in subject.flat())
        if relation is not None and self._is_unique_role(predicate, relation):
            return [self._property(relation, names, past)]
        timed = [] if clause is None else self._plain_adjuncts(clause)
        facts: list[Fact] = []
        for item in subject.flat() if not predicate.items else ():
            if item.kind == "name" and predicate.kind == "common" and not predicate.counted:
                self.discourse.learn_noun(item.text, predicate.head)
        facts += self._with_properties(subject, predicate)
        phrase = " ".join([predicate.text, *timed])
        noun = (
            predicate.head
            if predicate.kind == "common" and not predicate.counted and not predicate.items
            else ""
        )
        facts.append(Classification(subject.text, phrase, noun, self.evidence, past, subject.is_many))
        return facts

    def _is_unique_role(self, predicate: NounPhrase, relation: Relation) -> bool:
        bare_role = not predicate.determiner and predicate.owner is None
        if bare_role and not is_person_noun(relation.noun):
            return False
        return predicate.core.split()[-1] not in _VAGUE_OWNED

    def _with_properties(self, subject: NounPhrase, predicate: NounPhrase) -> list[Fact]:
        """ "a city with a population of 280,000": the number is a property of the subject."""
        facts: list[Fact] = []
        for word, inner in predicate.modifiers:
            given = _given_amount(inner) if word == "with" and not inner.items else None
            if given is not None and not subject.items:
                facts.append(Property(subject.text, given[0], (given[1],), self.evidence))
        return facts

    def _possession(self, clause: Clause, appositions: Sequence[Apposition]) -> list[Fact]:
        """ "X has a budget of 2 million euros", "X has two daughters, A and B"."""
        if clause.object is None or clause.subject.items:
            return []
        self._self_contained_subject(clause)
        given = _given_amount(clause.object)
        if given is not None and not clause.attached:
            return [
                Property(
                    clause.subject.text, given[0], (given[1],), self.evidence, past=clause.group.verb.past
                )
            ]
        listed = next(
            (each for each in appositions if each.subject == clause.object and each.predicate.items), None
        )
        if listed is None:
            return []
        items = tuple(self.discourse.resolve(item).text for item in listed.predicate.items)
        noun = (
            singular(clause.object.core.split()[-1])
            if clause.object.counted
            else singular(clause.object.core)
        )
        relation = Relation(noun, "of", clause.subject.text, True)
        return [self._property(relation, items, clause.group.verb.past)]

    # Actions

    def _action(self, clause: Clause) -> Action:
        verb = clause.group.verb
        if clause.adjective:
            verb = _with_adjective(verb, clause.adjective)
        target = clause.predicate or clause.object
        thing = self.discourse.resolve(target) if target is not None else None
        if thing is not None and _repeats(thing, clause.subject):
            raise Unreadable("the object refers to the subject itself")
        adjuncts = tuple(self._adjuncts(clause.attached))
        if thing is None and not adjuncts:
            raise Unreadable("the clause has neither object nor circumstances")
        if thing is not None and len(thing.text.split()) > LONGEST_VALUE:
            raise Unreadable("the object is too long to be remembered")
        self._refuse_unless_dated(clause, thing, adjuncts)
        words, adjuncts = _with_rate(thing, adjuncts)
        return Action(
            subject=clause.subject.text,
            verb=verb,
            evidence=self.evidence,
            object=words,
            adjuncts=adjuncts,
            plural=clause.subject.is_many,
            clear=_is_clear(thing),
            counted=counted_noun(thing),
            rate=words.removeprefix(thing.text).strip() if thing is not None else "",
            indefinite=not self._is_self_contained(clause),
            several=thing is not None and thing.is_many,
        )

    def _self_contained_subject(self, clause: Clause) -> None:
        if not self._is_self_contained(clause):
            raise Unreadable(f"the subject “{clause.subject.text}” is not named")

    def _is_self_contained(self, clause: Clause) -> bool:
        """Does the subject say by itself whom it means: a name, or in general statements a kind of thing?"""
        return all(self._means_one(item, clause.group.verb.past) for item in clause.subject.flat())

    def _means_one(self, item: NounPhrase, past: bool) -> bool:
        if item.kind in ("name", "date") or item.owner is not None or is_anchored(item):
            return True
        if item.kind != "common" or item.counted:
            return False
        if item.determiner == "the" and not item.tail:
            return self._is_known_kind(item)
        return item.determiner in ("", "a", "an", "each", "every", "all") and not past

    def _is_known_kind(self, phrase: NounPhrase) -> bool:
        """ "The finance team" says which one it is; "the office" does in a text that is about no single thing."""
        if _is_compound(phrase):
            return self._speaks_of(phrase)
        is_part = singular(phrase.head) in lexicon.PART_NOUNS and phrase.core == phrase.head
        return is_part and not self.discourse.topic

    def _refuse_unless_dated(
        self, clause: Clause, thing: NounPhrase | None, adjuncts: tuple[Adjunct, ...]
    ) -> None:
        """ "A pump failed" says nothing by itself; "A pump failed at the Marlow Plant on 14 July" does."""
        if self._is_self_contained(clause):
            return
        item = clause.subject
        fixed = any(each.role == "point" and find_dates(each.value) for each in adjuncts)
        named = (thing is not None and is_anchored(thing)) or any(has_name(each.value) for each in adjuncts)
        if (
            item.items
            or item.determiner not in ("a", "an")
            or not (fixed and named)
            or not clause.group.verb.past
        ):
            raise Unreadable(f"the subject “{item.text}” is not named")

    def _speaks_of(self, phrase: NounPhrase) -> bool:
        """ "The finance team": a group is what it says; other compounds only where the text has no topic."""
        return not self.discourse.topic or singular(phrase.head) in lexicon.ORGANISATION_WORDS | {"policy"}

    def _adjuncts(self, attached: Sequence[Attached]) -> Iterator[Adjunct]:
        """The phrases around the verb that can be understood by themselves; the others are left out."""
        for each in attached:
            found = self._time(each) if each.time is not None else self._phrase(each)
            if found is not None:
                yield found

    def _time(self, attached: Attached) -> Adjunct | None:
        time = attached.time
        if time is not None and time.role == TimeRole.RELATIVE:
            time = made_absolute(time, self.discourse.written)
        if time is None:
            return None
        text = time.text[:1].lower() + time.text[1:]
        return Adjunct(text, time.preposition, time.value, time.role.value)

    def _phrase(self, attached: Attached) -> Adjunct | None:
        try:
            phrase = self.discourse.resolve(attached.phrase) if attached.phrase is not None else None
        except Unreadable:
            return None
        if phrase is None:
            return None
        text = f"{attached.preposition} {phrase.text}".strip()
        role = _role(attached.preposition, phrase)
        named = all(item.kind == "name" or _acts(item) for item in phrase.flat())
        return Adjunct(text, attached.preposition, phrase.text, role, phrase.is_many, named)


def _is_compound(phrase: NounPhrase) -> bool:
    """ "the finance team" says which team; "the distinctive structure" does not say which structure."""
    words = phrase.core.split()
    return len(words) > 1 and "N" in word_tags(words[-2]) and "J" not in word_tags(words[-2])


def _acts(phrase: NounPhrase) -> bool:
    """Can this be an agent: a person or a group of people?"""
    noun = singular(phrase.head)
    return is_person_noun(noun) or noun in lexicon.ORGANISATION_WORDS


def _with_rate(thing: NounPhrase | None, adjuncts: tuple[Adjunct, ...]) -> tuple[str, tuple[Adjunct, ...]]:
    """ "30,000 visitors every year" is one amount: without the rate it would be another."""
    if thing is None:
        return "", adjuncts
    rate = next((each for each in adjuncts if each.role == "frequency" or _is_rate(each)), None)
    if rate is None or not thing.counted:
        return thing.text, adjuncts
    return f"{thing.text} {rate.text}", tuple(each for each in adjuncts if each is not rate)


def _is_rate(adjunct: Adjunct) -> bool:
    return not adjunct.preposition and adjunct.text.split()[0] in ("a", "an")


def _given_amount(phrase: NounPhrase) -> tuple[str, str] | None:
    """ "a budget of 2 million euros" as (budget, 2 million euros)."""
    if phrase.items or phrase.determiner not in ("a", "an") or len(phrase.modifiers) != 1 or phrase.tail:
        return None
    word, value = phrase.modifiers[0]
    if word != "of" or not (value.counted or value.kind in ("number", "date")):
        return None
    return phrase.core, value.text


def _names_in(phrase: NounPhrase | None) -> Iterator[str]:
    if phrase is None:
        return
    for item in phrase.flat():
        if item.kind == "name":
            yield item.text
        if item.owner is not None:
            yield from _names_in(item.owner)
        for _, inner in item.modifiers:
            yield from _names_in(inner)


def _repeats(thing: NounPhrase, subject: NounPhrase) -> bool:
    """True for "X sold X's boat", which "X sold his boat" would become."""
    owners = [item.owner.text for item in thing.flat() if item.owner is not None]
    return subject.text in owners or thing.text == subject.text


def _is_clear(thing: NounPhrase | None) -> bool:
    """Can the object stand in a question without the subject that makes it clear?"""
    if thing is None:
        return False
    return all(
        item.kind in ("name", "number")
        or item.counted
        or is_anchored(item)
        or item.owner is not None
        or (item.determiner != "the" and (item.plural or len(item.text.split()) > 2 or not item.determiner))
        for item in thing.flat()
    )


def counted_noun(thing: NounPhrase | None) -> str:
    """ "customers" of "300 customers", for a question with "how many"."""
    if (
        thing is None
        or thing.items
        or not thing.counted
        or not thing.plural
        or thing.kind != "common"
        or thing.determiner
    ):
        return ""
    noun = thing.core.split()[-1]
    return noun if thing.core.split()[-2:-1] and not has_name(thing.core) else ""


def _role(preposition: str, phrase: NounPhrase) -> str:
    if preposition in lexicon.PLACE_PREPOSITIONS and preposition != "on":
        named = all(item.kind == "name" for item in phrase.flat())
        placed = all(_is_place(item) for item in phrase.flat())
        return "place" if placed or (named and preposition in ("in", "near", "at")) else "other"
    if preposition == "on" and all(_is_place(item) for item in phrase.flat()):
        return "place"
    return "agent" if preposition == "by" else "other"


def _is_place(item: NounPhrase) -> bool:
    return singular(item.head) in lexicon.PLACE_WORDS or (item.kind == "name" and looks_like_place(item.text))


def _is_place_only(clause: Clause) -> bool:
    return (
        clause.predicate is None
        and not clause.raw
        and not clause.adjective
        and not any(each.time is not None for each in clause.attached)
    )


def _with_adjective(verb: Verb, adjective: str) -> Verb:
    return replace(verb, finite=f"{verb.finite} {adjective}", rest=f"{verb.rest} {adjective}".strip())
