"""What a capitalised phrase or a noun is likely to name: a person, an organisation, a place."""

from __future__ import annotations

import re
from functools import lru_cache

from knowledge.rules.lexicon import (
    DETERMINERS,
    MONTHS,
    NON_PERSON_NAME_WORDS,
    NOT_PERSON_NOUNS,
    NUMBER_WORDS,
    ORDINALS,
    ORGANISATION_WORDS,
    PERSON_NOUNS,
    PERSON_PARTICLES,
    PLACE_WORDS,
    PREPOSITIONS,
    PRONOUNS,
    TITLES,
    WEEKDAYS,
    WORDS_AS_FIRST_NAMES,
)
from knowledge.rules.morphology import head_word, is_plural, parts_of_speech, singular

_PERSON_SUFFIX = re.compile(
    r"(?:..er|..or|ist|..ian|eer|man|woman|person|ant|ee|ess|wright|smith|path|naut)$"
)
_ANT_EE = re.compile(r"(?:ant|ee|ess|path)$")
_PEOPLE_IN_ANT_EE = re.compile(
    r"(?:assistant|consultant|accountant|attendant|applicant|participant|inhabitant|descendant|immigrant|"
    r"lieutenant|merchant|servant|claimant|informant|occupant|tenant|employee|trainee|trustee|nominee|"
    r"mentee|attendee|appointee|interviewee|licensee|referee|refugee|waitress|actress|hostess|duchess|"
    r"princess|empress|goddess|seamstress|osteopath|homeopath|psychopath)$"
)
_NAME_WORD = re.compile(r"(?:[A-Z]\.)+|[A-ZÀ-ÖØ-Þ][\w'’.-]*")
_CAPITALISED = r"[A-ZÀ-ÖØ-Þ0-9][\w'’&./-]*\w|(?:[A-ZÀ-ÖØ-Þ]\.)+|[A-ZÀ-ÖØ-Þ0-9]"
_NAME_SPAN = re.compile(
    rf"(?:[A-ZÀ-ÖØ-Þ][\w'’&./-]*\w|[A-ZÀ-ÖØ-Þ]\.?)"
    rf"(?:\s(?:(?:{_CAPITALISED})|(?:of the|of|and|for the|for|de la|de|van der|van|von|der|del|di|da|bin|al)"
    rf"(?=\s[A-ZÀ-ÖØ-Þ]))(?!\w))*"
)


@lru_cache(maxsize=20_000)
def is_person_noun(noun_phrase: str) -> bool:
    """True if a common noun names people: "mother", "head of research", "project managers", "father-in-law".

    Kinship, roles and offices come from a list; occupations by their ending ("-er", "-or", "-ist", "-ian"),
    less the things that end likewise ("computer", "river").
    """
    head = singular(head_word(noun_phrase)).lower().removeprefix("co-").removeprefix("vice-")
    head = re.sub(r"-(?:in|at|of)-\w+$", "", head)  # editor-in-chief
    if head in PERSON_NOUNS:
        return True
    if head in NOT_PERSON_NOUNS or head in MONTHS or not _PERSON_SUFFIX.search(head):
        return False
    if _ANT_EE.search(head):
        return bool(_PEOPLE_IN_ANT_EE.search(head))
    # "-er" and "-or" count only where they make an agent of a verb ("designer") or of a known occupation.
    return bool(parts_of_speech(head).get("NOUN")) or "-" in head


def looks_like_person_name(name: str) -> bool:
    """True for two to five capitalised words that read like a person ("Mara Lind", "J. R. R. van Dam").

    Names whose words say what else they are ("Project Atlas", "Bergen Museum") and names made of common
    English words alone ("Annual Report") do not look like a person.
    """
    before, _, after = name.partition(", ")
    if after and after.rstrip(".") not in ("Jr", "Sr", "PhD", "MD"):  # "Portland, Oregon"
        return False
    words = before.split()
    if words and words[0].lower().rstrip(".") in TITLES - {"king", "queen"} and len(words) > 1:
        return words[-1].lower() not in NON_PERSON_NAME_WORDS and all(
            _NAME_WORD.fullmatch(word) or word.lower() in PERSON_PARTICLES for word in words[1:]
        )
    if not 2 <= len(words) <= 5 or not _NAME_WORD.fullmatch(words[0]) or not _NAME_WORD.fullmatch(words[-1]):
        return False
    if any(re.search(r"\d|&", word) or (len(word) > 2 and word.isupper()) for word in words):
        return False
    if any(not _NAME_WORD.fullmatch(word) and word.lower() not in PERSON_PARTICLES for word in words):
        return False
    if any(word.lower().strip(".") in NON_PERSON_NAME_WORDS for word in words):
        return False
    if any(word.lower().strip(".") in PLACE_WORDS for word in words[:-1]):
        return False
    if words[-1].lower() in NUMBER_WORDS | ORDINALS:
        return False
    if len(words[-1]) > 6 and is_plural(words[-1]) and parts_of_speech(words[-1].lower()):
        return False
    if words[0].lower() in WORDS_AS_FIRST_NAMES:
        return True
    return not all(_is_common_word(word) for word in words if word.lower() not in PERSON_PARTICLES)


@lru_cache(maxsize=20_000)
def _is_common_word(word: str) -> bool:
    return len(word) > 2 and bool(parts_of_speech(word))


def looks_like_organisation(name: str) -> bool:
    """True if the name says that it is a group of people: "Finance Team", "Nordlys AS", "Bergen Museum"."""
    words = [word.strip(".,").lower() for word in name.split()]
    before_of = words[: words.index("of")] if "of" in words else words
    return bool(before_of) and (before_of[-1] in ORGANISATION_WORDS or words[-1] in ORGANISATION_WORDS)


def looks_like_place(name: str) -> bool:
    """True if the name says that it is a place: "Lake Como", "Harbour Street", "the Bergen site"."""
    words = [word.strip(".,").lower() for word in name.split()]
    return any(word in PLACE_WORDS for word in (words[:1] + words[-1:]))


def is_place_noun(noun_phrase: str) -> bool:
    """True if a common noun names a kind of place: "city", "head office", "birthplace"."""
    return singular(head_word(noun_phrase)).lower() in PLACE_WORDS


def name_spans(text: str) -> list[tuple[int, int]]:
    """Offsets of capitalised names: "Mara Lind", "University of Oslo", "Project Atlas".

    A single capitalised word at the start of a sentence counts only where it is not an ordinary word.
    """
    spans = []
    for match in _NAME_SPAN.finditer(text):
        start, end = match.span()
        if match.group().lower() in DETERMINERS | PRONOUNS | PREPOSITIONS:
            continue
        at_start = not text[:start].strip() or text[:start].rstrip()[-1:] in ".!?:\n"
        first, _, rest = match.group().partition(" ")
        if at_start and (_is_common_word(first) or len(first) <= 2) and first.lower() not in MONTHS:
            if not rest or not rest[0].isupper():
                continue
            if first.lower() in ("the", "a", "an", "in", "on", "at", "for", "by", "from"):
                start += len(first) + 1
        if text[start:end].lower() in WEEKDAYS:
            continue
        spans.append((start, end))
    return spans
