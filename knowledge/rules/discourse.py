"""What a document has spoken of so far: who "she", "it" and "the company" are.

A reference is resolved only where one candidate is left; everything else makes the sentence unread.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from knowledge.rules import lexicon
from knowledge.rules.english import (
    is_person_noun,
    is_plural,
    looks_like_person_name,
    looks_like_place,
    singular,
    strip_article,
)
from knowledge.rules.facts import norm
from knowledge.rules.morphology import parts_of_speech
from knowledge.rules.phrases import NounPhrase
from knowledge.rules.verbs import Unreadable

#: Buildings: in a text about one of them "the building" is that one, not a part of it.
_MAY_BE_ALL = lexicon.words(
    """
    building house hall church school library station bridge park market hospital clinic airport cathedral abbey
    castle lighthouse theatre theater cinema stadium gallery museum brewery mill factory plant garden square chapel
    """
)
_HAVE_BUILDINGS = lexicon.PLACE_WORDS - {"building", "hall", "room", "office", "venue"} | lexicon.words(
    "company firm business organisation organization club team project programme association society"
)
_NEARBY = lexicon.words("adjacent nearby surrounding neighbouring neighboring adjoining latter former said")
#: Capitalised offices: whose they are, the text around them says.
_OFFICES = frozenset(
    {
        "prime minister",
        "president",
        "king",
        "queen",
        "governor",
        "mayor",
        "emperor",
        "minister",
        "chairman",
        "bishop",
    }
)
_NO_NAME_OPENING = lexicon.words(
    "though although while when if after since because however despite whereas until unless by for from with "
    "during since"
)
_UTMOST = re.compile(r"^(?:most|least|largest|smallest|.{3,}[^rnfw]est)$")
_POINTING = lexicon.words("this these that those such another both either other")
_TITLED = re.compile(r"(?:Dr|Mr|Mrs|Ms|Miss|Prof|Professor)\.? (?=[A-ZÀ-Þ])")


@dataclass
class Mention:
    """A name that was spoken of: ``spoken`` is the number of the sentence, ``as_subject`` its place there."""

    name: str
    person: bool
    plural: bool
    spoken: int
    as_subject: bool
    as_place: bool = False


@dataclass
class Discourse:
    """The state of reading one document; ``topic`` is what the title or heading says the text is about."""

    topic: str = ""
    written: date | None = None
    names: frozenset[str] = frozenset()
    sentence: int = 0
    paragraph_start: int = 0
    mentions: list[Mention] = field(default_factory=list)
    nouns: dict[str, str] = field(default_factory=dict)
    genders: dict[str, str] = field(default_factory=dict)
    people: set[str] = field(default_factory=set)
    articled: set[str] = field(default_factory=set)
    things: set[str] = field(default_factory=set)
    described: set[str] = field(default_factory=set)
    parts_of_names: frozenset[str] = frozenset()
    speaks_of_people: bool = False
    lost_at: int = -1
    titled: bool = False
    plain: bool = False

    # What has been said

    def begin_paragraph(self) -> None:
        self.paragraph_start = self.sentence + 1

    def begin_sentence(self) -> None:
        self.sentence += 1

    def mention(self, name: str, *, subject: bool, plural: bool = False, place: bool = False) -> None:
        """Note a name that the present sentence speaks of."""
        person = self.is_person(name) and not plural
        self.mentions.append(Mention(name, person, plural, self.sentence, subject, place))

    def is_person(self, name: str) -> bool:
        key = norm(name)
        if key in self.things:
            return False
        return key in self.people or (key not in self.nouns and looks_like_person_name(name))

    def describes(self, phrase: NounPhrase) -> bool:
        """ "The lost buoy" under a heading of that name, "the storage failure": a thing without a name."""
        if phrase.kind != "common" or phrase.determiner != "the" or phrase.tail or phrase.items:
            return False
        return norm(phrase.text) in self.described

    def learn_noun(self, name: str, noun: str) -> None:
        """Note what kind of thing a name is, from "X is a museum"."""
        noun = singular(noun).lower()
        if noun in lexicon.AGENT_NOUNS:  # a person or a company may be a supplier: the name decides
            if not looks_like_person_name(name):
                self.nouns.setdefault(norm(name), noun)
        elif is_person_noun(noun) and norm(name) not in self.things:
            self.people.add(norm(name))
            self.learn_gender(name, noun)
        elif noun:
            self.nouns.setdefault(norm(name), noun)

    def learn_gender(self, name: str, noun: str) -> None:
        if noun in lexicon.MALE_NOUNS | lexicon.FEMALE_NOUNS:
            self.genders.setdefault(norm(name), "m" if noun in lexicon.MALE_NOUNS else "f")

    # References

    def resolve(self, phrase: NounPhrase) -> NounPhrase:
        """The phrase with every reference replaced by a name; raises Unreadable where one is unclear."""
        if phrase.items:
            return replace(phrase, items=tuple(self._in_turn(phrase.items)))
        if phrase.kind == "pronoun":
            return self._pronoun(phrase.head)
        phrase = replace(
            phrase, modifiers=tuple((word, self.resolve(inner)) for word, inner in phrase.modifiers)
        )
        if phrase.owner is not None:
            owner = self.resolve(phrase.owner)
            if owner.kind == "common" and owner.determiner == "the" and not is_anchored(owner):
                raise Unreadable(f"“{owner.text}” has no name before it")
            return replace(phrase, owner=owner)
        if phrase.determiner.lower() in lexicon.POSSESSIVES:
            return replace(phrase, owner=self._possessor(phrase.determiner.lower()), determiner="")
        if phrase.kind == "name":
            if phrase.determiner.lower() in _POINTING:
                raise Unreadable(f"“{phrase.determiner} {phrase.core}” points to something named before")
            office = any(f" {norm(phrase.core)}".endswith(f" {each}") for each in _OFFICES)
            if office or phrase.core.partition(" ")[0].lower() in _NO_NAME_OPENING:
                raise Unreadable(f"“{phrase.core}” is no name")
            full = self.full_name(phrase.core)
            ordinary = full == phrase.core and " " not in full and "NOUN" in parts_of_speech(full.lower())
            if (
                self.titled
                and phrase.determiner.lower() == "the"
                and ordinary
                and norm(full) != norm(self.topic)
            ):
                raise Unreadable(f"“the {full}” is short for a longer name")
            if full == phrase.core and self._is_cut(full):
                raise Unreadable(f"“{full}” may be short for another name")
            return self._named(full, phrase)
        if phrase.determiner.lower() in ("another", "both", "either") or phrase.core.split()[:1] == ["other"]:
            raise Unreadable(f"“{phrase.text}” points to something named before")
        utmost = any(_UTMOST.search(word) for word in phrase.core.split()[:-1]) and not is_anchored(phrase)
        if utmost and phrase.determiner.lower() == "the" and not (phrase.modifiers or phrase.tail):
            raise Unreadable(f"“{phrase.text}” does not say of what")
        if any(word in _NEARBY for word in phrase.core.split()[:-1]) and phrase.determiner.lower() == "the":
            raise Unreadable(f"“{phrase.text}” points to something named before")
        if phrase.determiner.lower() in ("the", "this", "these", "that", "those", "such"):
            return self._definite(phrase)
        return phrase

    def _in_turn(self, items: Sequence[NounPhrase]) -> Iterator[NounPhrase]:
        """ "Mara Lind and her sister": an item may speak of the one before it."""
        for item in items:
            resolved = self.resolve(item)
            if resolved.kind == "name" and self.is_person(resolved.text):
                self.mention(resolved.text, subject=False)
            yield resolved

    def _named(self, name: str, phrase: NounPhrase | None = None) -> NounPhrase:
        """The name as a phrase, with the article that the text gives it: "the Harbour Museum"."""
        phrase = phrase or NounPhrase("name", head=norm(name))
        if name[:1].islower():  # a description that stands for itself: "the monthly meeting"
            article = phrase.determiner if phrase.determiner in ("the", "a", "an") else ""
            return replace(phrase, core=name, determiner=article)
        article = "the" if norm(name) in self.articled else phrase.determiner
        return replace(phrase, core=strip_article(name), determiner=article)

    def display(self, name: str) -> str:
        """The name with the article that the text gives it."""
        return self._named(name).text

    def full_name(self, name: str) -> str:
        """The longest form of a name: "Mara Lind" for a later "Lind", "Project Kestrel" for "Kestrel".

        Courtesy titles are left out: "Dr Mara Lind" is Mara Lind.
        """
        if (titled := _TITLED.match(name)) is not None:
            bare = name[titled.end() :]
            untitled = bare if " " in bare else self.full_name(bare)
            return untitled if " " in untitled else name
        if " " in name or norm(name) == norm(self.topic):
            return name
        known = {mention.name for mention in self.mentions} | ({self.topic} if self.topic else set())
        full = {each for each in known if _is_short_for(name, each, self.is_person(each))}
        return (
            next(iter(full))
            if len(full) == 1 and not any(norm(name) == norm(each) for each in known)
            else name
        )

    def _is_cut(self, name: str) -> bool:
        """ "Smith" after "Ada Smith" and "Otto Smith", "Armstrong" under "William Armstrong, Baron of X"."""
        if " " in name or norm(name) == norm(self.topic):
            return False
        known = {mention.name for mention in self.mentions} | ({self.topic} if self.topic else set())
        full = {norm(each) for each in known if _is_short_for(name, each, self.is_person(each))}
        heard = any(norm(name) == norm(each) for each in known)
        of_topic = _is_word_of(name, self.topic) and not parts_of_speech(name.lower())
        return len(full) > 1 or (not full and not heard and of_topic)

    def _pronoun(self, word: str) -> NounPhrase:
        if word in lexicon.MASCULINE | lexicon.FEMININE:
            return self._named(self._person("m" if word in lexicon.MASCULINE else "f", word))
        if word in ("it", "its"):
            return self._named(self._thing(word))
        if word in lexicon.PLURAL_PRONOUNS:
            return self._several(word)
        raise Unreadable(f"“{word}” has no name before it")

    def _possessor(self, word: str) -> NounPhrase:
        if word in lexicon.FIRST_OR_SECOND_PERSON:
            raise Unreadable(f"“{word}” speaks for somebody unnamed")
        return self._pronoun({"his": "he", "her": "she", "its": "it", "their": "they"}.get(word, word))

    def _recent(self) -> list[Mention]:
        """Mentions of this paragraph; those of the sentence being read come last."""
        return [mention for mention in self.mentions if mention.spoken >= self.paragraph_start]

    def _last_subject(self, *, person: bool | None = None) -> Mention | None:
        """The one subject of the last sentence that had one, or the one person or thing among its subjects."""
        before = [
            mention for mention in self._recent() if mention.spoken < self.sentence and mention.as_subject
        ]
        fitting = [mention for mention in before if person in (None, mention.person)]
        if before and fitting and fitting[-1].spoken == before[-1].spoken:
            before = fitting
        last = max((mention.spoken for mention in before), default=-1)
        subjects = [mention for mention in before if mention.spoken == last]
        return subjects[0] if len({norm(mention.name) for mention in subjects}) == 1 else None

    def _person(self, gender: str, word: str) -> str:
        fits = {
            norm(each.name): each.name
            for each in self._recent()
            if each.person and self._may_be(each.name, gender)
        }
        if self.topic and self.is_person(self.topic) and self._may_be(self.topic, gender):
            fits.setdefault(norm(self.topic), self.topic)
        sure = [each for each in fits if self.genders.get(each) == gender or each in self.people]
        if self._is_lost() and norm(self.topic) not in fits and not sure:
            raise Unreadable(f"“{word}” follows a sentence that was not understood")
        if len(fits) == 1:
            return self._taken(next(iter(fits.values())), gender)
        last = self._last_subject(person=True)
        if last is None or norm(last.name) not in fits:
            named = {
                norm(each.name)
                for each in self._recent()
                if each.spoken == self.sentence - 1 and each.person and not each.as_place
            } & fits.keys()
            if len(named) == 1:  # "The director of X is Mara Lind. She ..."
                return self._taken(fits[named.pop()], gender)
            raise Unreadable(
                f"“{word}” may be more than one person" if fits else f"“{word}” has no name before it"
            )
        rivals = [each for each in self._recent() if each.spoken >= last.spoken and norm(each.name) in fits]
        alone = all(norm(each.name) == norm(last.name) for each in rivals)
        known = self.genders.get(norm(last.name)) == gender and norm(last.name) == norm(self.topic)
        if not alone and not known:
            raise Unreadable(f"“{word}” may be more than one person")
        return self._taken(last.name, gender)

    def _may_be(self, name: str, gender: str) -> bool:
        return self.genders.get(norm(name), gender) == gender

    def _taken(self, name: str, gender: str) -> str:
        self.genders.setdefault(norm(name), gender)
        return name

    def _thing(self, word: str) -> str:
        if before := self._subject_of_sentence():
            return before
        if self._is_lost():
            raise Unreadable(f"“{word}” follows a sentence that was not understood")
        last = self._last_subject(person=False)
        things = [
            each for each in self._recent() if self._is_thing(each) and each.spoken >= self.sentence - 1
        ]
        if last is not None and self._is_thing(last):
            rivals = {norm(each.name) for each in things if not each.as_place} - {norm(last.name)}
            if not rivals or norm(last.name) == norm(self.topic):
                return last.name
            raise Unreadable(f"“{word}” may be more than one thing")
        names = {norm(each.name): each.name for each in things if not each.as_place}
        if self.topic and not self.is_person(self.topic):
            names.setdefault(norm(self.topic), self.topic)
        if len(names) == 1:
            return next(iter(names.values()))
        if not names and last is not None and self._only_looks_like_person(last.name):
            self.things.add(norm(last.name))
            return last.name
        raise Unreadable(
            f"“{word}” may be more than one thing" if names else f"“{word}” has no name before it"
        )

    def _is_lost(self) -> bool:
        """Was the sentence before this one not understood, and about something else than the topic?"""
        return self.lost_at == self.sentence - 1 and self.lost_at >= self.paragraph_start

    def _subject_of_sentence(self) -> str:
        """ "The choir was founded by X, and it is led by Y": the one thing that the sentence spoke of before."""
        spoken = [each for each in self._recent() if each.spoken == self.sentence and self._is_thing(each)]
        subject = max((each.name for each in spoken if each.as_subject), key=len, default="")
        rivals = {each.name for each in spoken if not each.as_place and each.name not in subject}
        return subject if not rivals and not self._names_person_before(subject) else ""

    def _names_person_before(self, name: str) -> bool:
        """ "Strauss" after "Johann Strauss II" is the person, though it does not look like one."""
        return name in self.parts_of_names or any(
            name in each.name.split() for each in self.mentions if each.person
        )

    def _only_looks_like_person(self, name: str) -> bool:
        """ "Brae Mooring is a chain maker. It ...": nothing but the shape of the name says that it is a person."""
        known = norm(name) in self.people or norm(name) in self.genders
        return self.is_person(name) and not known and not self.speaks_of_people

    def _is_thing(self, mention: Mention) -> bool:
        return not mention.person and not mention.plural

    def _several(self, word: str) -> NounPhrase:
        before = [
            each
            for each in self._recent()
            if each.spoken == self.sentence - 1 and each.plural and each.as_subject
        ]
        if len(before) != 1:
            raise Unreadable(f"“{word}” has no clear group before it")
        return NounPhrase("name", core=before[0].name, head=norm(before[0].name), plural=True)

    def _definite(self, phrase: NounPhrase) -> NounPhrase:
        """ "The company" becomes the company's name; a description that names what it means stays."""
        points = phrase.determiner.lower() != "the"
        if norm(phrase.core) in self.described and _is_only_dated(phrase):
            return replace(phrase, modifiers=())  # "the power cut of 3 May" under "The power cut"
        if not points and is_anchored(phrase):
            return phrase
        words = phrase.core.split()
        if len(words) == 1 and not phrase.plural and not phrase.modifiers:
            name = self._by_noun(singular(phrase.head))
            if name:
                return self._named(name)
        if not points and self._is_part_of_topic(phrase):
            return replace(phrase, modifiers=(*phrase.modifiers, ("of", self._named(self.topic))))
        if (
            len(words) == 1
            and not phrase.plural
            and not phrase.modifiers
            and (name := self._untyped(singular(phrase.head)))
        ):
            return self._named(name)
        general = not self.topic and singular(phrase.head) in lexicon.PART_NOUNS
        unknown = (
            len(words) == 1
            and singular(phrase.head) in lexicon.ANAPHORIC_NOUNS | lexicon.VAGUE_NOUNS
            and not (phrase.tail or general)
        )
        if points or unknown or any(word in lexicon.CONTEXT_ADJECTIVES for word in words[:-1]):
            raise Unreadable(f"“{phrase.determiner} {phrase.core}” has no name before it")
        return phrase

    def _by_noun(self, noun: str) -> str:
        group = frozenset({noun}).union(*(row for row in lexicon.CLASS_SYNONYMS if noun in row))
        known = [each.name for each in self.mentions] + ([self.topic] if self.topic else [])
        typed = {norm(name): name for name in known if self._nouns_of(name) & group}
        recent = {norm(each.name) for each in self._recent()} & typed.keys()
        if norm(self.topic) in typed and recent <= {norm(self.topic)}:
            return self.topic
        exact = {key: name for key, name in typed.items() if noun in self._nouns_of(name)}
        for found in (typed, exact):
            if len(found) == 1:
                return next(iter(found.values()))
        if typed:
            just_now = {
                norm(each.name): each.name
                for each in self._recent()
                if norm(each.name) in typed and each.spoken >= self.sentence - 1
            }
            return next(iter(just_now.values())) if len(just_now) == 1 else ""
        return ""

    def _untyped(self, noun: str) -> str:
        """Nothing is known to be a museum: then "the museum" is the topic that the text just spoke of."""
        if noun not in lexicon.ANAPHORIC_NOUNS - lexicon.HAPPENINGS:
            return ""
        last = self._last_subject()
        if last is None:
            return self.topic if self._only_topic() and not _is_other_place(noun, self.topic) else ""
        if last.person or last.plural:
            return ""
        if (
            (self.plain or self.topic)
            and not self.is_person(self.topic)
            and norm(last.name) != norm(self.topic)
        ):
            return ""  # "Disney ordered a season. The series ended": not Disney
        rivals = {
            norm(each.name)
            for each in self._recent()
            if self._is_thing(each) and not each.as_place and each.spoken >= last.spoken
        }
        unknown = (
            not _is_other_place(noun, last.name)
            and not self._nouns_of(last.name)
            and not looks_like_place(last.name)
            and not is_plural(last.name)
        )
        return (
            last.name
            if unknown and (rivals == {norm(last.name)} or norm(last.name) == norm(self.topic))
            else ""
        )

    def _is_part_of_topic(self, phrase: NounPhrase) -> bool:
        """ "The deadline" in a text about one project, "the station" in a text about one town."""
        noun = singular(phrase.head)
        if not self.topic or self.is_person(self.topic) or phrase.tail or phrase.items:
            return False
        if noun not in lexicon.PART_NOUNS | lexicon.RELATIONAL_NOUNS or noun in self._nouns_of(self.topic):
            return False
        if noun in self.topic.lower().split():
            return False
        if noun in _MAY_BE_ALL and not self._nouns_of(self.topic) & _HAVE_BUILDINGS:
            return False  # "the house" in a text about one house
        return self._still_on_topic()

    def _still_on_topic(self) -> bool:
        """Was the last thing spoken of the topic, or a part of it? In a place, its buildings do not count."""
        last = self._last_subject()
        if last is None or not self._is_thing(last) or self._belongs_to_topic(last):
            return True
        in_place = bool(self._nouns_of(self.topic) & lexicon.PLACE_WORDS)
        return in_place and bool(self._nouns_of(last.name) - lexicon.PLACE_WORDS)

    def role_in_topic(self, phrase: NounPhrase) -> bool:
        """ "The lead developer" in a text about one project, as what somebody is said to be."""
        role = is_person_noun(phrase.core) and singular(phrase.head) not in lexicon.KINSHIP
        alone = phrase.determiner == "the" and not phrase.modifiers and not phrase.tail and not phrase.items
        if not (role and alone and self.topic) or self.is_person(self.topic):
            return False
        return not any(word in lexicon.CONTEXT_ADJECTIVES - {"main"} for word in phrase.core.split())

    def _belongs_to_topic(self, mention: Mention) -> bool:
        return norm(self.topic) in norm(mention.name)

    def of_topic(self, phrase: NounPhrase) -> NounPhrase:
        """ "Members" in a text about one club are the members of the club."""
        alone = phrase.owner is None and not phrase.items and not phrase.determiner and not phrase.modifiers
        bare = phrase.kind == "common" and alone
        if (
            not bare
            or phrase.core not in lexicon.MEMBER_NOUNS
            or not self.topic
            or self.is_person(self.topic)
        ):
            return phrase
        return replace(phrase, modifiers=(("of", self._named(self.topic)),))

    def _only_topic(self) -> bool:
        """Has the text spoken of nothing but its topic, of which it has not said what it is?"""
        if (
            not self.topic
            or self.is_person(self.topic)
            or norm(self.topic) in self.nouns
            or is_plural(self.topic)
        ):
            return False
        return all(norm(each.name) == norm(self.topic) for each in self.mentions if self._is_thing(each))

    def _nouns_of(self, name: str) -> set[str]:
        """What a name is known to be, and what it says of itself: "Project Kestrel" is a project."""
        words = name.lower().split()
        ends = ({words[-1]} | ({words[0]} & lexicon.PREFIXED_KINDS)) if len(words) > 1 else set()
        learned = {self.nouns[norm(name)]} if norm(name) in self.nouns else set()
        return learned | (ends & lexicon.ANAPHORIC_NOUNS)


