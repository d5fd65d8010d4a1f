"""Drafts about properties: direct, implied, merged, reverse look-ups and clues that meet in one entity."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, islice

from knowledge.pipeline.types import Kind
from knowledge.rules.facts import Draft, norm
from knowledge.rules.index import LONGEST_LIST, CorpusIndex, Entry, Places
from knowledge.rules.property_wordings import (
    clue,
    described,
    property_answer,
    property_questions,
    reverse_answer,
    reverse_questions,
)

#: Wordings of a fact that is implied, not stated: fewer, for it is learned as a second view of a stated one.
IMPLIED_WORDINGS = 4
MERGED_PER_ENTITY = 2
CHOICES_TRIED = 20


def property_drafts(index: CorpusIndex) -> Iterator[Draft]:
    """Every draft that properties allow, over the whole corpus."""
    for entry in index.properties.values():
        if len(entry.values) <= LONGEST_LIST:
            yield _forward(index, entry)
    for entry in index.reverse.values():
        if (
            entry.stated
            and not _names_itself(entry)
            and len(entry.values) <= LONGEST_LIST
            and _is_telling(entry)
        ):
            yield _backward(index, entry)
    for entries in index.of_subject().values():
        stated = [entry for entry in entries if entry.stated and len(entry.values) <= LONGEST_LIST]
        yield from _merged([entry for entry in stated if entry.preposition == "of"])
        yield from _clues(index, entries)


def _forward(index: CorpusIndex, entry: Entry) -> Draft:
    group = entry.group()
    questions = property_questions(group, index.catalog)
    return Draft(
        fact=f"{norm(entry.subject)} | {entry.noun}",
        kind=Kind.DIRECT if entry.stated else Kind.INDIRECT,
        questions=tuple(questions if entry.stated else questions[:IMPLIED_WORDINGS]),
        answer=property_answer(group),
        support=entry.support,
        entity=entry.subject,
    )


def _names_itself(entry: Entry) -> bool:
    """Would the look-up name the entity that it asks for?"""
    return any(norm(name) in norm(entry.subject) for name in entry.values.values())


def _is_telling(entry: Entry) -> bool:
    """A property is looked up in reverse only by a value that can be said in a few words."""
    return len(entry.subject.split()) <= 8 and not entry.subject.casefold().startswith(("a ", "an "))


def _backward(index: CorpusIndex, entry: Entry) -> Draft:
    group = index.reverse_group(entry)
    return Draft(
        fact=f"{group.kind_noun} | {group.noun} = {norm(group.value)}",
        kind=Kind.ENTITY,
        questions=tuple(reverse_questions(group)),
        answer=reverse_answer(group),
        support=entry.support,
        entity=group.subjects[0] if not group.many else "",
    )


def _merged(entries: Sequence[Entry]) -> Iterator[Draft]:
    """Two properties of one entity in one question: attributes with attributes, relatives with relatives."""
    personal = [entry for entry in entries if entry.group().is_personal]
    others = [entry for entry in entries if not entry.group().is_personal]
    for kin in (personal, others):
        pairs = list(zip(kin[::2], kin[1::2], strict=False))
        for first, second in pairs[:MERGED_PER_ENTITY]:
            yield _merged_draft(first, second)


def _merged_draft(first: Entry, second: Entry) -> Draft:
    one, two = first.group(), second.group()
    who, subject = ("Who" if one.is_personal else "What"), first.subject
    be = "were" if one.past and two.past else "are"
    nouns = f"the {one.noun_form()} and the {two.noun_form()}"
    answer = f"{property_answer(one).rstrip('.')} and {_lower_first(property_answer(two))}"
    return Draft(
        fact=f"{norm(subject)} | {one.noun} + {two.noun}",
        kind=Kind.CONSOLIDATED,
        questions=(
            f"{who} {be} {nouns} of {subject}?",
            f"Can you tell me {who.lower()} {nouns} of {subject} {be}?",
        ),
        answer=answer,
        support=first.support + second.support,
        entity=subject,
    )


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


Clue = tuple[Entry, str]


def _clues(index: CorpusIndex, entries: Sequence[Entry]) -> Iterator[Draft]:
    """Two and three clues that only one entity meets: within one document, and across several."""
    kind = index.catalog.noun(entries[0].subject)
    clues = [
        (entry, value) for entry in entries for value in list(entry.values.values())[:1] if _is_short(value)
    ]
    # Attributes are shared by more entities than relatives are: joining them tells more.
    clues.sort(key=lambda each: each[0].group().is_personal)
    stated = [each for each in clues if each[0].stated]
    for size in (2, 3):
        within = (chosen for chosen in combinations(stated, size) if _share_document(chosen))
        yield from _first_unique(index, kind, within)
    yield from _first_unique(
        index, kind, (chosen for chosen in combinations(clues, 2) if not _share_document(chosen))
    )


def _is_short(value: str) -> bool:
    return len(value.split()) <= 8


def _share_document(chosen: Sequence[Clue]) -> bool:
    return bool(set.intersection(*({place.document_id for place in _places(each)} for each in chosen)))


def _places(chosen: Clue) -> Places:
    entry, value = chosen
    return tuple(entry.places[norm(value)])


def _first_unique(index: CorpusIndex, kind: str, choices: Iterator[Sequence[Clue]]) -> Iterator[Draft]:
    """The first choice that singles one entity out; few are tried, for most do."""
    for chosen in islice(choices, CHOICES_TRIED):
        draft = _clue_draft(index, kind, chosen)
        if draft is not None:
            yield draft
            return


def _clue_draft(index: CorpusIndex, kind: str, chosen: Sequence[Clue]) -> Draft | None:
    """A look-up by several clues, if they single one entity out and name it nowhere."""
    subject = chosen[0][0].subject
    holders = [set(index.holders(entry.noun, value, kind).values) for entry, value in chosen]
    if set.intersection(*holders) != {norm(subject)} or any(
        norm(subject) in norm(value) for _, value in chosen
    ):
        return None
    clues = [clue(entry.noun, value, entry.past) for entry, value in chosen]
    who, description = ("Who" if kind == "person" else "What"), described(kind, clues, False)
    return Draft(
        fact=f"{norm(subject)} < " + " & ".join(f"{entry.noun} = {norm(value)}" for entry, value in chosen),
        kind=Kind.ENTITY,
        questions=(f"{who} is the {description}?",),
        answer=f"The {description} is {subject}.",
        support=tuple(_places(each) for each in chosen),
        entity=subject,
    )
