"""From clauses to facts: which clause states a property, a kind, or an action, and of whom."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from knowledge.rules import lexicon
from knowledge.rules.clause import Apposition, Attached, Clause
from knowledge.rules.discourse import Discourse, has_name, is_anchored
from knowledge.rules.english import (
    find_dates,
    is_person_noun,
    singular,
    split_list,
    with_indefinite_article,
)
from knowledge.rules.facts import Action, Adjunct, Classification, Evidence, Fact, Property, norm
from knowledge.rules.objects import (
    acts,
    counted_noun,
    is_clear,
    is_compound,
    is_place_only,
    is_specific,
    leans_on_context,
    names_in,
    repeats,
    role_of,
    with_adjective,
    with_complement,
    with_field,
    with_rate,
    without_pronouns,
)
from knowledge.rules.phrases import NounPhrase
from knowledge.rules.refusals import LONGEST_VALUE, Draft, refuse
from knowledge.rules.relations import (
    VAGUE_OWNED,
    Relation,
    given_amount,
    names_thing,
    relation_noun,
    relations_of,
)
from knowledge.rules.times import TimeRole, made_absolute
from knowledge.rules.verbs import NORMS, Unreadable

_PLACES = lexicon.PLACE_PREPOSITIONS | lexicon.words("from to into across through throughout along off via")
_PLACES |= {"out of", "north of", "south of", "east of", "west of"}
_DIMENSIONS = {
    "tall": "height", "high": "height", "long": "length", "wide": "width", "deep": "depth", "thick": "thickness",
}  # fmt: skip
#: A property has a short name: "head of research", not "major gateway to air travel for large parts".
LONGEST_PROPERTY = 5
_SOMETIMES = lexicon.words(
    "often sometimes usually partly partially mostly mainly occasionally typically frequently"
)
#: What many do to one and the same.
_MANY_DO = lexicon.words(
    "represent star visit feature include call describe consider license list see know play"
)
#: "The house of Lind House", "a group initially known": a thing of itself, a participle without its end.
_DOUBLED = re.compile(r"\b(\w{4,})(?: \w+)? of (?:the )?(?:[\w.'’-]+ )*\1s?\b", re.IGNORECASE)
_TORN = re.compile(r"\b(?:known|called|named|writing|based|titled|entitled|to|of|the)$")
_PLACED = lexicon.words("place point range start end")
#: Before a value these say that it is not the plain one.
_NOT_NOW = lexicon.words("formerly previously originally initially then once now also like unlike nearby")


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
                found += self._telling(without_pronouns(self._clause(clause, appositions)))
            except Unreadable as reason:
                reasons.append(str(reason))
        if not found:
            raise Unreadable(reasons[0] if reasons else "states no fact")
        return found

    def _telling(self, facts: list[Fact]) -> list[Fact]:
        """The facts without circumstances that lean on their context ("to the colony"); others are refused."""
        if not self.discourse.titled:
            return facts
        told: list[Fact] = []
        for fact in facts:
            if isinstance(fact, Action):
                kept = tuple(each for each in fact.adjuncts if not leans_on_context(each.text))
                fact = replace(fact, adjuncts=kept)
                if not (kept or fact.object):
                    raise Unreadable("the clause has neither object nor clear circumstances")
            said = (
                [fact.subject, fact.object, *(each.text for each in fact.adjuncts)]
                if isinstance(fact, Action)
                else [fact.subject]
            )
            if any(_DOUBLED.search(each) for each in said) or _TORN.search(fact.subject):
                raise Unreadable(f"“{fact.subject}” is no clear name")
            text = (
                fact.phrase
                if isinstance(fact, Classification)
                else fact.object
                if isinstance(fact, Action)
                else ""
            )
            played = isinstance(fact, Action) and fact.verb.lemma == "play"
            if leans_on_context(text) and not played:
                raise Unreadable(f"“{text}” does not say which one")
            told.append(fact)
        return told

    # Clauses

    def _clause(self, clause: Clause, appositions: Sequence[Apposition]) -> list[Fact]:
        subject = self.discourse.of_topic(self.discourse.resolve(clause.subject))
        clause = replace(clause, subject=subject)
        self._note(clause)
        roles = list(self._roles(subject))
        if clause.group.copular and clause.group.verb.lemma == "be":
            facts = self._copular(clause)
        else:
            facts = self._possession(clause, appositions) or self._naming(clause)
            facts = facts or [self._action(each) for each in (clause, *_enumerated(clause, appositions))]
        self._mention_others(clause)
        return roles + facts

    def _note(self, clause: Clause) -> None:
        """Tell the discourse whom the sentence is about: the owner where the subject is a property."""
        relations = self._relations(clause.subject)
        # "The choir of X was founded ...": the sentence is about the choir as much as about X.
        acts = not clause.group.copular and not is_person_noun(clause.subject.core)
        for relation in relations:
            self.discourse.mention(relation.subject, subject=True)
            is_topic = norm(relation.subject) == norm(self.discourse.topic)
            acts = acts and (not is_topic or self.discourse.is_person(relation.subject))
        if relations and not acts:
            return
        for item in clause.subject.flat():
            if item.kind == "name" or is_anchored(item) or self._means_one(item, clause.group.verb.past):
                self.discourse.mention(_as_of(item), subject=True, plural=item.plural)
        if clause.subject.items:
            self.discourse.mention(clause.subject.text, subject=True, plural=True)

    def _mention_others(self, clause: Clause) -> None:
        spoken = [(clause.object, ""), (clause.predicate, "be")]
        spoken += [(each.phrase, each.preposition) for each in clause.attached]
        for phrase, preposition in spoken:
            for name, inside in names_in(phrase):
                # Places, and things named only to say which one is meant, are no candidates for "it".
                background = inside or preposition == "be" or preposition in _PLACES
                thing = not self.discourse.is_person(name)
                self.discourse.mention(name, subject=False, place=background and thing)

    def _roles(self, phrase: NounPhrase) -> Iterator[Fact]:
        """ "The engineer Mara Lind": the noun before a name says what it is."""
        for item in phrase.flat():
            noun = item.role.split()[-1] if item.kind == "name" and item.role else ""
            if noun and item.owner is not None:  # "Mara Lind's daughter Eva"
                yield self._property(
                    Relation(item.role, "of", item.owner.text, False), (item.core,), past=False
                )
            elif noun:
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
        if subject.kind == "name" and subject.text[:1].islower() and not subject.determiner:
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
        known = subject.determiner == "the" or subject.owner is not None or clause.predicate is not None
        relations = (self._relations(subject) if known else []) or self._measured(clause)
        if self.discourse.role_in_topic(subject):
            relations = [Relation(relation_noun(subject, ()), "of", self.discourse.topic, subject.plural)]
        dated = any(each.time is not None for each in clause.attached)
        beside = any(each.preposition not in ("", "of") for each in clause.attached)
        circumstantial = bool(clause.adjective) and (dated or beside) and not self._measured(clause)
        if relations and not circumstantial and not is_place_only(clause):
            values = self._values(clause)
            if values:
                return [self._property(relation, values, past) for relation in relations]
        is_norm = clause.group.verb.auxiliary in NORMS
        if clause.predicate is None or is_norm:  # "can be a nuisance" does not say that it is one
            return [self._action(clause)]
        predicate = self.discourse.resolve(clause.predicate)
        self._self_contained_subject(clause)
        if clause.group.verb.finite in ("are", "were") and not subject.is_many:
            raise Unreadable("subject and verb differ in number")
        return self._named_as(subject, predicate, past, clause)

    def _relations(self, phrase: NounPhrase) -> list[Relation]:
        return relations_of(phrase, self.discourse.describes)

    def _measured(self, clause: Clause) -> list[Relation]:
        """ "X is 30 metres tall" is the height of X."""
        amount, _, dimension = clause.adjective.rpartition(" ")
        noun = _DIMENSIONS.get(dimension) if amount[:1].isdigit() else None
        return [Relation(noun, "of", clause.subject.text, False)] if noun and not clause.subject.items else []

    def _values(self, clause: Clause) -> tuple[str, ...]:
        """What a property is said to be; an enumeration only after a plural."""
        if clause.raw and clause.subject.is_many:
            return tuple(split_list(clause.raw))
        if self._measured(clause):
            return (clause.adjective.rpartition(" ")[0],)
        if clause.raw or clause.adjective:
            return (" ".join([clause.raw or clause.adjective, *self._plain_adjuncts(clause)]),)
        if clause.predicate is None:
            adjuncts = self._adjuncts(clause.attached)
            placed = [
                each.text
                for each in adjuncts
                if each.role == "place"
                or (each.role == "point" and each.preposition not in ("by", "before", "after"))
            ]
            return tuple(placed[:1])
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
        named = has_name(relation.subject) and _DOUBLED.search(f"{relation.noun} of {relation.subject}")
        if named and relation.noun not in lexicon.KINSHIP:
            raise Unreadable("a thing is told of as its own part")
        if any(value.split()[0].lower() in _NOT_NOW for value in values if value):
            raise Unreadable("the value holds of another time")
        bare = [value for value in values if " " not in value]
        if relation.noun in lexicon.KINSHIP and bare and self.discourse.titled and " " in relation.subject:
            raise Unreadable("relatives by their first names alone")
        if len(relation.noun.split()) > LONGEST_PROPERTY:
            raise Unreadable("the property has no short name")
        if relation.noun in lexicon.KINSHIP:
            for value in values:
                self.discourse.people.add(norm(value))
                self.discourse.learn_gender(value, relation.noun)
        plural = relation.plural and len(values) == 1
        return Property(
            relation.subject, relation.noun, values, self.evidence, relation.preposition, past, plural
        )

    def _named_as(
        self, subject: NounPhrase, predicate: NounPhrase, past: bool, clause: Clause | None = None
    ) -> list[Fact]:
        """ "X is the mayor of Y" is a property of Y; "X is a painter" says what X is."""
        relations = self._relations(predicate)
        if self.discourse.role_in_topic(predicate):
            relations = [Relation(relation_noun(predicate, ()), "of", self.discourse.topic, predicate.plural)]
        if clause is not None and _SOMETIMES & set(clause.group.verb.finite.split()):
            raise Unreadable("what is so only at times is no kind")
        names = tuple(item.text for item in subject.flat())
        placed = clause is not None and any(
            each.role in ("place", "other") for each in self._adjuncts(clause.attached)
        )
        short = bool(relations) and len(relations[0].noun.split()) <= LONGEST_PROPERTY
        if relations and short and not placed and self._is_unique_role(predicate, relations[0]):
            return [self._property(relation, names, past) for relation in relations]
        timed = [] if clause is None else self._plain_adjuncts(clause)
        facts: list[Fact] = []
        for item in subject.flat() if not predicate.items else ():
            if item.kind == "name" and predicate.kind == "common" and not predicate.counted:
                self.discourse.learn_noun(item.text, predicate.head)
        facts += self._with_properties(subject, predicate)
        phrase = " ".join([predicate.text, *timed])
        noun = (
            predicate.head
            if predicate.kind == "common"
            and not predicate.counted
            and not predicate.items
            and not predicate.head.endswith("ly")
            else ""
        )
        many = (
            subject.is_many
            if clause is None
            else clause.group.verb.finite.split()[0] in ("are", "were", "have")
        )
        facts.append(Classification(subject.text, phrase, noun, self.evidence, past, many))
        return facts

    def _is_unique_role(self, predicate: NounPhrase, relation: Relation) -> bool:
        bare_role = not predicate.determiner and predicate.owner is None
        if bare_role and not is_person_noun(relation.noun):
            return False
        return predicate.core.split()[-1] not in VAGUE_OWNED

    def _with_properties(self, subject: NounPhrase, predicate: NounPhrase) -> list[Fact]:
        """ "a city with a population of 280,000": the number is a property of the subject."""
        facts: list[Fact] = []
        for word, inner in predicate.modifiers:
            given = given_amount(inner) if word == "with" and not inner.items else None
            if given is not None and not subject.items:
                facts.append(Property(subject.text, given[0], (given[1],), self.evidence))
        return facts

    def _possession(self, clause: Clause, appositions: Sequence[Apposition]) -> list[Fact]:
        """ "X has a budget of 2 million euros", "X has two daughters, A and B"."""
        if not clause.group.possessive or clause.object is None or clause.subject.items:
            return []
        self._self_contained_subject(clause)
        given = given_amount(clause.object)
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

    def _naming(self, clause: Clause) -> list[Fact]:
        """ "X's team is called Y": the team of X is Y."""
        verb, name = clause.group.verb, clause.object or clause.predicate
        is_named = verb.passive and verb.lemma in ("call", "name") and not clause.attached
        if not is_named or name is None or name.kind != "name" or name.items:
            return []
        relations = [each for each in self._relations(clause.subject) if not each.plural]
        return [self._property(relation, (name.text,), verb.past) for relation in relations]

    # Actions

    def _action(self, clause: Clause) -> Action:
        clause = with_complement(clause)
        verb = clause.group.verb
        if clause.adjective:
            verb = with_adjective(verb, clause.adjective)
        target = clause.predicate or clause.object
        thing = self.discourse.resolve(target) if target is not None else None
        if thing is not None and repeats(thing, clause.subject):
            raise Unreadable("the object refers to the subject itself")
        adjuncts = tuple(self._adjuncts(clause.attached))
        if thing is None and not adjuncts:
            raise Unreadable("the clause has neither object nor circumstances")
        self._refuse_bare_being(clause, adjuncts)
        refuse(Draft(clause, verb, thing, adjuncts, self.discourse))
        self._refuse_unless_dated(clause, thing, adjuncts)
        words, adjuncts = with_rate(thing, adjuncts)
        if thing is not None and self.discourse.titled:
            words, adjuncts = with_field(words, thing, adjuncts)
        return Action(
            subject=_as_of(clause.subject),
            verb=verb,
            evidence=self.evidence,
            object=words,
            adjuncts=adjuncts,
            plural=clause.subject.is_many,
            clear=is_clear(thing) or (thing is not None and self.discourse.describes(thing)),
            telling=self._singles_out(clause, thing),
            counted=counted_noun(thing),
            rate=words.removeprefix(thing.text).strip() if thing is not None else "",
            indefinite=not self._is_self_contained(clause),
            several=thing is not None and thing.is_many,
            members=_members(thing, self._is_looked_up_by),
            doers=tuple(item.text for item in clause.subject.items if item.kind == "name"),
        )

    def _refuse_bare_being(self, clause: Clause, adjuncts: tuple[Adjunct, ...]) -> None:
        """ "X is in Oslo" says where X is; "X is in use" and "X was at one point ..." cannot be asked for."""
        bare = clause.group.copular and clause.predicate is None and not clause.adjective and not clause.raw
        if (
            bare
            and not any(_is_located(each) for each in adjuncts)
            and not self._is_event(clause.subject, adjuncts)
        ):
            raise Unreadable("“be” with neither predicate nor place")

    def _is_event(self, subject: NounPhrase, adjuncts: tuple[Adjunct, ...]) -> bool:
        """ "The audit is on 3 May": a time is enough where no name, and no place, is left to be told of."""
        timed = bool(adjuncts) and all(each.role in _PLACED for each in adjuncts)
        happens = singular(subject.head) in lexicon.HAPPENINGS | lexicon.RELATIONAL_NOUNS | lexicon.PART_NOUNS
        return timed and (happens or not self.discourse.titled)

    def _singles_out(self, clause: Clause, thing: NounPhrase | None) -> bool:
        """May one subject be found by the object alone: not by "can watch X", "represented Skov", "stars Li"?"""
        if not self.discourse.titled:
            return thing is None or self._is_looked_up_by(thing)
        verb = clause.group.verb
        if verb.auxiliary in ("can", "will", "should", "may") or verb.lemma in _MANY_DO:
            return False
        if verb.passive and thing is None:
            return True
        named = has_name(clause.subject.text) or is_compound(clause.subject)
        return named and (thing is None or self._is_looked_up_by(thing))

    def _is_looked_up_by(self, thing: NounPhrase | None) -> bool:
        """Can "who did it to this?" be asked: not with "a degree", which others may have as well."""
        if thing is None:
            return False
        if self.discourse.describes(thing):
            return True
        if self.discourse.titled and not any(
            has_name(item.text) or re.search(r"\d{3}|\d[.,]\d", item.text) for item in thing.flat()
        ):
            return False
        return is_clear(thing) and all(is_specific(item) for item in thing.flat())

    def _self_contained_subject(self, clause: Clause) -> None:
        if not self._is_self_contained(clause):
            raise Unreadable(f"the subject “{clause.subject.text}” is not named")

    def _is_self_contained(self, clause: Clause) -> bool:
        """Does the subject say by itself whom it means: a name, or in general statements a kind of thing?"""
        return all(self._means_one(item, clause.group.verb.past) for item in clause.subject.flat())

    def _means_one(self, item: NounPhrase, past: bool) -> bool:
        unnamed = item.kind == "common" and item.owner is None and item.determiner in ("", "a", "an")
        if self.discourse.plain and unnamed and item.head not in lexicon.MEMBER_NOUNS:
            return False  # "Vegetation is tundra" holds of the topic alone, "British units" are some of them
        if item.kind in ("name", "date") or item.owner is not None or is_anchored(item):
            return True
        if item.kind != "common" or item.counted:
            return False
        if item.determiner == "the" and not item.tail:
            return (
                self.discourse.describes(item)
                or self._is_known_kind(item)
                or self._is_known_by_modifier(item)
            )
        return item.determiner in ("", "a", "an", "each", "every", "all") and not past

    def _is_known_by_modifier(self, phrase: NounPhrase) -> bool:
        """ "The keys of the test tank", "the audit of 2025": as definite as what they are of."""
        if not phrase.modifiers or phrase.modifiers[0][0] not in ("of", "for", "on", "in", "at"):
            return False
        inner = phrase.modifiers[0][1]
        bare = inner.kind == "common" and not inner.determiner
        return inner.kind == "date" or (
            not bare and all(self._means_one(item, True) for item in inner.flat())
        )

    def _is_known_kind(self, phrase: NounPhrase) -> bool:
        """ "The finance team" says which one it is; "the office" does in a text that is about no single thing."""
        if is_compound(phrase):
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
        counted = item.counted and not item.determiner and item.plural
        single = item.determiner in ("a", "an") and clause.group.verb.past
        if item.items or not (single or counted) or not (named or (fixed and thing is not None)):
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
        text = (time.text[:1].lower() + time.text[1:]).rstrip(".")
        return Adjunct(text, time.preposition, time.value, time.role.value)

    def _phrase(self, attached: Attached) -> Adjunct | None:
        try:
            phrase = self.discourse.resolve(attached.phrase) if attached.phrase is not None else None
        except Unreadable:
            return None
        if phrase is None or (phrase.kind == "number" and phrase.core.isdigit() and len(phrase.core) < 3):
            return None
        text = f"{attached.preposition} {phrase.text}".strip()
        role = role_of(attached.preposition, phrase)
        named = all(item.kind == "name" or acts(item) for item in phrase.flat())
        return Adjunct(text, attached.preposition, phrase.text, role, phrase.is_many, named)


def _is_located(adjunct: Adjunct) -> bool:
    """ "In Oslo", "in the basement of Linden Hall"; not "in use", "at war"."""
    definite = adjunct.value.startswith("the ") and not adjunct.value.endswith("use")
    return adjunct.role == "place" or (adjunct.preposition in lexicon.PLACE_PREPOSITIONS and definite)


def _members(thing: NounPhrase | None, is_clear_alone: Callable[[NounPhrase], bool]) -> tuple[str, ...]:
    """The items of an enumeration, if each can be understood by itself."""
    items = thing.items if thing is not None and thing.conjunction == "and" else ()
    clear = all(is_clear_alone(item) for item in items)
    return tuple(item.text for item in items) if clear else ()


def _as_of(subject: NounPhrase) -> str:
    """ "X's battery" as "the battery of X": one form for both, so that their facts unite."""
    named = subject.kind == "common" and names_thing(subject)
    if subject.kind != "common" or subject.owner is None or subject.owner.owner is not None or named:
        return subject.text
    owned = replace(subject, owner=None, determiner="the")
    return f"{owned.text} of {subject.owner.text}"


def _enumerated(clause: Clause, appositions: Sequence[Apposition]) -> list[Clause]:
    """ "X trains two apprentices: A and B" also says whom X trains."""
    counted = clause.object
    if counted is None or not counted.counted:
        return []
    listed = [each.predicate for each in appositions if each.subject == counted and each.predicate.items]
    named = [each for each in listed if all(item.kind == "name" for item in each.items)]
    return [replace(clause, object=each) for each in named]
