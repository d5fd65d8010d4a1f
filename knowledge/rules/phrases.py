"""Noun phrases: where they begin and end, what they are built on, who owns them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from knowledge.rules import lexicon
from knowledge.rules.english import is_person_noun, is_plural, join_list, possessive
from knowledge.rules.tokens import NOMINAL, Token

_STOP = frozenset(
    {"PUNCT", "AUX", "MD", "WH", "CC", "TO", "SC", "PRP", "DT", "PP$", "POS", "NEG", "EX", "CLOCK", "QUOTE"}
)
_NUMERIC = frozenset({"CD", "QT"})
_DIMENSIONS = lexicon.words("tall long high wide deep thick old")
_BEFORE_NUMBER = (
    ("more", "than"),
    ("less", "than"),
    ("fewer", "than"),
    ("at", "least"),
    ("at", "most"),
    ("up", "to"),
)


@dataclass(frozen=True)
class NounPhrase:
    """A noun phrase in parts, so that an owner or a pronoun inside it can be replaced by a name.

    ``kind`` is pronoun, name, common, number or date; ``modifiers`` are (preposition, phrase) pairs that
    belong to it; ``items`` are the members of an enumeration and then stand alone.
    """

    kind: str
    determiner: str = ""
    core: str = ""
    head: str = ""
    plural: bool = False
    counted: bool = False
    owner: NounPhrase | None = None
    modifiers: tuple[tuple[str, NounPhrase], ...] = ()
    tail: str = ""
    role: str = ""
    items: tuple[NounPhrase, ...] = ()
    conjunction: str = "and"

    @property
    def text(self) -> str:
        if self.items:
            texts = [item.text for item in self.items]
            return join_list(texts) if self.conjunction == "and" else " or ".join(texts)
        # "Mara Lind's daughter Eva" is Eva: the role in between says whose she is.
        owner = None if self.kind == "name" and self.role else self.owner
        front = possessive(owner.text) if owner else self.determiner
        parts = [front, self.core, *(f"{word} {phrase.text}" for word, phrase in self.modifiers), self.tail]
        return " ".join(part for part in parts if part)

    @property
    def is_many(self) -> bool:
        """True if a verb with this as its subject stands in the plural."""
        return self.plural or (len(self.items) > 1 and self.conjunction == "and")

    def flat(self) -> tuple[NounPhrase, ...]:
        return self.items or (self,)


Parsed = tuple[NounPhrase, int]
Stops = Callable[[Sequence[Token], int], bool]


def never(_tokens: Sequence[Token], _index: int) -> bool:
    return False


def noun_phrase(tokens: Sequence[Token], index: int, is_verb: Stops = never) -> Parsed | None:
    """The noun phrase at ``index`` with its owner and its "of" phrases, and the index after it.

    ``is_verb`` tells, for a phrase that stands as a subject, whether a word that could be a noun is the verb.
    """
    parsed = _simple(tokens, index, is_verb)
    if parsed is None:
        return None
    phrase, index = parsed
    while index < len(tokens) and "POS" in tokens[index].tags:
        owned = _simple(tokens, index + 1, is_verb)
        if owned is None or owned[0].determiner or owned[0].kind == "pronoun":
            return None
        phrase, index = replace(owned[0], owner=phrase, determiner=""), owned[1]
    return _with_of(tokens, phrase, index, is_verb)


def _with_of(tokens: Sequence[Token], phrase: NounPhrase, index: int, is_verb: Stops) -> Parsed | None:
    while index < len(tokens) and tokens[index].lower == "of":
        inner = noun_phrases(tokens, index + 1, is_verb, after_of=True)
        if inner is None:
            return None
        phrase, index = replace(phrase, modifiers=(*phrase.modifiers, ("of", inner[0]))), inner[1]
    return phrase, index


def noun_phrases(
    tokens: Sequence[Token],
    index: int,
    is_verb: Stops = never,
    *,
    after_of: bool = False,
    bare_list: bool = False,
) -> Parsed | None:
    """One noun phrase or an enumeration of them: "A", "A and B", "A, B and C".

    ``bare_list`` allows "A, B" without "and", which elsewhere is one thing explained ("Avon, Ohio").
    """
    first = noun_phrase(tokens, index, is_verb)
    if first is None or first[0].kind == "pronoun":
        return first
    items, ends, conjunction = [first[0]], [first[1]], ""
    while not conjunction and (joint := _joint(tokens, ends[-1], items)) is not None:
        word, start = joint
        following = noun_phrase(tokens, start, is_verb)
        if following is None or not (
            _belongs(items[0], following[0], word, after_of)
            or (_may_be_explained(items[0], following[0]) and _goes_on(tokens, following))
        ):
            break
        items.append(following[0])
        ends.append(following[1])
        conjunction = word
    if conjunction and is_verb is never and _has_own_verb(tokens, ends[-1], items[-1]):
        del items[-1], ends[-1]  # "manages the project, and Omar Haddad is ...": a new clause
        conjunction = "" if len(items) == 1 else conjunction
        if len(items) == 1:
            return items[0], ends[0]
    if not conjunction and not (bare_list and _is_bare_enumeration(tokens, items, ends[-1])):
        return first
    items = _with_surname(items)
    torn = items[-1].kind == "number" and items[0].kind != "number"
    if torn or (items[0].kind == "name" and _is_bare_plural(items[-1])):
        return None
    if items[-1].role and items[-2].kind == "common":  # "the philosopher and statesman Otto Lund"
        return None
    return NounPhrase(kind=items[0].kind, items=tuple(items), conjunction=conjunction or "and"), ends[-1]


def _is_bare_plural(item: NounPhrase) -> bool:
    """ "(owned by Helix, and) features programmes": after a name rather a verb than another thing."""
    bare = not (item.determiner or item.owner or item.counted) and len(item.core.split()) < 3
    return item.kind == "common" and item.plural and bare and item.core.islower()


def _with_surname(items: list[NounPhrase]) -> list[NounPhrase]:
    """ "The brothers Edmund and Walter Vallory" are Edmund Vallory and Walter Vallory."""
    surname = items[-1].core.split()[-1] if " " in items[-1].core else ""
    first_names = all(" " not in item.core and item.kind == "name" for item in items[:-1])
    if not (surname and first_names and is_plural(items[0].role or "x")):
        return items
    return [*(replace(item, core=f"{item.core} {surname}", role="") for item in items[:-1]), items[-1]]


def _has_own_verb(tokens: Sequence[Token], index: int, last: NounPhrase) -> bool:
    if index >= len(tokens) or tokens[index].is_name:
        return False
    if tokens[index].may_be("AUX", "MD") or _ends_in_verb(tokens, index, last):
        return True
    if not tokens[index].may_be("VBZ", "VBD"):
        return False
    ambiguous = tokens[index].may_be("N", "NS", "VBN", "J")
    return not ambiguous or _next_may_be(tokens, index, "DT", "CD", "PN", "PP$")


def _ends_in_verb(tokens: Sequence[Token], index: int, last: NounPhrase) -> bool:
    """ "(and) its battery lasts 14 months": before an amount, what looks like the noun is the verb."""
    is_compound = last.kind == "common" and len(last.core.split()) > 1 and not last.modifiers
    return is_compound and tokens[index].may_be("CD") and tokens[index - 1].may_be("VBZ")


def _goes_on(tokens: Sequence[Token], following: Parsed) -> bool:
    """After "A": does "the B database and ..." go on with an enumeration, rather than explain A?

    A thing with a name in it is another thing; "Mara Lind, the Oslo manager and ..." stays unclear.
    """
    phrase, index = following
    named = any(word[:1].isupper() for word in phrase.core.split())
    if phrase.kind == "pronoun" or not named or is_person_noun(phrase.core) or index + 1 >= len(tokens):
        return False
    if tokens[index].lower in ("and", "or"):
        return not _starts_verb_phrase(tokens, index + 1, phrase)
    if tokens[index].text != ",":
        return False
    more = noun_phrase(tokens, index + 1)
    return more is not None and _goes_on(tokens, more)


def _joint(tokens: Sequence[Token], index: int, items: list[NounPhrase]) -> tuple[str, int] | None:
    """The "and", "or" or comma at ``index`` that may lead to a further item, with where that item starts."""
    if index + 1 >= len(tokens):
        return None
    comma = tokens[index].text == ","
    start = index + 1 if comma else index
    word = tokens[start].lower if start < len(tokens) else ""
    if word in ("and", "or", "&") and not _starts_verb_phrase(tokens, start + 1, items[-1]):
        return ("or" if word == "or" else "and"), start + 1
    if tokens[index].lower == "as" and [token.lower for token in tokens[index : index + 3]] == [
        "as",
        "well",
        "as",
    ]:
        return "and", index + 3
    return ("", start) if comma else None


def _starts_verb_phrase(tokens: Sequence[Token], index: int, before: NounPhrase) -> bool:
    """After "and": does a new verb phrase begin rather than another noun phrase?"""
    if index >= len(tokens):
        return True
    token = tokens[index]
    if not token.may_be("VBZ", "VBD", "VBN", "AUX", "MD") or token.is_name:
        return False
    if not token.may_be(*NOMINAL):
        finite = token.may_be("VBD", "VBZ") and _next_may_be(tokens, index, "PN")
        return finite or not token.may_be("J") or not _next_may_be(tokens, index, "N", "NS", "PN", "J")
    if _next_may_be(tokens, index, "DT", "PN", "CD", "PP$", "QT", "DATE"):
        return True
    one_thing = (
        before.kind == "name" or _last_counted(before) or (bool(before.determiner) and not before.plural)
    )
    return one_thing and _next_may_be(tokens, index, "IN", "TO", "R")


def _last_counted(phrase: NounPhrase) -> bool:
    """ "a range of 6 kilometres": what ends in an amount takes no second noun after "and"."""
    while phrase.modifiers:
        phrase = phrase.modifiers[-1][1]
    return phrase.counted


def _next_may_be(tokens: Sequence[Token], index: int, *tags: str) -> bool:
    return index + 1 < len(tokens) and tokens[index + 1].may_be(*tags)


def _belongs(first: NounPhrase, following: NounPhrase, word: str, after_of: bool) -> bool:
    """May this be another item of the enumeration that ``first`` opened?"""
    if following.kind in ("pronoun", "date") or (first.kind == "date") != (following.kind == "date"):
        return False
    if word:
        return not (after_of and following.determiner and not first.determiner and first.kind == "common")
    if first.kind == "common" and following.kind == "name":  # "two daughters, Mia and Lea"
        return False
    return not _may_be_explained(first, following)


def _may_be_explained(first: NounPhrase, following: NounPhrase) -> bool:
    """After a comma alone, a phrase with an article explains a name rather than adding to it."""
    return first.kind == "name" and bool(following.determiner) and not first.determiner


def _is_bare_enumeration(tokens: Sequence[Token], items: list[NounPhrase], end: int) -> bool:
    """ "A, B." without "and": only names, up to the end of the sentence."""
    at_end = end >= len(tokens) or tokens[end].text in ".;"
    return len(items) > 1 and at_end and all(item.kind == "name" for item in items)


def _simple(tokens: Sequence[Token], index: int, is_verb: Stops) -> Parsed | None:
    """A determiner, what stands before the noun, and the noun; or a pronoun; or a date."""
    if index >= len(tokens):
        return None
    token = tokens[index]
    if _is_pronoun(tokens, index):
        return NounPhrase(
            "pronoun", core=token.text, head=token.lower, plural=token.lower == "they"
        ), index + 1
    if token.tags == {"DATE"}:
        return NounPhrase("date", core=token.text, head=token.lower), index + 1
    return _determined(tokens, index, is_verb)


def _is_pronoun(tokens: Sequence[Token], index: int) -> bool:
    token = tokens[index]
    if "PP$" in token.tags:  # "her" is both
        return "PRP" in token.tags and not _next_may_be(tokens, index, "N", "NS", "J", "PN", "VBG", "CD")
    points = token.lower in ("this", "these", "those", "that") and "DT" in token.tags
    return "PRP" in token.tags or (points and not _next_may_be(tokens, index, "N", "NS", "J", "PN"))


def _determined(tokens: Sequence[Token], index: int, is_verb: Stops) -> Parsed | None:
    start = index
    determiners: list[str] = []
    while index < len(tokens) and tokens[index].may_be("DT", "PP$") and len(determiners) < 2:
        determiners.append(tokens[index].text)
        index += 1
    if index < len(tokens) and tokens[index].lower in ("including", "excluding"):
        return None
    core_start = index
    index = _skip_approximation(tokens, index)
    end = _core_end(tokens, index, is_verb)
    if end is None or end <= core_start:
        return None
    core = tokens[core_start:end]
    if core[-1].is_name or (len(core) == 1 and not core[0].may_be("N", "NS", "CD", "QT")):
        phrase = _name(core, determiners)
    else:
        phrase = _common(core, determiners)
    return (phrase, end) if start < end else None


def _skip_approximation(tokens: Sequence[Token], index: int) -> int:
    """Past "about", "more than", "at least" where a number follows."""
    words = tuple(token.lower for token in tokens[index : index + 2])
    width = 2 if words in _BEFORE_NUMBER else 1 if words[:1] and words[0] in lexicon.APPROXIMATORS else 0
    return (
        index + width
        if width and index + width < len(tokens) and "CD" in tokens[index + width].tags
        else index
    )


def starts_amount(tokens: Sequence[Token], index: int) -> bool:
    """ "at least 14", "over 200": an amount, though its first word is a preposition."""
    return _skip_approximation(tokens, index) > index


def _core_end(tokens: Sequence[Token], index: int, is_verb: Stops) -> int | None:
    """Where the noun with what stands before it ends, or None if there is no noun."""
    start, last_nominal = index, None
    has_head = False
    while index < len(tokens):
        token = tokens[index]
        if index > start and _joins_adjectives(tokens, index, has_head):
            index += 1
            continue
        if not token.tags.isdisjoint(_STOP) and not (token.is_name and not token.may_be("PUNCT")):
            break
        if "IN" in token.tags and not token.may_be("N", "J"):
            break
        if has_head and (
            is_verb(tokens, index) or _is_new_number(tokens, index) or _is_relative_time(tokens, index)
        ):
            break
        if token.lower == "such" or (
            has_head and token.lower in _DIMENSIONS and tokens[index - 1].may_be("NS")
        ):
            break
        nominal = token.may_be("N", "NS", "PN", "CD", "QT") or (token.may_be("DATE") and not has_head)
        before_noun = token.may_be("J", "VBN", "VBG", "R") and _noun_follows(tokens, index)
        if has_head and token.may_be("VBG") and _next_may_be(tokens, index, "DT", "PP$"):
            break  # "a station broadcasting an oldies format"
        if has_head and not nominal and not before_noun:
            break
        if not nominal and not before_noun:
            return None if last_nominal is None else last_nominal
        if has_head and not nominal and token.may_be("VBD", "VBN") and tokens[index - 1].may_be("NS"):
            break
        if nominal:
            last_nominal = index + 1
            has_head = has_head or token.may_be("N", "NS", "PN")
        index += 1
    return last_nominal


def _is_new_number(tokens: Sequence[Token], index: int) -> bool:
    """A number after a noun begins something new, save after "first" and the like ("the first three months")."""
    return tokens[index].tags == {"CD"} and tokens[index - 1].lower not in lexicon.ORDINALS


def _is_relative_time(tokens: Sequence[Token], index: int) -> bool:
    """ "joined Vosdam last year": a time after the noun, not part of it."""
    words = [token.lower for token in tokens[index : index + 2]]
    return len(words) == 2 and words[0] in ("last", "next", "this") and words[1] in lexicon.TIME_NOUNS


def _noun_follows(tokens: Sequence[Token], index: int) -> bool:
    """True if a noun comes after the adjectives at ``index``."""
    for token in tokens[index + 1 :]:
        if token.may_be("N", "NS", "PN"):
            return True
        if not token.may_be("J", "R", "VBN", "VBG", "CD") and token.text not in (",", "and"):
            return False
    return False


def _joins_adjectives(tokens: Sequence[Token], index: int, has_head: bool) -> bool:
    """ "red and white", "long, narrow": the joint between two adjectives of one noun."""
    if tokens[index].text not in ("and", ",") or index == 0 or index + 1 >= len(tokens):
        return False
    before, after = tokens[index - 1], tokens[index + 1]
    if has_head and not (
        before.may_be("J") and before.text.islower() and not before.may_be("NS", "VBN", "VBG")
    ):
        return False
    pure = "J" in before.tags and "J" in after.tags and not after.may_be("PN")
    return pure and _noun_follows(tokens, index)


def _name(core: Sequence[Token], determiners: list[str]) -> NounPhrase:
    """A name, with the common noun that may introduce it split off: "the engineer Mara Lind"."""
    role = " ".join(token.text for token in core[:-1])
    name = core[-1].text
    introduces = _is_role(core)
    if introduces and (not determiners or determiners == ["the"] or determiners == ["The"]):
        return NounPhrase("name", "", name, core[-1].lower, role=role)
    if introduces and len(determiners) == 1 and determiners[0].lower() in lexicon.POSSESSIVES:
        return NounPhrase("name", determiners[0].lower(), name, core[-1].lower, role=role)
    while len(core) > 1 and core[0].lower in lexicon.BESIDE_NAMES and core[-1].is_name:
        core = core[1:]
    text = " ".join(token.text for token in core)
    return NounPhrase("name", " ".join(_lower_article(word) for word in determiners), text, core[-1].lower)


def _is_role(core: Sequence[Token]) -> bool:
    """ "engineer Mara Lind", "ship Fram": a common noun that says what the name after it is."""
    if len(core) < 2 or any(token.is_name or token.may_be("CD") for token in core[:-1]):
        return False
    noun = core[-2].lower
    return is_person_noun(noun) or noun in lexicon.ANAPHORIC_NOUNS


def _common(core: Sequence[Token], determiners: list[str]) -> NounPhrase:
    head = core[-1]
    words = [token.text for token in core]
    if words[0][:1].isupper() and not core[0].is_name:
        words[0] = words[0][:1].lower() + words[0][1:]
    counted = any(token.may_be(*_NUMERIC) for token in core) and head.may_be("NS", "N", "CD")
    only_number = all(token.may_be(*_NUMERIC) for token in core)
    plural = head.may_be("NS") and not (
        head.may_be("N") and determiners and determiners[0].lower() in ("a", "an")
    )
    return NounPhrase(
        kind="number" if only_number else "common",
        determiner=" ".join(_lower_article(word) for word in determiners),
        core=" ".join(words),
        head=head.lower,
        plural=plural,
        counted=counted,
    )


def _lower_article(word: str) -> str:
    return word[:1].lower() + word[1:]
