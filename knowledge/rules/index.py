"""All facts of a corpus at hand: values of the same property are united, whichever document states them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from knowledge.rules.catalog import Catalog
from knowledge.rules.english import is_date
from knowledge.rules.facts import Action, Classification, Evidence, Fact, Property, Reading, norm
from knowledge.rules.kinship import implied
from knowledge.rules.property_wordings import PropertyGroup, ReverseGroup
from knowledge.rules.roles import acted

#: A longer enumeration is of no use to a small memory.
LONGEST_LIST = 12
Places = tuple[Evidence, ...]


@dataclass
class Entry:
    """What is gathered under one key: values in order of appearance, each with the places that state it."""

    subject: str
    noun: str
    preposition: str
    past: bool
    stated: bool
    plural: bool = False
    values: dict[str, str] = field(default_factory=dict)
    places: dict[str, list[Evidence]] = field(default_factory=dict)

    def add(self, value: str, evidence: Evidence) -> None:
        key = norm(value)
        self.values.setdefault(key, value)
        places = self.places.setdefault(key, [])
        if evidence not in places:
            places.append(evidence)

    @property
    def support(self) -> tuple[Places, ...]:
        return tuple(tuple(places) for places in self.places.values())

    def group(self) -> PropertyGroup:
        values = tuple(self.values.values())
        return PropertyGroup(
            self.subject, self.noun, values, self.preposition, self.past, self.stated, self.plural
        )

    @property
    def is_contradictory(self) -> bool:
        """True if several dates or amounts are given for what can have only one."""
        values = list(self.values.values())
        return len(values) > 1 and all(is_date(value) or value[:1].isdigit() for value in values)


class CorpusIndex:
    """Facts of all readings, united by entity and property, and by property and value for look-ups."""

    def __init__(self, readings: Sequence[Reading]) -> None:
        facts = [fact for reading in readings for fact in reading.facts]
        self.catalog = Catalog(facts, frozenset().union(*(reading.things for reading in readings)))
        self.classifications = [fact for fact in facts if isinstance(fact, Classification)]
        self.actions = [*(fact for fact in facts if isinstance(fact, Action)), *acted(facts)]
        self.properties: dict[tuple[str, str, str], Entry] = {}
        self._gather(facts, stated=True)
        self._gather(implied(facts, self.catalog), stated=False)
        self.properties = {key: entry for key, entry in self.properties.items() if not entry.is_contradictory}
        self.reverse = self._reversed()

    def _gather(self, facts: Iterable[Fact], *, stated: bool) -> None:
        for fact in facts:
            if not isinstance(fact, Property):
                continue
            key = (norm(fact.subject), fact.noun.casefold(), fact.preposition)
            fresh = Entry(fact.subject, fact.noun, fact.preposition, fact.past, stated)
            entry = self.properties.setdefault(key, fresh)
            entry.past = entry.past and fact.past
            entry.plural = entry.plural or fact.plural
            for value in fact.values:
                entry.add(value, fact.evidence)

    def _reversed(self) -> dict[tuple[str, str, str], Entry]:
        """Entries by (property, value, kind of entity); their values are the entities that share it.

        Things are found under no kind as well: who asks for a boat may mean what a document calls a barge.
        """
        found: dict[tuple[str, str, str], Entry] = {}
        for entry in self.properties.values():
            kind = self.catalog.noun(entry.subject)
            for key, value in entry.values.items():
                for each in dict.fromkeys((kind, kind if kind == "person" else "")):
                    fresh = Entry(value, entry.noun, each, entry.past, entry.stated)
                    reverse = found.setdefault((entry.noun.casefold(), key, each), fresh)
                    for evidence in entry.places[key]:
                        reverse.add(entry.subject, evidence)
        return found

    def reverse_group(self, entry: Entry) -> ReverseGroup:
        return ReverseGroup(
            entry.noun, entry.subject, tuple(entry.values.values()), entry.preposition, entry.past
        )

    def of_subject(self) -> dict[str, list[Entry]]:
        """The property entries of each entity."""
        by_subject: dict[str, list[Entry]] = {}
        for entry in self.properties.values():
            by_subject.setdefault(norm(entry.subject), []).append(entry)
        return by_subject

    def holders(self, noun: str, value: str, kind: str) -> Entry:
        """The reverse entry of one property and value."""
        return self.reverse[noun.casefold(), norm(value), kind]
