"""From a sentence to tagged tokens: names, dates and quotations are one token each.

A token keeps every part of speech that it may have; the phrase rules decide by position. Tags are the Penn
ones where they exist: N, NS (plural), PN (name), J, R, VB, VBZ, VBD, VBN, VBG, CD, DT, PRP, PP$, IN, CC,
plus AUX, MD, NEG, WH, SC (subordinator), TO, POS ('s), DATE, UNIT and PUNCT.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from knowledge.rules import lexicon
from knowledge.rules.dates import find_dates
from knowledge.rules.morphology import inflected, parts_of_speech, verb_readings

Tags = frozenset[str]
NOMINAL = frozenset({"N", "NS", "PN", "CD"})

_TOKEN = re.compile(
    r"""
    [“"](?P<quoted>[^”"]{1,80})[”"]
    | (?P<money>[€$£¥]\s?\d(?:[\d,.]*\d)?(?:\s?(?:k|m|bn|million|billion|thousand)\b)?)
    | (?P<clock>\d{1,2}[:.]\d\d(?:\s?[ap]\.?m\b\.?)?|\d{1,2}\s?[ap]\.?m\b\.?)
    | (?P<number>\d+(?:,\d{3})+(?:\.\d+)?%?|\d+(?:\.\d+)?(?:%|(?:st|nd|rd|th)\b)?(?![\w]|-[a-z]))
    | (?P<initials>(?:[A-Z]\.){2,}|[A-Z]\.(?=\s+[A-Z]))
    | (?P<title>(?:Dr|Mr|Mrs|Ms|Prof|St|Sgt|Lt|Col|Gen|Capt|Rev|No|Inc|Ltd|Co|Corp|Jr|Sr)\.(?=\s|,|$))
    | (?P<possessive>['’]s\b|(?<=s)['’](?=\s))
    | (?P<word>\w+(?:[-‑'’./&]\w+)*(?:\+\+|\#)?)
    | (?P<punct>[,;:()\[\]—–-]|\S)
    """,
    re.VERBOSE,
)
_CONTRACTION = re.compile(r"^(\w+)(n['’]t)$")
_PARENTHESIS = re.compile(r"\s*\(([^()]*)\)|\s*\[([^\[\]]*)\]")
_EMPHASIS = re.compile(r"(?<!\w)[*_`]{1,3}(?=\S)|(?<=\S)[*_`]{1,3}(?!\w)")
#: 'Samuel "Sam" Holt' is Samuel Holt.
_NICKNAME = re.compile(r"(?<!\w)([A-ZÀ-Þ][\w.]*) [\"“'‘][A-ZÀ-Þ][\w. -]{0,20}[\"”'’] (?=[A-ZÀ-Þ])")
_LINK = re.compile(r"!?\[([^\]]+)\]\([^)]*\)")


@dataclass(frozen=True)
class Token:
    """One token of a cleaned sentence: the text at [start, end) and every tag it may have."""

    text: str
    start: int
    end: int
    tags: Tags

    @property
    def lower(self) -> str:
        return self.text.lower()

    def may_be(self, *tags: str) -> bool:
        return not self.tags.isdisjoint(tags)

    @property
    def is_name(self) -> bool:
        return "PN" in self.tags


@dataclass(frozen=True)
class CleanSentence:
    """A sentence without mark-up and parentheses; each parenthesis is kept with the words before it."""

    text: str
    parentheses: tuple[tuple[str, str], ...]


def clean(sentence: str) -> CleanSentence:
    """Strip Markdown and parentheses, and put typewriter quotes and spacing in order."""
    text = _EMPHASIS.sub("", _LINK.sub(r"\1", sentence))
    text = text.replace("``", '"').replace("''", '"')
    text = re.sub(r"\s+", " ", text)
    text = re.sub(r",([\"”])", r"\1,", text)  # the comma inside a quoted title belongs to the sentence
    text = _NICKNAME.sub(r"\1 ", text)
    text = re.sub(r"(?<=\w) - (?=\w+ed\b|\w+ing\b|based\b|related\b)", "-", text)
    text = re.sub(r" (['’]s\b|,|;)", r"\1", text).strip()
    parentheses = []
    while match := _PARENTHESIS.search(text):
        parentheses.append((text[: match.start()], (match.group(1) or match.group(2) or "").strip()))
        text = text[: match.start()] + text[match.end() :]
    return CleanSentence(text, tuple(parentheses))


def tokenise(text: str, known_names: frozenset[str] = frozenset()) -> list[Token]:
    """Tag a cleaned sentence.

    ``known_names`` are names that may also be ordinary words ("Atlas") or several of them ("State of Affairs").
    """
    tokens = _merge_dates(text, list(_raw_tokens(text)))
    tokens = _merge_known(text, _tag_first_word(tokens, known_names), known_names)
    return _merge_names(text, tokens)


def _merge_known(text: str, tokens: list[Token], known_names: frozenset[str]) -> list[Token]:
    """Join the words of each known name of several words into one token."""
    merged = list(tokens)
    for name in (name for name in known_names if " " in name and name in text):
        for match in re.finditer(rf"(?<!\w){re.escape(name)}(?!\w)", text):
            start, end = match.span()
            inside = [at for at, token in enumerate(merged) if token.start >= start and token.end <= end]
            if inside and merged[inside[0]].start == start and merged[inside[-1]].end == end:
                merged[inside[0] : inside[-1] + 1] = [Token(name, start, end, frozenset({"PN"}))]
    return merged


def _raw_tokens(text: str) -> Iterator[Token]:
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or "punct"
        word, start = match.group(), match.start()
        if kind == "word" and _is_capital_function_word(text, start, word):
            yield Token(word, start, match.end(), frozenset({"PN"}))
            continue
        if kind == "word" and (split := _CONTRACTION.match(word)):
            yield Token(split[1], start, start + len(split[1]), word_tags(split[1]))
            yield Token(split[2], start + len(split[1]), match.end(), frozenset({"NEG"}))
        elif kind == "word" and word[-2:] in ("'s", "’s"):
            yield Token(word[:-2], start, match.end() - 2, word_tags(word[:-2]))
            yield Token(word[-2:], match.end() - 2, match.end(), frozenset({"POS"}))
        else:
            yield Token(word, start, match.end(), _kind_tags(kind, word))


def _is_capital_function_word(text: str, start: int, word: str) -> bool:
    """In the middle of a sentence even a function word is a name by its capital: "My Giles", "The Hague"."""
    if not start or not word[:1].isupper() or word == "I" or word.lower() in lexicon.MONTH_NUMBERS:
        return False
    return bool(_closed_class(word.lower())) and text[start - 2 : start] not in (": ", ". ")


def _kind_tags(kind: str, word: str) -> Tags:
    if kind == "quoted":
        is_title = (word[1:2].isupper() or word[1:2].isdigit()) and len(word.split()) <= 8
        return (
            frozenset({"PN"})
            if is_title and not word[1:-1].endswith((".", "!", "?"))
            else frozenset({"QUOTE"})
        )
    if kind == "word":
        return word_tags(word)
    fixed = {
        "money": "CD",
        "clock": "CLOCK",
        "number": "CD",
        "initials": "PN",
        "title": "PN",
        "possessive": "POS",
    }
    if kind == "number" and re.search(r"(?:st|nd|rd|th)$", word):
        return frozenset({"J"})
    return frozenset({fixed.get(kind, "PUNCT")})


@lru_cache(maxsize=50_000)
def word_tags(word: str) -> Tags:
    """Every tag that a word may have by itself; a capitalised word is a name as well."""
    lower = word.lower()
    if len(word) > 1 and word.isupper() and word.isalpha():
        return frozenset({"PN"})
    closed = _closed_class(lower)
    if closed and (word.islower() or lower not in lexicon.MONTH_NUMBERS):
        return closed
    if word[:1].isupper() or (any(char.isupper() for char in word) and len(word) > 1):
        return frozenset({"PN"})
    return _open_class(lower)


_CLOSED = (
    (lexicon.BE_FORMS | lexicon.HAVE_FORMS | lexicon.DO_FORMS, "AUX"),
    (lexicon.MODALS, "MD"),
    (frozenset({"not", "never", "n't", "hardly", "rarely", "seldom", "scarcely", "barely"}), "NEG"),
    (lexicon.DETERMINERS | frozenset({"no"}), "DT"),
    (lexicon.POSSESSIVES - {"whose"}, "PP$"),
    (
        lexicon.SUBJECT_PRONOUNS | frozenset({"him", "them", "us", "me", "himself", "herself", "itself"}),
        "PRP",
    ),
    (
        frozenset({"themselves", "someone", "everyone", "anyone", "something", "everything", "anything"}),
        "PRP",
    ),
    (frozenset({"her"}), "PRP"),
    (lexicon.RELATIVE_WORDS | frozenset({"what", "how", "why"}), "WH"),
    (lexicon.PREPOSITIONS, "IN"),
    (frozenset({"and", "or", "but", "nor", "&"}), "CC"),
    (lexicon.SUBORDINATORS - frozenset({"that", "where", "when"}), "SC"),
    (frozenset({"to"}), "TO"),
    (lexicon.NUMBER_WORDS, "CD"),
    (
        frozenset({"many", "several", "few", "numerous", "most", "more", "various", "hundreds", "dozens"}),
        "QT",
    ),
    (frozenset({"there"}), "EX"),
)
_ALSO_OPEN = frozenset(
    {"like", "past", "round", "opposite", "inside", "outside", "second", "worth", "half", "have", "up"}
)


@lru_cache(maxsize=10_000)
def _closed_class(lower: str) -> Tags:
    tags = {tag for group, tag in _CLOSED if lower in group}
    if tags and lower in _ALSO_OPEN:
        tags |= _open_class(lower) & {"N", "J"}
    if not tags and re.fullmatch(r"(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)-\w+", lower):
        tags = {"CD"}
    return frozenset(tags)


_SUFFIX_TAGS = (
    (re.compile(r"(?:ly|wards?|wise)$"), {"R"}),
    (re.compile(r"(?:ing)$"), {"VBG", "N", "J"}),
    (re.compile(r"(?:ed)$"), {"VBD", "VBN", "J"}),
    (re.compile(r"(?:ous|ful|ical|ive|able|ible|less|ish|ary|al|ic)$"), {"J"}),
    (re.compile(r"[^s]s$"), {"NS"}),
)


@lru_cache(maxsize=50_000)
def _open_class(lower: str) -> Tags:
    tags: set[str] = set()
    for part, lemmas in parts_of_speech(lower).items():
        if part == "NOUN":
            tags |= _number_tags(lower, lemmas)
        elif part in ("ADJ", "ADV"):
            tags.add("J" if part == "ADJ" else "R")
    tags |= {tag for _, tag in verb_readings(lower)}
    if tags & {"VBN", "VBG"} and "VBZ" not in tags:
        tags.add("J")
    if lower.endswith(("ible", "able", "ous", "ful", "less")):
        tags.add("J")
    if lower.endswith("ed") and "VBD" in tags:
        tags -= {"N"}
    if "-" in lower and not lower.endswith("ly"):
        tags |= {"J", "N"} if not tags & {"VBD", "VBZ"} else {"J"}
    if not tags:
        tags = next((set(found) for pattern, found in _SUFFIX_TAGS if pattern.search(lower)), {"N", "J"})
    return frozenset(tags)


def _number_tags(lower: str, lemmas: tuple[str, ...]) -> set[str]:
    plural_of = [lemma for lemma in lemmas if lemma != lower and lower in inflected(lemma, "NNS")]
    tags = {"NS"} if plural_of or lower == "people" else set()
    return tags | ({"N"} if lower in lemmas else set()) or {"N"}


def _merge_dates(text: str, tokens: list[Token]) -> list[Token]:
    """Join the tokens of each calendar date into one; a bare number is a year only where it can be one."""
    merged = list(tokens)
    for found in find_dates(text):
        inside = [
            index
            for index, token in enumerate(merged)
            if token.start >= found.start and token.end <= found.end
        ]
        if not inside or merged[inside[0]].start != found.start or merged[inside[-1]].end != found.end:
            continue
        first, last = inside[0], inside[-1]
        if found.month is None and not _may_be_year(merged, first):
            continue
        tags = frozenset({"DATE"}) if found.year or found.day else frozenset({"DATE", "PN"})
        merged[first : last + 1] = [Token(found.text, found.start, found.end, tags)]
    return merged


_BEFORE_YEAR = lexicon.words(
    "in since from to until till by of before after between and during around about late early mid"
)


def _may_be_year(tokens: list[Token], index: int) -> bool:
    before = tokens[index - 1].lower if index else ""
    after = tokens[index + 1] if index + 1 < len(tokens) else None
    if after is not None and after.may_be("NS", "CD") and not after.may_be("VBZ", "VBD"):
        return False
    return (
        before in _BEFORE_YEAR
        or before.startswith(("mid-", "("))
        or before in ("–", "-", ",", "spring", "summer")
        or (before in lexicon.SEASONS)
        or not index
    )


def _tag_first_word(tokens: list[Token], known_names: frozenset[str]) -> list[Token]:
    """The capital at the start of a sentence says nothing: an ordinary word loses its name reading."""
    if not tokens or not tokens[0].is_name or not tokens[0].text[:1].isalpha():
        return tokens
    first, second = tokens[0], tokens[1] if len(tokens) > 1 else None
    lower = first.lower
    if (
        lower in known_names
        or first.text in known_names
        or lower in lexicon.MONTH_NUMBERS
        or "DATE" in first.tags
    ):
        return tokens
    if any(char.isupper() for char in first.text[1:]) or not parts_of_speech(lower):
        return tokens
    ordinary = _open_class(lower)
    if second is not None and second.is_name and not _opens_phrase(lower, ordinary):
        return tokens
    return [Token(first.text, first.start, first.end, ordinary), *tokens[1:]]


def _opens_phrase(lower: str, tags: Tags) -> bool:
    """Can this word stand before a name without being part of it ("Today", "Founded", "Former")?"""
    return (
        bool(tags & {"R"})
        or (bool(tags & {"VBN", "VBG"}) and not tags & {"N"})
        or lower in lexicon.RELATIVE_TIME
    )


def _merge_names(text: str, tokens: list[Token]) -> list[Token]:
    merged: list[Token] = []
    index = 0
    while index < len(tokens):
        end = _name_end(tokens, index)
        if end > index + 1:
            start, stop = tokens[index].start, tokens[end - 1].end
            merged.append(Token(text[start:stop], start, stop, frozenset({"PN"})))
        else:
            merged.append(tokens[index])
        index = max(end, index + 1)
    return merged


def _name_end(tokens: list[Token], index: int) -> int:
    """Where the name that starts at ``index`` ends: capitalised words, numbers after, particles between."""
    if not _is_name_part(tokens[index]):
        return index
    end = index + 1
    while end < len(tokens):
        token = tokens[end]
        following = tokens[end + 1] if end + 1 < len(tokens) else None
        is_number = "CD" in token.tags and re.fullmatch(r"\d{1,4}", token.text) is not None
        counts = (
            following is not None and following.may_be("NS", "N", "CD") and not following.may_be("VBZ", "VBD")
        )
        links = token.lower in lexicon.PERSON_PARTICLES or token.text == "&"
        person = [each for each in tokens[end + 1 : end + 3] if _is_name_part(each)]
        named = len(person) == 2 and not any(each.lower in lexicon.NON_PERSON_NAME_WORDS for each in person)
        links = links or (
            token.lower == "for" and not named and tokens[end - 1].lower in lexicon.NON_PERSON_NAME_WORDS
        )
        if (_is_name_part(token) and not token.text.startswith(('"', "“"))) or (is_number and not counts):
            end += 1
        elif links and following is not None and _is_name_part(following):
            end += 2
        else:
            break
    return end


def _is_name_part(token: Token) -> bool:
    return token.is_name and "DATE" not in token.tags
