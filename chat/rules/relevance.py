"""Whether a sentence answers the question that it was given for.

A MEMORY that does not know where somebody lives may tell something else about them. So an answer has to speak
of what is asked (its verb or relation, in some wording of it) and a value has to fit the question word.
"""

from __future__ import annotations

import re
from functools import lru_cache

from chat.rules.alternatives import MEASURED, SYNONYMS, agents_of, verb_of
from chat.rules.frames import parse_question
from chat.rules.phrases import NounPhrase, Question
from knowledge.rules.english import (
    find_dates,
    head_word,
    is_person_noun,
    is_place_noun,
    looks_like_person_name,
    parts_of_speech,
    singular,
)
from knowledge.rules.lexicon import (
    BE_FORMS,
    DO_FORMS,
    HAVE_FORMS,
    MEASURES,
    MODALS,
    MONTHS,
    NUMBER_WORDS,
    PARTICLES,
    PLACE_WORDS,
    PREPOSITIONS,
    PRONOUNS,
    SUBORDINATORS,
    TIME_NOUNS,
    TIME_UNITS,
    WEEKDAYS,
    WEEKDAYS_PLURAL,
    words,
)
from knowledge.rules.property_wordings import PARAPHRASES

_AUXILIARIES = BE_FORMS | DO_FORMS | HAVE_FORMS | MODALS
#: Verbs that say too little to be asked for again: "takes place in" is "is held in".
_LIGHT_VERBS = words(
    "be do have take get go come give put hold happen occur become call name mean describe know say tell see"
)
#: Participles that only say "is (somewhere)".
_STANDING = words("locate base situate place find station house seat")
#: Words of which one tells the same as another.
_SAME_MATTER = (
    words("live reside dwell home hometown residence address inhabitant resident inhabit settle"),
    words("found establish create start set foundation launch begin"),
    words("buy acquire purchase takeover acquisition"),
    words("make build produce manufacture construct create develop production"),
    words("join hire recruit employ work start"),
    words("work employ serve job occupation profession position employer"),
    words("lead manage head run direct chair boss charge responsible report oversee supervise superior"),
    words("die death dead kill"),
    words("bear born birth birthplace birthday native"),
    words("marry married husband wife spouse marriage wedding"),
    words("own belong possess property"),
    words("begin start open commence launch opening found"),
    words("end finish close stop complete expire completion"),
    words("write author compose"),
    words("pay fund sponsor finance"),
    words("supply provide deliver sell"),
    words("repair fix maintain service"),
    words("solve resolve fix settle"),
    words("study graduate attend degree"),
    words("cost price charge fee"),
    words("weigh weight heavy"),
    words("last duration long life run"),
    words("measure length long tall height size"),
    words("teach instruct instructor train"),
    words("need require"),
    words("affect hit concern disrupt"),
)
_PLACE_BEFORE = words("in at near on outside inside within beside opposite under above to from around into")
_FEASTS = words("christmas easter midsummer whitsun pentecost ramadan advent hanukkah thanksgiving")
_TIME_WORDS = (
    TIME_NOUNS | WEEKDAYS | WEEKDAYS_PLURAL | frozenset(MONTHS) | _FEASTS
    | words("daily weekly monthly yearly annually once twice always never now ago soon immediately")
)  # fmt: skip
_TIME_CLAUSES = SUBORDINATORS & words("when whenever while until since after before once as") | {"during"}
_AMOUNT_WORDS = (
    NUMBER_WORDS | TIME_UNITS
    | words("several few many much none free nothing all both indefinitely forever once twice")
)  # fmt: skip
_MEASURING = words("many much long old tall high wide deep heavy far")
_WORD = re.compile(r"[^\W_]+(?:[-][^\W_]+)*")


def speaks_of(question: str, sentence: str) -> bool:
    """Does the sentence carry what the question asks for, in this or in another wording?"""
    reading = parse_question(question.rstrip("?. "))
    verb = asked_verb(reading)
    if verb:
        return _carries(sentence, verb)
    noun = asked_noun(reading)
    return not is_person_noun(noun) or _carries(sentence, singular(noun).lower())


def fits(question: str, sentence: str, value: str) -> bool:
    """Can the value, read out of the sentence, answer the question word?"""
    reading = parse_question(question.rstrip("?. "))
    word, noun = reading.word, singular(reading.noun or asked_noun(reading)).lower()
    if word == "when" or (word in ("what", "which") and noun in TIME_UNITS | {"date"}):
        return _is_time(value)
    if word == "how many":
        is_counted = bool(noun) and _carries(sentence, noun)
        return is_counted or (_is_amount(value) and not _is_only_date(value))
    if word.startswith("how"):
        return word.split()[-1] not in _MEASURING or _is_amount(value)
    if word == "where" or is_place_noun(noun):
        return _may_be_place(value, sentence)
    if word in ("what", "which") and head_word(noun) in MEASURES and not reading.noun:
        return _is_amount(value)
    return word not in ("who", "whom", "whose") or not _is_circumstance(value)


def asked_verb(reading: Question) -> str:
    """The verb that a question asks with, as written; empty where a form of "be" is all there is."""
    if reading.kind != "plain" or not reading.wh or reading.template[:1] != (reading.wh,):
        return ""
    for part in reading.template[1:]:
        for word in part.split() if isinstance(part, str) else ():
            if _may_be_main_verb(word):
                return word.lower() if _is_weighty(word, reading) else ""
            if word.lower() in PREPOSITIONS:
                return ""
    return ""