def _is_short_for(short: str, full: str, person: bool) -> bool:
    words = full.split()
    if len(words) < 2 or "of" in words:
        return False
    if person:
        return short in (words[0], words[-1])
    return short == words[-1] and words[0].lower() in lexicon.PREFIXED_KINDS


def _is_word_of(short: str, full: str) -> bool:
    """ "Armstrong" of "William Armstrong, Baron of X"; a town is not short for "Columbia, South Carolina"."""
    words = re.findall(r"[\w'’-]+", full)
    return len(words) > 1 and short in words and not full.startswith(f"{short},")


def _is_other_place(noun: str, name: str) -> bool:
    """ "The city" is not "Ryle Province": the name says what kind of place it is."""
    return noun in lexicon.PLACE_WORDS and name.split()[-1].lower() in lexicon.PLACE_WORDS - {noun}


def _is_only_dated(phrase: NounPhrase) -> bool:
    dated = [word == "of" and inner.kind == "date" for word, inner in phrase.modifiers]
    return bool(dated) and all(dated) and not phrase.tail


def has_name(text: str) -> bool:
    return any(word[:1].isupper() for word in text.split())


def is_anchored(phrase: NounPhrase) -> bool:
    """True if a description holds a name that says which one is meant: "the Turin office", "the mayor of Lyon"."""
    return (
        has_name(phrase.core)
        or has_name(phrase.tail)
        or any(
            inner.kind == "name"
            or inner.owner is not None
            or is_anchored(inner)
            or any(item.kind == "name" for item in inner.items)
            for _, inner in phrase.modifiers
        )
    )
