"""What is left of a sentence when the words of the question are taken away."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from itertools import takewhile

from chat.protocol.mentions import names_in
from chat.rules.relevance import senses
from chat.rules.sought import Sought, fitting, is_date_phrase, names_time, number_in, without_preposition
from chat.rules.word_forms import WORD, content_words, forms, words_of
from knowledge.rules.english import (
    find_dates,
    is_person_noun,
    parts_of_speech,
    split_list,
    verb_readings,
)
from knowledge.rules.lexicon import (
    ARTICLES,
    BE_FORMS,
    DO_FORMS,
    PREPOSITIONS,
)

_EDGES = frozenset({"and", "that", "which", "who", "whose", "as", "has", "have", "had", "been", "'s", "’s"})
_LOOSE_ENDS = frozenset({"of", "at", "by", "in", "on", "to", "for", "with", "from", "as"})


def left_over(question: str, sentence: str, sought: Sought) -> list[str]:
    """The values in the stretch of the sentence that the question does not repeat and that fits it best."""
    if names_another_relation(question, sentence):
        return []
    runs = _runs(sentence, _marked(question, sentence, sought))
    best = max(runs, key=lambda run: _fitness(run, sought), default="")
    if not best:
        return []
    best = _without_verbs(best, sentence.partition(best)[0], sought)
    before, _, after = sentence.partition(best)
    return fitting(best, sought, plural=_is_plural_subject(before, best, after))


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
    for match in sorted(WORD.finditer(sentence), key=lambda found: found[0] not in asked):
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
    return [run for run in runs if WORD.search(run)]


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
            else _without_edges(without_preposition(rest) if is_named else rest)
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
        return 3 if is_dated else 2 * (first in PREPOSITIONS) + names_time(run)
    if sought.kind in ("how many", "how much"):
        return 3 * bool(number_in(run))
    if sought.kind == "where":
        return 2 * (first in PREPOSITIONS and not is_date_phrase(run)) + any(map(str.isupper, run))
    score = 2 * any(map(str.isupper, run)) if sought.kind == "who" else 1
    return score - 2 * (first in PREPOSITIONS and first != "by") - 2 * (is_dated and is_date_phrase(run))


def _is_plural_subject(before: str, run: str, after: str) -> bool:
    """Several names, or a subject whose verb is in the plural."""
    verb = after.split()[0].lower() if after.split() else ""
    items = split_list(without_preposition(run))
    if len(items) < 2:
        return False
    if not before.strip() and verb and (verb in ("are", "were", "have") or "VERB" in parts_of_speech(verb)):
        return verb not in ("is", "was", "has") and not verb.endswith("s")
    return all(item[:1].isupper() or item.startswith("the ") for item in items)


def names_another_relation(question: str, sentence: str) -> bool:
    """Asked for the mother of X and told the father of X: no answer, though it is about X."""
    asked = re.search(r"\b(?:is|are|was|were) the ([\w -]+?) of ", question)
    told = re.match(r"The ([\w -]+?) of .+? (?:is|are|was|were) ", sentence)
    if not (asked and told):
        return False
    return not forms(asked[1].split()[-1]) & forms(told[1].split()[-1])