def _may_be_main_verb(word: str) -> bool:
    is_small = word.lower() in _AUXILIARIES | PREPOSITIONS | PARTICLES | PRONOUNS
    return not is_small and "VERB" in parts_of_speech(word)


def _is_weighty(verb: str, reading: Question) -> bool:
    lemmas = {*parts_of_speech(verb)["VERB"]}
    is_standing = lemmas & _STANDING and _word_after(reading) in BE_FORMS | MODALS
    return not (lemmas & _LIGHT_VERBS or is_standing)


def _word_after(reading: Question) -> str:
    """The word after the question word: an auxiliary, or the verb itself."""
    second = reading.template[1] if len(reading.template) > 1 else ""
    return second.split()[0].lower() if isinstance(second, str) and second else ""


def asked_noun(reading: Question) -> str:
    """The relation in "Who is the R of X?"; empty for other questions."""
    subject = reading.subject if reading.kind == "identity" else None
    while isinstance(subject, NounPhrase) and subject.genitive and _is_naming(subject.noun):
        subject = subject.genitive
    return subject.noun if subject and subject.genitive and not subject.clauses else ""


def _is_naming(noun: str) -> bool:
    return singular(noun.lower()) in ("name", "full name", "identity")


# The matter of a question in other words


def _carries(sentence: str, asked: str) -> bool:
    related = _related(asked)
    said = [word.lower() for word in _WORD.findall(sentence)]
    if any(_bases(word) & related for word in said):
        return True
    return any(_is_derived(word, head_word(asked)) for word in said)


@lru_cache(maxsize=10_000)
def _related(asked: str) -> frozenset[str]:
    """What tells of the same as a verb or a relation noun: "founder" for "found", "report" for "boss"."""
    near = {head_word(asked), *_bases(head_word(asked))}
    near |= {agent for verb in near for agent in agents_of(verb)} | {MEASURED.get(word, "") for word in near}
    for noun, templates in _told_as().items():
        if asked == noun or near & templates:
            near |= templates | {head_word(noun)}
    matters = [matter for matter in _SAME_MATTER if matter & near]
    return frozenset(near.union(*matters)) - {""}


@lru_cache(maxsize=1)
def _told_as() -> dict[str, frozenset[str]]:
    """Relation nouns with the weighty words of the questions that ask for the same."""
    texts = {noun: [*PARAPHRASES.get(noun, ()), *SYNONYMS.get(noun, ())] for noun in PARAPHRASES | SYNONYMS}
    return {
        noun: _weighty_words(" ".join(templates)) | _bases(head_word(noun))
        for noun, templates in texts.items()
    }


def _weighty_words(text: str) -> frozenset[str]:
    plain = [word for word in _WORD.findall(text.lower()) if _may_be_main_verb(word)]
    return frozenset(base for word in plain for base in _bases(word)) - _LIGHT_VERBS - _STANDING


@lru_cache(maxsize=50_000)
def _bases(word: str) -> frozenset[str]:
    lemmas = {lemma for lemmas in parts_of_speech(word).values() for lemma in lemmas}
    agent = verb_of(singular(word)) if word else ""
    return frozenset({word, singular(word), agent, *lemmas}) - {""}


def _is_derived(word: str, asked: str) -> bool:
    """ "maintenance" of "maintain", "coordination" of "coordinate": the same beginning, long enough."""
    stem = asked.rstrip("e")[:5]
    return len(stem) >= 4 and word.startswith(stem)


# What fits a question word


def _is_time(value: str) -> bool:
    said = [word.lower() for word in _WORD.findall(value)]
    is_clause = bool(said) and said[0] in _TIME_CLAUSES
    return bool(find_dates(value)) or is_clause or any(char.isdigit() for char in value) or any(
        word in _TIME_WORDS or singular(word) in _TIME_WORDS for word in said
    )  # fmt: skip


def _is_amount(value: str) -> bool:
    said = [word.lower() for word in re.findall(r"[^\W_]+", value)]
    has_word = any(word in _AMOUNT_WORDS or singular(word) in _AMOUNT_WORDS for word in said)
    return has_word or any(char.isdigit() for char in value)


def _is_circumstance(value: str) -> bool:
    """A time, a number or "in Oslo": nothing that anybody is called."""
    is_placed = value.split()[0].lower() in _PLACE_BEFORE if value else False
    return is_placed or all(word[0].isdigit() for word in _besides_dates(value))


def _is_only_date(value: str) -> bool:
    return bool(find_dates(value)) and not _besides_dates(value)


def _besides_dates(value: str) -> list[str]:
    """The words of a value that are neither part of a date nor prepositions."""
    for date in find_dates(value):
        value = value.replace(date.text, " ")
    return [word for word in _WORD.findall(value) if word.lower() not in PREPOSITIONS]


def _may_be_place(value: str, sentence: str) -> bool:
    """Not a date, and no person's name unless the sentence speaks of a place."""
    if _is_only_date(value):
        return False
    if not looks_like_person_name(value):
        return True
    before = sentence.partition(value)[0].lower().split()
    says_place = any(singular(word) in PLACE_WORDS for word in _WORD.findall(sentence.lower()))
    return says_place or bool({*before[-1:]} & _PLACE_BEFORE)
