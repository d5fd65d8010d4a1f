"""Reads the values out of MEMORY's answer, a full sentence, given the sub-query that it answers.

Three ways, in this order: the two sides of a form of "be" when one of them repeats the question; else the
sentence less the words of the question; and in both cases the part that fits the question word.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile

from chat.protocol.mentions import names_in
from chat.rules.fitness import fits
from chat.rules.frames import parse_question
from chat.rules.relevance import senses, speaks_of_what_was_asked
from chat.rules.word_forms import content_words, forms, words_of
from knowledge.rules.english import (
    find_dates,
    is_person_noun,
    looks_like_person_name,
    parts_of_speech,
    singular,
    split_list,
    strip_article,
    verb_readings,
)
from knowledge.rules.lexicon import (
    ARTICLES,
    BE_FORMS,
    DO_FORMS,
    PREPOSITIONS,
    SMALL_NUMBERS,
    TIME_NOUNS,
    TIME_UNITS,
)

_WORD = re.compile(r"[\w€$£¥][\w'’.,:&/+%-]*\w%?|[\w%]")
_BE = re.compile(r"\s(is|are|was|were)\s")
_WH = re.compile(
    r"^(?:(?P<preposition>\w+) )?(?P<word>who|whom|whose|what|which|where|when|why|how many|how much|how \w+)\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\d[\d.,]*\d|\d")
_AMOUNT = re.compile(r"[€$£¥]?\d[\d.,]*(?: (?!in\b|on\b|at\b|for\b|and\b|to\b|by\b)[\w€$£¥%]+){0,3}")
#: "What is the name of the skipper of X?" asks for the skipper.
_NAMING = re.compile(r"(?<=^What )(?P<be>is|are|was|were) the (?:full )?names? of ")
_EDGES = frozenset({"and", "that", "which", "who", "whose", "as", "has", "have", "had", "been", "'s", "’s"})
_LOOSE_ENDS = frozenset({"of", "at", "by", "in", "on", "to", "for", "with", "from", "as"})
_QUESTION_WORDS = frozenset({"who", "what", "which", "when", "where", "how"})
_FUNCTION_WORDS = BE_FORMS | DO_FORMS | ARTICLES | _QUESTION_WORDS | {"of"}


@dataclass(frozen=True)
class Sought:
    """What kind of value a question asks for: "who", "when", "where", "how many" or "what"."""

    kind: str
    noun: str


@lru_cache(maxsize=20_000)
def values_of(question: str, answer: str) -> tuple[str, ...]:
    """The values in an answer, in its order and without repetition; empty where it holds none.

    Lists are split only where the sentence tells that it is one: "are", or several names. A count is given
    as written, so that "How many ..." yields one number when the answer states it, else the things listed.
    A sentence that speaks of something else than the question holds none. What is asked without a question
    word is answered by the sentence as a whole.
    """
    sentence = " ".join(answer.split()).rstrip(".!").strip()
    question = _NAMING.sub("", question)
    sought = what_is_sought(question)
    if not sought.kind:
        return (sentence,) if sentence else ()
    if not speaks_of_what_was_asked(question, sentence):
        return ()
    found = _described(question, sentence, sought) or _holder(question, sentence, sought)
    if found is None:
        found = _across_be(question, sentence, sought)
    if found is None:
        found = _left_over(question, sentence, sought)
    values = dict.fromkeys(value for value in map(_trimmed, found) if value)
    return tuple(
        value for value in values if fits(question, sentence, value) and not _is_echo(question, value)
    )


def _is_echo(question: str, value: str) -> bool:
    """ "The manager of X is X" tells nothing: a value that only repeats the question is none."""
    bare = strip_article(value)
    if not value.islower():
        return f" {bare} " in f" {question.rstrip('?')} " and " or " not in question
    said = [forms(word) for word in words_of(bare)]
    asked = [senses(word) for word in words_of(question)]
    return bool(said) and all(any(word & other for other in asked) for word in said)


def what_is_sought(question: str) -> Sought:
    """The kind of value that a question asks for, from its question word and the noun with it."""
    reading = parse_question(question.rstrip("?. "))
    word, noun = reading.word.partition(" ")[0], reading.noun.lower()
    if word in ("whom", "whose") or (word in ("what", "which") and is_person_noun(noun)):
        return Sought("who", noun)
    if word in ("what", "which") and singular(noun) in TIME_UNITS | {"date"}:
        return Sought("when", noun)
    if reading.word in ("how many", "how much"):
        is_amount = "how much" in question.lower() and not noun
        return Sought("how much" if is_amount else "how many", noun)
    return Sought(word, noun)


# Either side of "be"


def _described(question: str, sentence: str, sought: Sought) -> list[str] | None:
    """ "The barge whose skipper is X is Y", whatever kind of thing the question asked for: Y."""
    told = re.match(r"The [\w -]+? (?:whose|that|who) ", sentence)
    if not told:
        return None
    asked = question.casefold()
    for be in _BE.finditer(sentence, told.end()):
        again = next((b for b in _BE.finditer(sentence, be.end())), None)
        if again is None:
            break
        shared, holder = sentence[be.end() : again.start()], sentence[again.end() :]
        if shared.casefold() in asked:
            return _fitting(holder, sought, plural=again[1] in ("are", "were"))
        if strip_article(holder).casefold() in asked:  # asked who teaches Y: the one whom Y has as teacher
            return _fitting(shared, sought, plural=be[1] in ("are", "were"))
    return None


def _holder(question: str, sentence: str, sought: Sought) -> list[str] | None:
    """Asked "What weighs 9 kilograms?" and told "The weight of X is 9 kilograms": X has that weight."""
    told = re.fullmatch(r"The [\w -]+? of (?P<owner>.+?) (?:is|was|are|were) (?P<value>.+)", sentence)
    if not told or sought.kind in ("when", "where", "how"):
        return None
    is_asked_by_value = told["value"].casefold() in question.casefold()
    if not is_asked_by_value or told["owner"].casefold() in question.casefold():
        return None
    return [told["owner"]]


def _across_be(question: str, sentence: str, sought: Sought) -> list[str] | None:
    """The other side, where one side of "is" repeats every word that the question asks with."""
    wanted = _content(question, sought)
    for be in _BE.finditer(sentence):
        left, right = sentence[: be.start()], sentence[be.end() :]
        if _covers(left, wanted):
            return _fitting(right, sought, plural=be[1] in ("are", "were"))
        if _covers(right, wanted):
            return _fitting(left, sought, plural=be[1] in ("are", "were"))
    return _of_the_property(question, sentence, sought)


def _of_the_property(question: str, sentence: str, sought: Sought) -> list[str] | None:
    """Asked "Who founded X?" and told "The founder of X is ...": what follows is the value."""
    names = names_in(question)
    told = re.match(r"The [\w -]+? of (?P<owner>.+?) (?P<be>is|are|was|were) (?P<value>.+)$", sentence)
    if not names or not told or _names_another_relation(question, sentence):
        return None
    if any(name not in told["owner"] or name in told["value"] for name in names):
        return None
    return _fitting(told["value"], sought, plural=told["be"] in ("are", "were"))


def _content(question: str, sought: Sought) -> list[frozenset[str]]:
    opening = _WH.match(question)
    rest = question[opening.end() :] if opening else question
    words = [word for word in words_of(rest) if word.lower() not in _FUNCTION_WORDS | PREPOSITIONS]
    if words and words[0].lower() == sought.noun:
        words = words[1:]
    return [forms(word) for word in words]


def _covers(text: str, wanted: list[frozenset[str]]) -> bool:
    available = [forms(word) for word in words_of(text)]
    return bool(wanted) and all(any(word & other for other in available) for word in wanted)


# What is left when the question's words are taken away


def _left_over(question: str, sentence: str, sought: Sought) -> list[str]:
    if _names_another_relation(question, sentence):
        return []
    runs = _runs(sentence, _marked(question, sentence, sought))
    best = max(runs, key=lambda run: _fitness(run, sought), default="")
    if not best:
        return []
    best = _without_verbs(best, sentence.partition(best)[0], sought)
    before, _, after = sentence.partition(best)
    return _fitting(best, sought, plural=_is_plural_subject(before, best, after))


def _marked(question: str, sentence: str, sought: Sought) -> list[tuple[int, int]]:
    """Spans of the sentence that repeat the question: its names as wholes, its other words once each."""
    spans, rest = [], question
    for name in names_in(question):
        found = re.search(rf"(?<!\w){re.escape(name)}(?!\w)", sentence)
        if found:
            spans.append(found.span())
            rest = rest.replace(name, " ", 1)
    left = Counter((forms(word), _acts(word)) for word in words_of(rest))
    asked = set(content_words(rest))
    # A word as it stands in the question goes before one that only has the same root: "buoy" before "Buoy".
    for match in sorted(_WORD.finditer(sentence), key=lambda found: found[0] not in asked):
        if any(start <= match.start() < end for start, end in spans):
            continue
        is_asked_for = any(forms(match[0]) & forms(word) for word in sought.noun.split()) and (
            _is_part_of_name(match, sentence) or _is_part_of_compound(match, sentence, left)
        )
        repeated = next((word for word in left if left[word] and _repeats(match[0], *word)), None)
        if repeated and not is_asked_for:
            left[repeated] -= 1
            spans.append(match.span())
    return sorted(spans)


def _is_part_of_name(word: re.Match[str], sentence: str) -> bool:
    """ "Project" in "Project Atlas" and "office" in "the Bergen office" belong to the value."""
    before = sentence[: word.start()].split()[-1:]
    return word[0][0].isupper() or bool(
        before and before[0][0].isupper() and before[0].lower() not in ARTICLES
    )


def _repeats(said: str, asked: frozenset[str], acts: frozenset[str]) -> bool:
    """Is it the asked word itself, or, unless it stands in a name, what somebody in that role does?"""
    return bool(forms(said) & asked) or (said.islower() and bool(forms(said) & acts))


def _acts(noun: str) -> frozenset[str]:
    """What somebody in a role does: "leads" repeats "leader"."""
    return senses(noun) if is_person_noun(noun.lower()) else frozenset()


def _is_part_of_compound(
    word: re.Match[str], sentence: str, asked: Iterable[tuple[frozenset[str], frozenset[str]]]
) -> bool:
    """ "incident" in "the certificate incident", where the question speaks of incidents only."""
    before = words_of(sentence[: word.start()])[-2:]
    if len(before) < 2 or before[0].lower() not in ARTICLES:
        return False
    return "NOUN" in parts_of_speech(before[1].lower()) and not any(
        forms(before[1]) & each for each, _ in asked
    )


def _runs(sentence: str, marked: list[tuple[int, int]]) -> list[str]:
    """The stretches between marked spans, without the small words at their edges."""
    runs, start = [], 0
    for begin, end in [*marked, (len(sentence), len(sentence))]:
        runs.append(_without_edges(sentence[start:begin]))
        start = max(start, end)
    return [run for run in runs if _WORD.search(run)]


def _without_edges(run: str) -> str:
    words = run.strip(" ,;:.").removeprefix("'s").removeprefix("’s").strip(" ,;:").split()
    while words and words[0].lower() in _EDGES | BE_FORMS:
        words.pop(0)
    while words and words[-1].lower() in _EDGES | BE_FORMS | DO_FORMS | ARTICLES | _LOOSE_ENDS:
        words.pop()
    return " ".join(words).strip(" ,;:")


def _without_verbs(run: str, before: str, sought: Sought) -> str:
    """What a sentence in other words than the question's says besides the value.

    "reports to Mara Lind" after a name is Mara Lind, "Mara Lind founded" is she too, "its office in Oslo" is
    in Oslo.
    """
    first, _, rest = run.partition(" ")
    if rest and before[:1].isupper() and before.split()[-1][:1].isupper() and _is_finite(first):
        is_named = sought.kind == "who" and rest.split()[0].lower() in ("to", "for")
        run = (
            rest
            if sought.kind == "where"
            else _without_edges(_without_preposition(rest) if is_named else rest)
        )
    if sought.kind == "who" and run[:1].isupper():
        kept = list(takewhile(lambda word: not _is_finite(word), run.split()))
        run = " ".join(kept) or run
    if sought.kind == "where":
        run = re.sub(r"^[^A-Z]*?\b((?:in|at|near) (?:the )?[A-Z])", r"\1", run)
    return run


def _is_finite(word: str) -> bool:
    """A verb as it stands after a subject: "founded", "is", "reports"."""
    tags = {tag for _, tag in verb_readings(word)} if word.islower() else set()
    return bool(tags & {"VBZ", "VBD"})


def _fitness(run: str, sought: Sought) -> int:
    first = run.split()[0].lower()
    is_dated = bool(find_dates(run))
    if sought.kind == "when":
        return 3 if is_dated else 2 * (first in PREPOSITIONS) + _names_time(run)
    if sought.kind in ("how many", "how much"):
        return 3 * bool(_number_in(run))
    if sought.kind == "where":
        return 2 * (first in PREPOSITIONS and not _is_date_phrase(run)) + any(map(str.isupper, run))
    score = 2 * any(map(str.isupper, run)) if sought.kind == "who" else 1
    return score - 2 * (first in PREPOSITIONS and first != "by") - 2 * (is_dated and _is_date_phrase(run))


def _is_plural_subject(before: str, run: str, after: str) -> bool:
    """Several names, or a subject whose verb is in the plural."""
    verb = after.split()[0].lower() if after.split() else ""
    items = split_list(_without_preposition(run))
    if len(items) < 2:
        return False
    if not before.strip() and verb and (verb in ("are", "were", "have") or "VERB" in parts_of_speech(verb)):
        return verb not in ("is", "was", "has") and not verb.endswith("s")
    return all(item[:1].isupper() or item.startswith("the ") for item in items)


def _names_another_relation(question: str, sentence: str) -> bool:
    """Asked for the mother of X and told the father of X: no answer, though it is about X."""
    asked = re.search(r"\b(?:is|are|was|were) the ([\w -]+?) of ", question)
    told = re.match(r"The ([\w -]+?) of .+? (?:is|are|was|were) ", sentence)
    if not (asked and told):
        return False
    return not forms(asked[1].split()[-1]) & forms(told[1].split()[-1])


# The part that fits the question word


def _fitting(text: str, sought: Sought, *, plural: bool) -> list[str]:
    if sought.kind == "when":
        return [_year_in(text) if sought.noun == "year" else _time_in(text)]
    if sought.kind == "where":
        text = _without_date(text)
        return split_list(_without_preposition(text), plural=plural or _is_name_list(text))
    if sought.kind == "how much" and (amount := _AMOUNT.search(text)):
        return [amount[0]]
    if sought.kind == "how many" and (number := _number_in(text)):
        return [number]
    text = _without_preposition(text) if text.lower().startswith("by ") else text
    if sought.kind == "who":
        text = _without_adjuncts(re.sub(r"^(?:to|for) (?=[A-ZÀ-Þ])", "", text))
    items = split_list(text, plural=True)
    are_people = len(items) > 1 and all(map(looks_like_person_name, items))
    return items if plural or are_people else [text]


def _time_in(text: str) -> str:
    dates = find_dates(text)
    if not dates:
        return _without_preposition(text)
    if len(dates) == 2 and re.fullmatch(
        r"\s(?:to|until|till|and|–|-)\s", text[dates[0].end : dates[1].start]
    ):
        return text[dates[0].start : dates[1].end]
    return dates[0].text


def _year_in(text: str) -> str:
    years = [date.year for date in find_dates(text) if date.year]
    return str(years[0]) if years else _time_in(text)


def _names_time(text: str) -> bool:
    return any(singular(word.lower()) in TIME_NOUNS or word[0].isdigit() for word in words_of(text))


def _without_date(text: str) -> str:
    """ "in Oslo on 3 May 1970" is "in Oslo"; a text that is nothing but a date stays."""
    for date in find_dates(text):
        shorter = re.sub(rf",?\s*(?:\b(?:on|in|since|from)\s+)?{re.escape(date.text)}", "", text).strip(" ,")
        text = shorter or text
    return text


def _is_date_phrase(text: str) -> bool:
    return bool(find_dates(text)) and not _WORD.search(
        _without_preposition(_without_date(text) if text else "")
    )


def _without_adjuncts(text: str) -> str:
    """A name and what follows it: "Mara Lind on 3 May" is "Mara Lind"."""
    names = names_in(text)
    if not names or not text.startswith(names[0]):
        return text
    rest = text[len(names[0]) :]
    following = rest.split()[0].lower() if rest.split() else ""
    return names[0] if following in PREPOSITIONS and rest[:1] == " " else text


def _without_preposition(text: str) -> str:
    first, _, rest = text.partition(" ")
    return rest if rest and first.lower() in PREPOSITIONS else text


def _is_name_list(text: str) -> bool:
    items = split_list(_without_preposition(text))
    return " and " in text and all(item[:1].isupper() for item in items)


def _number_in(text: str) -> str:
    dated = {date.text for date in find_dates(text) if date.month}
    numbers = [number for number in _NUMBER.findall(text) if not any(number in date for date in dated)]
    if numbers:
        return numbers[0]
    written = [word for word in re.findall(r"[a-z]+", text.lower()) if word in SMALL_NUMBERS]
    return str(SMALL_NUMBERS[written[0]]) if written else ""


def _trimmed(value: str) -> str:
    value = re.sub(r"^(The|A|An) ", lambda article: article[0].lower(), value.strip(" ,;"))
    is_plain_name = value.lower().startswith(("the ", "a ", "an ")) and not names_in(value)
    return strip_article(value) if is_plain_name else value
