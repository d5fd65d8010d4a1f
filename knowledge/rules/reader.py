"""Reads a document: headings and lists for what it is about, sentences for what it says."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from knowledge.pipeline.types import Passage, SourceDocument, Span
from knowledge.rules.blocks import Block, BlockKind, blocks
from knowledge.rules.clauses import SentenceParser
from knowledge.rules.discourse import Discourse
from knowledge.rules.english import (
    find_dates,
    is_person_noun,
    is_plural,
    looks_like_person_name,
    name_spans,
    parse_date,
    singular,
    split_list,
    split_sentences,
    strip_article,
)
from knowledge.rules.facts import Classification, Evidence, Fact, Property, Reading, norm
from knowledge.rules.interpret import Interpreter
from knowledge.rules.lexicon import (
    ANAPHORIC_NOUNS,
    NON_PERSON_NAME_WORDS,
    ORGANISATION_WORDS,
    PREPOSITIONS,
    SPEECH_VERBS,
    SUBORDINATORS,
    words,
)
from knowledge.rules.morphology import parts_of_speech
from knowledge.rules.tokens import clean, tokenise, word_tags
from knowledge.rules.verbs import Unreadable

_WORD = re.compile(r"[A-Za-zÀ-ÿ][\w'’-]*")
_MIDDLE_NAME = re.compile(r"(?<=[a-z,;] )[A-ZÀ-Þ][\w'’-]+")
_BORN = re.compile(r"^(?:born|b\.)\s+(?P<when>.+)$", re.IGNORECASE)
_LIFE = re.compile(r"^(?P<born>[^–—-]*\d{3,4}[^–—]*?)\s*[–—-]\s*(?P<died>[^–—]*\d{4})$")
_ARTICLED = re.compile(
    r"\b[Tt]he\s((?:[A-ZÀ-Þ][\w'’-]*)(?:\s(?:(?:of|and|for)\s)?(?:the\s)?[A-ZÀ-Þ0-9][\w'’-]*)*)"
    r"(?:\s([a-z]+)\b|(?!\w|, [A-ZÀ-Þ]))"
)
_OPENING_PRONOUN = re.compile(r"(?:^|[.!?]\s+|\n)(He|She|It|His|Her|Its)\b")
#: Labels that say what was done to the thing, and labels that say what it did.
_DONE_LABELS = words(
    "founded opened established built launched born released published closed completed formed created"
)
_DOING_LABELS = words("died ends ended starts started begins began opens closes")
_PERSONAL = re.compile(r"\b(?:he|she|his|her|him)\b", re.IGNORECASE)
#: "Town of Ellerby" is Ellerby; "University of Ellerby" is not.
_SPOKEN_PART = re.compile(
    r"(?<=town) of |(?<=city) of |(?<=village) of |(?<=municipality) of |(?<=parish) of |(?<=port) of |: ",
    re.IGNORECASE,
)
_NO_NAME_OPENING = PREPOSITIONS | SUBORDINATORS | {"following", "upon"}
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
LONGEST_NAME = 9
_SPEECH = re.compile(r"(?:^|[\s(])[\"“][^\"”]*[.!?][\"”]|[“][^”]*$")


def read_document(document: SourceDocument) -> Reading:
    """All facts of a document, every sentence that could not be read with its reason, and how many there are."""
    reader = _Reader(document)
    for passage in document.passages:
        reader.read_passage(passage)
    things = frozenset(reader.discourse.things)
    return Reading(document.id, tuple(reader.facts), reader.sentences, tuple(reader.unread), things)


@dataclass
class _Reader:
    document: SourceDocument
    facts: list[Fact] = field(default_factory=list)
    unread: list[tuple[Span, str, str]] = field(default_factory=list)
    sentences: int = 0
    headings: dict[int, str] = field(default_factory=dict)
    header: tuple[str, ...] = ()
    section: str = ""
    heading: str = ""

    def __post_init__(self) -> None:
        self.text = "\n".join(passage.text for passage in self.document.passages)
        self.names = _names(self.text, self.document.title)
        self.discourse = Discourse(
            written=self.document.date,
            names=self.names,
            articled=_articled(self.text),
            titled=bool(self.document.title),
            plain=bool(self.document.title) and not _HEADING.search(self.text),
            parts_of_names=_parts_of_names(self.text),
        )
        self.sections = _sections(self.document)
        self.prose = "\n".join(self.sections.values())
        self._set_topic(0, self.document.title)

    def read_passage(self, passage: Passage) -> None:
        for block in blocks(passage.text):
            if block.kind == BlockKind.HEADING:
                self._set_topic(block.level, block.text)
            elif block.kind == BlockKind.KEY_VALUE:
                self._read_pair(passage, block)
            elif block.kind == BlockKind.HEADER_ROW:
                self.header = block.cells
            elif block.kind == BlockKind.ROW:
                self._read_row(passage, block)
            else:
                self._read_prose(passage, block)

    # What a text is about

    def _set_topic(self, level: int, heading: str) -> None:
        """A heading that names something is the topic of its section; "History" leaves the topic above it."""
        self.headings = {known: name for known, name in self.headings.items() if known < level}
        self.heading = heading
        kind = re.search(r"\(([^()]*)\)$", heading)
        name = self._spoken_of(re.sub(r"^(?:\d+[.)]?)+\s+|\s*\([^)]*\)$", "", heading).strip(" :"))
        if self._names_something(name):
            self.headings[level] = name
            self.names |= {name}
            self._learn_kind(name, kind.group(1) if kind else "")
        elif len(name.split()) > 1 and re.search(rf"\b[Tt]he {re.escape(strip_article(name))}\b", self.prose):
            self.discourse.described.add(norm(name))  # "The lost buoy": from here on, it is clear which one
        topic = self.headings[max(self.headings)] if self.headings else ""
        bare = strip_article(topic)
        described = bare.split()[-1:] and bare.split()[-1].islower()
        if described and re.search(rf"\bthe {re.escape(bare)}\b", self.text, re.IGNORECASE):
            self.discourse.articled.add(norm(topic))
        # What a heading of two words or more calls its section is what the labels under it are about.
        self.section = name if level > 1 and 2 <= len(name.split()) <= 6 else ""
        if topic != self.discourse.topic:
            self.discourse.topic = topic
            self._guess_gender(topic)

    def _learn_kind(self, name: str, kind: str) -> None:
        """ "Ellerby (1998 film)" is a film."""
        noun = kind.split()[-1].lower() if kind.split() else ""
        if noun in ANAPHORIC_NOUNS or is_person_noun(noun):
            self.discourse.learn_noun(name, noun)
            if not is_person_noun(noun):
                self.discourse.things.add(norm(name))
            if is_person_noun(noun):
                self.discourse.people.add(norm(name))

    def _spoken_of(self, heading: str) -> str:
        """The part of a heading that the text speaks of: "Ellerby" for "Town of Ellerby"."""
        heading = re.sub(r"^(?:About|Introducing|Introduction to|Welcome to|Meet)\s+", "", heading)
        heading = re.sub(r"^The\s+", "the ", heading)
        if len(re.findall(rf"\b{re.escape(heading)}\b", self.text)) > 1:
            return heading
        names = [heading[start:end] for start, end in name_spans(heading)]
        names += [part for name in (heading, *names) for part in _SPOKEN_PART.split(name)[1:]]
        often = [name for name in names if len(re.findall(rf"\b{re.escape(name)}\b", self.text)) > 2]
        return max(often, key=len, default=heading)

    def _names_something(self, heading: str) -> bool:
        words = heading.split()
        if words[:1] == ["the"]:
            words = words[1:]
        if not words or len(words) > 7 or not words[0][:1].isupper():
            return False
        if len(words) == 1 and not self._stands_as_name(words[0]):
            return False
        if looks_like_person_name(heading):
            return True
        kind, rest = words[0].lower(), words[1:]
        if kind in ANAPHORIC_NOUNS and rest and all(word[:1].isupper() or word.isdigit() for word in rest):
            return True
        if (
            words[-1] in ORGANISATION_WORDS
            and len(words) > 1
            and all(word[:1].isupper() for word in words[:-1])
        ):
            return re.search(rf"\bthe {re.escape(heading)}\b", self.text, re.IGNORECASE) is not None
        appears = re.search(rf"(?<!# )(?<!#)\b{re.escape(heading)}\b(?!\s*\n)", self.text) is not None
        proper = [word for word in words if word[:1].isupper() and not parts_of_speech(word.lower())]
        capitals = all(word[:1].isupper() or word in ("of", "the", "and", "for", "de") for word in words)
        return capitals and (appears or bool(proper)) and not (len(words) == 1 and not proper and not appears)

    def _stands_as_name(self, word: str) -> bool:
        """Is a one-word heading a name: in capitals within sentences too, and never an ordinary word there?"""
        if re.search(rf"\b{re.escape(word.lower())}\b", self.text):
            return False
        return not parts_of_speech(word.lower()) or word in self.names

    def _guess_gender(self, topic: str) -> None:
        """The pronouns that sentences of the section open with, or else hold, speak of the section's topic."""
        if not looks_like_person_name(topic):
            self._guess_person(topic)
            return
        text = self.sections.get(self.heading, self.text)
        opening = Counter(word.lower() for word in _OPENING_PRONOUN.findall(text))
        used = Counter(word.lower() for word in _WORD.findall(text))
        she, he, it = (
            used["she"] + used["her"],
            used["he"] + used["his"] + used["him"],
            used["it"] + used["its"],
        )
        opens_with_it = opening["it"] + opening["its"] > she + he and not opening["she"] + opening["he"]
        if bool(she) != bool(he) and not opens_with_it:
            self.discourse.genders.setdefault(norm(topic), "f" if she else "m")
        elif opens_with_it or (it and not she):
            self.discourse.things.add(norm(topic))

    def _guess_person(self, topic: str) -> None:
        """ "David Jack": two ordinary words are a person where every sentence that opens so says "he"."""
        opening = {
            word.lower() for word in _OPENING_PRONOUN.findall(self.sections.get(self.heading, self.text))
        }
        words = topic.split()
        shaped = 2 <= len(words) <= 3 and all(word[:1].isupper() and word.isalpha() for word in words)
        fits = opening in ({"he"}, {"he", "his"}, {"she"}, {"she", "her"})
        if shaped and fits and not {word.lower() for word in words} & NON_PERSON_NAME_WORDS:
            self.discourse.people.add(norm(topic))
            self.discourse.genders.setdefault(norm(topic), "f" if "she" in opening else "m")

    # Labels and tables

    def _read_pair(self, passage: Passage, block: Block) -> None:
        """ "Owner: Mara Lind" under the heading "Project Kestrel"."""
        key, value = block.cells
        if not self.discourse.topic and not self.section and self._is_own_date(key, value):
            return
        self.sentences += 1
        span = Span(passage.id, block.start, block.start + len(block.text.rstrip()))
        topic = self.discourse.topic or self.section
        if " of " in key and (
            is_person_noun(key) or any(char.isupper() for char in key.partition(" of ")[2])
        ):
            key, _, topic = key.partition(" of ")  # "Head of HR: Carla Mendes"
        if not topic:
            self._note_unread(passage, span, "a label without a heading that names what it is about")
            return
        self.discourse.begin_sentence()
        self.discourse.mention(topic, subject=True)
        subject = self.discourse.display(topic)
        if topic == self.section and topic[:1].isupper() and topic.split()[-1].islower():
            subject = f"the {strip_article(subject)}"
        self.facts += self._labelled(subject, key, value, Evidence(self.document.id, span))

    def _is_own_date(self, key: str, value: str) -> bool:
        """ "Date: 3 May 2024" at the top says when the document was written: relative times count from there."""
        found = parse_date(value) if key.lower() in ("date", "last updated", "updated", "written") else None
        if found is None:
            return False
        self.discourse.written = self.discourse.written or found.as_date()
        return True

    def _labelled(self, subject: str, label: str, value: str, evidence: Evidence) -> Iterator[Fact]:
        if norm(label) == norm(subject) or label.split()[-1].lower() in PREPOSITIONS:
            return
        value = clean(value).text.rstrip(".")
        if told := self._told_by_verb(subject, label, value, evidence):
            yield from told
            return
        noun = _as_noun(label)
        if noun in ("type", "kind", "category") and not value[:1].isupper():
            self.discourse.learn_noun(subject, value.split()[-1])
        many = is_plural(noun) or " and " in value or ", " in value
        if is_plural(noun) and value.isdigit():
            noun = f"number of {noun}"
        values = split_list(value, plural=is_plural(noun) or (many and is_person_noun(noun)))
        if values:
            yield Property(subject, singular(noun) if len(values) > 1 else noun, tuple(values), evidence)

    def _told_by_verb(self, subject: str, label: str, value: str, evidence: Evidence) -> list[Fact]:
        """ "Founded: 1998", "Ends: 30 June 2027": a label that is a verb makes a clause with a date or a place."""
        if label.lower() not in _DONE_LABELS | _DOING_LABELS:
            return []
        be = "was " if label.lower() in _DONE_LABELS else ""
        prepositions = [""] if find_dates(value) else ["in ", "by "]
        for preposition in prepositions:
            text = (
                f"{subject} {be}{label.lower()} {_dated(value) if not preposition else preposition + value}."
            )
            try:
                return self._parsed(Interpreter(self.discourse, evidence), text)
            except Unreadable:
                continue
        return []

    def _read_row(self, passage: Passage, block: Block) -> None:
        """A row of a table: its first cell names the entity, the header names the properties."""
        self.sentences += 1
        span = Span(passage.id, block.start, block.end)
        name = block.cells[0] if block.cells else ""
        if len(block.cells) != len(self.header) or not name[:1].isupper() or find_dates(name):
            self._note_unread(passage, span, "the first cell of the row names no entity")
            return
        evidence = Evidence(self.document.id, span)
        kind = _as_noun(self.header[0])
        if kind not in ("name", "") and not is_plural(kind):
            self.facts.append(Classification(name, _with_article(kind), kind, evidence))
            self.discourse.learn_noun(name, kind.split()[-1])
        for label, value in zip(self.header[1:], block.cells[1:], strict=True):
            if label and value and value not in ("-", "–", "—", "n/a", "N/A"):
                self.facts += self._labelled(name, label, value, evidence)

    # Prose

    def _read_prose(self, passage: Passage, block: Block) -> None:
        self.discourse.begin_paragraph()
        self.discourse.speaks_of_people = _PERSONAL.search(block.text) is not None
        if block.text.strip() == self.document.title:
            return
        for start, end in split_sentences(block.text):
            span = Span(passage.id, block.start + start, block.start + end)
            self.sentences += 1
            self.discourse.begin_sentence()
            try:
                self.facts += self._sentence(block.text[start:end], Evidence(self.document.id, span))
            except Unreadable as reason:
                self._note_unread(passage, span, str(reason))
                self._mention_names(block.text[start:end])
                self._lose_track(block.text[start:end])

    def _mention_names(self, sentence: str) -> None:
        """Whom an unread sentence spoke of: "he" in the next one may be one of them."""
        for start, end in name_spans(sentence):
            text = re.sub(r"['’]s?$", "", strip_article(sentence[start:end]))
            name = self.discourse.full_name(text)
            if self.discourse.is_person(name) and name.split()[0].lower() not in _NO_NAME_OPENING:
                self.discourse.mention(name, subject=start == 0)

    def _lose_track(self, sentence: str) -> None:
        """After an unread sentence it is clear what "it" is only if that sentence began with the topic."""
        topic = strip_article(self.discourse.topic)
        opening = strip_article(sentence).casefold()
        if not topic or not opening.startswith(
            (topic.casefold(), "it ", "its ", "he ", "she ", "his ", "her ")
        ):
            self.discourse.lost_at = self.discourse.sentence

    def _note_unread(self, passage: Passage, span: Span, reason: str) -> None:
        self.unread.append((span, passage.text[span.start : span.end], reason))

    def _sentence(self, sentence: str, evidence: Evidence) -> list[Fact]:
        cleaned = clean(sentence)
        if cleaned.text.endswith("?"):
            raise Unreadable("a question")
        if cleaned.text.count('"') % 2 or _SPEECH.search(cleaned.text):
            raise Unreadable("quoted speech")
        interpreter = Interpreter(self.discourse, evidence)
        facts: list[Fact] = []
        for before, inside in cleaned.parentheses:
            facts += self._parenthesis(interpreter, before, inside)
        return self._parsed(interpreter, cleaned.text) + facts

    def _parsed(self, interpreter: Interpreter, text: str) -> list[Fact]:
        tokens = tokenise(text, self.names)
        if any("QUOTE" in token.tags for token in tokens):
            raise Unreadable("quoted speech")
        if any(token.is_name and len(token.text.split()) > LONGEST_NAME for token in tokens):
            raise Unreadable("a row of capitalised words is no name")
        parser = SentenceParser(text, tokens)
        parser.parse()
        return interpreter.facts(parser.clauses, parser.appositions)

    def _parenthesis(self, interpreter: Interpreter, before: str, inside: str) -> list[Fact]:
        """ "Mara Lind (born 3 May 1970)", "Otto Berg (1901-1974)", "Kestrel (founded 1998)"."""
        names = [token for token in tokenise(before, self.names) if token.is_name]
        if not names or not before.endswith(names[-1].text):
            return []
        name = names[-1].text
        said = []
        if (life := _LIFE.match(inside)) and self.discourse.is_person(name):
            said = [f"{name} was born {_dated(life['born'])}.", f"{name} died {_dated(life['died'])}."]
        elif born := _BORN.match(inside):
            said = [f"{name} was born {_dated(born['when'])}."]
        elif re.match(r"(?:founded|established|opened|built)\s+(?:in\s+|on\s+)?\S*\d{4}$", inside):
            verb, _, when = inside.partition(" ")
            said = [f"{name} was {verb} {_dated(when)}."]
        facts: list[Fact] = []
        for text in said:
            try:
                facts += self._parsed(interpreter, text)
            except Unreadable:
                continue
        return facts


def _sections(document: SourceDocument) -> dict[str, str]:
    """The text under each heading, up to the next one; the text before the first counts to the title."""
    found: dict[str, str] = {}
    heading = document.title
    for passage in document.passages:
        for block in blocks(passage.text):
            if block.kind == BlockKind.HEADING:
                heading = block.text
            else:
                found[heading] = f"{found.get(heading, '')}\n{block.text}"
    return found


def _dated(text: str) -> str:
    """A date with the preposition that it needs: "3 May 1970" becomes "on 3 May 1970"."""
    text = text.strip(" ;,")
    found = find_dates(text)
    return f"{found[0].preposition} {text}" if found and found[0].start == 0 else text


def _as_noun(label: str) -> str:
    """A label as a common noun: "Start date" becomes "start date", "CEO" stays."""
    return " ".join(
        word if word.isupper() and len(word) > 1 else word.lower() for word in label.strip(" :*_").split()
    )


def _with_article(noun: str) -> str:
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"


def _names(text: str, title: str) -> frozenset[str]:
    """Words that stand as names in the text, so that at the start of a sentence they are names as well."""
    middle = set(_MIDDLE_NAME.findall(text))
    lower = {word for word in _WORD.findall(text) if word.islower()}
    opening = {
        word
        for word, following in re.findall(r"(?:^|[.!?]\s+|\n)([A-Z][\w-]+)(?:'s)?\s([a-z]+)", text)
        if word.lower() not in lower and word_tags(following) & {"VBZ", "VBD", "AUX", "MD"}
    }
    named = {word for word in opening if _may_name(word_tags(word.lower()))}
    if title:  # "Ground was broken": in a text about something else an ordinary noun at the start is no name
        headed = set(_WORD.findall(" ".join(_HEADING.findall(text))))
        named = {word for word in named if word in headed or "NOUN" not in parts_of_speech(word.lower())}
    from_title = {
        word for word in re.findall(r"[\w-]+", title) if word[:1].isupper() and word.lower() not in lower
    }
    return frozenset(word for word in middle | from_title | named if word.lower() not in SPEECH_VERBS)


def _parts_of_names(text: str) -> frozenset[str]:
    """ "Johann" and "Strauss" of "Johann Strauss": words that may stand for a person later on."""
    names = (text[start:end] for start, end in name_spans(text))
    return frozenset(word for name in names if looks_like_person_name(name) for word in name.split())


def _may_name(tags: frozenset[str]) -> bool:
    """ "Atlas" and "Lighthouse" may be names; "Employees" and "Training" are what they say."""
    return "N" in tags and not tags & {"R", "VBG", "NS"}


def _articled(text: str) -> set[str]:
    """Names that the text gives the article: "the Harbour Museum opened", not "the Kestrel team"."""
    ends = {"VBZ", "VBD", "IN", "AUX", "MD", "CC", "WH", "TO", "R"}
    return {
        norm(name)
        for name, following in _ARTICLED.findall(text)
        if not following or word_tags(following) & ends
    }
