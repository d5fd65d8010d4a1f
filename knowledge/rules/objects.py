"""What the parts of a clause can be asked about: amounts, places, agents, names inside other phrases."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from knowledge.rules import lexicon
from knowledge.rules.clause import Clause
from knowledge.rules.discourse import has_name, is_anchored
from knowledge.rules.english import is_person_noun, looks_like_place, singular
from knowledge.rules.facts import Action, Adjunct, Classification, Fact, Property, Verb
from knowledge.rules.phrases import NounPhrase
from knowledge.rules.tokens import word_tags
from knowledge.rules.verbs import Unreadable

_PERSONAL_PRONOUNS = (
    lexicon.SUBJECT_PRONOUNS
    | lexicon.POSSESSIVES
    | lexicon.words("him them me us himself herself itself themselves")
) - {"whose", "i"}


#: Verbs that say nothing without a certain phrase, and the preposition of it.
_COMPLEMENTS = {
    "base": ("on", "upon", "in", "at"),
    "refer": ("to",),
    "consist": ("of",),
    "depend": ("on", "upon"),
    "rely": ("on", "upon"),
    "belong": ("to",),
    "designate": ("as",),
    "regard": ("as",),
    "describe": ("as",),
    "classify": ("as", "in"),
    "define": ("as", "by"),
    "know": ("as", "for", "by"),
}


#: After "by" these say how or how much, not who did it.
_NO_AGENTS = lexicon.words(
    "name means way virtue vote majority percent margin year end time century decade beginning law order accident "
    "chance hand mistake "
    "default request appointment foot car bus train boat ship plane air sea land road mail post phone email"
)


#: Names with these words are languages, contests and bodies: something is in them, but not "where".
_NO_PLACES = lexicon.words(
    """
    english french german spanish latin greek italian russian arabic chinese japanese hebrew dutch portuguese hindi
    tennis league cup championship championships olympics games series army navy tour war trophy open act treaty
    division journal magazine house representatives senate assembly parliament congress lords commons creed
    century bc bce ad era olympiad olympiads
    """
)


_ORIGIN = re.compile(r"(?:an|ish|ese|ch|ic|German|Greek|Dutch)$")
_BARE = re.compile(
    r"\bthe (?:city |town |village |new |old |two |three |four |five |six )?([a-z]+)"
    r"(?=$|[,;.]| (?:in|on|at|after|before|and|is|was|that|which)\b"
    r"| (?:by|for|with|to|from)\b(?! (?:the )?[A-Z]))"
)
#: Of these there is one only, or the kind is meant.
_ONE_ONLY = lexicon.words(
    """
    world earth sun moon sea sky internet web public law economy environment past future present north south east
    west poor rich elderly young dead night day morning evening afternoon week month year weekend summer winter
    spring autumn beginning end middle time way same most other former first second third last rest ground air
    water
    """
)


def is_compound(phrase: NounPhrase) -> bool:
    """ "The finance team" says which team; "the distinctive structure" does not say which structure."""
    words = phrase.core.split()
    if len(words) < 2:
        return False
    tags = word_tags(words[-2])
    return (
        words[-2] in lexicon.CLASSIFYING_ADJECTIVES
        or words[-2].endswith("ing")
        or ("N" in tags and "J" not in tags)
    )


def without_pronouns(facts: list[Fact]) -> list[Fact]:
    """Refuse what still holds a pronoun, as in a relative clause: "the customer that taught us the most"."""
    for fact in facts:
        texts = [fact.subject, *(fact.values if isinstance(fact, Property) else ())]
        texts += [fact.phrase] if isinstance(fact, Classification) else []
        texts += [fact.object] if isinstance(fact, Action) else []
        for word in " ".join(texts).split():
            if word in _PERSONAL_PRONOUNS:
                raise Unreadable(f"“{word}” has no name before it")
    return facts


def acts(phrase: NounPhrase) -> bool:
    """Can this be an agent: a person or a group of people?"""
    noun = singular(phrase.head)
    return is_person_noun(noun) or noun in lexicon.ORGANISATION_WORDS


def with_rate(thing: NounPhrase | None, adjuncts: tuple[Adjunct, ...]) -> tuple[str, tuple[Adjunct, ...]]:
    """ "30,000 visitors every year" is one amount: without the rate it would be another."""
    if thing is None:
        return "", adjuncts
    rate = next((each for each in adjuncts if each.role == "frequency" or _is_rate(each)), None)
    if rate is None or not thing.counted:
        return thing.text, adjuncts
    return f"{thing.text} {rate.text}", tuple(each for each in adjuncts if each is not rate)


def with_field(
    words: str, thing: NounPhrase, adjuncts: tuple[Adjunct, ...]
) -> tuple[str, tuple[Adjunct, ...]]:
    """ "Covers research in psychotherapy": without its field the object would be too wide."""
    last = thing.flat()[-1]
    first = adjuncts[0] if adjuncts else None
    wide = last.kind == "common" and last.determiner in ("", "a", "an") and last.owner is None
    if (
        not wide
        or first is None
        or first.role != "other"
        or first.preposition not in ("in", "on", "within", "between")
    ):
        return words, adjuncts
    return f"{words} {first.text}", adjuncts[1:]


def _is_rate(adjunct: Adjunct) -> bool:
    return not adjunct.preposition and adjunct.text.split()[0] in ("a", "an")


def names_in(phrase: NounPhrase | None, inside: bool = False) -> Iterator[tuple[str, bool]]:
    """The names in a phrase, and whether each stands inside another noun phrase."""
    for item in phrase.flat() if phrase is not None else ():
        if item.kind == "name":
            yield item.text, inside
        yield from names_in(item.owner, True)
        for _, inner in item.modifiers:
            yield from names_in(inner, True)


def repeats(thing: NounPhrase, subject: NounPhrase) -> bool:
    """True for "X sold X's boat", which "X sold his boat" would become."""
    owners = [item.owner.text for item in thing.flat() if item.owner is not None]
    owner = [inner.text for _, inner in subject.modifiers] + ([subject.owner.text] if subject.owner else [])
    inside = [inner.owner.text for _, inner in thing.modifiers if inner.owner is not None]
    return subject.text in owners + inside or thing.text == subject.text or thing.text in owner


def is_clear(thing: NounPhrase | None) -> bool:
    """Can the object stand in a question without the subject that makes it clear?"""
    if thing is None:
        return False
    return all(
        item.kind in ("name", "number")
        or item.counted
        or is_anchored(item)
        or item.owner is not None
        or (item.determiner != "the" and (item.plural or len(item.text.split()) > 2 or not item.determiner))
        for item in thing.flat()
    )


def is_specific(thing: NounPhrase) -> bool:
    """ "A degree", "a number of options": one of many; "sails", "the test tank", "a yard in Skov" are not."""
    capitals = [word for word in thing.core.split() if word[:1].isupper()]
    bare = thing.kind == "common" and not thing.modifiers and thing.determiner in ("", "a", "an")
    if bare and capitals and all(map(_ORIGIN.search, capitals)):
        return False
    if thing.kind != "common" or thing.determiner not in ("a", "an") or is_anchored(thing):
        return True
    return any(char.isdigit() for char in thing.text)


def leans_on_context(text: str) -> bool:
    """ "The outlet of the pond": a noun with nothing but an article, so that only the text says which one."""
    return any(match.group(1) not in _ONE_ONLY for match in _BARE.finditer(text))


def counted_noun(thing: NounPhrase | None) -> str:
    """ "customers" of "300 customers", for a question with "how many"."""
    if (
        thing is None
        or thing.items
        or not thing.counted
        or not thing.plural
        or thing.kind != "common"
        or thing.determiner
    ):
        return ""
    noun = thing.core.split()[-1]
    return noun if thing.core.split()[-2:-1] and not has_name(thing.core) else ""


def role_of(preposition: str, phrase: NounPhrase) -> str:
    if preposition in lexicon.PLACE_PREPOSITIONS and preposition != "on":
        named = all(
            item.kind == "name" and not _NO_PLACES & set(item.text.lower().split()) for item in phrase.flat()
        )
        placed = all(_is_place(item) for item in phrase.flat())
        return "place" if placed or (named and preposition in ("in", "near", "at")) else "other"
    if preposition == "on" and all(_is_place(item) for item in phrase.flat()):
        return "place"
    return "agent" if preposition == "by" and singular(phrase.head) not in _NO_AGENTS else "other"


def _is_place(item: NounPhrase) -> bool:
    return singular(item.head) in lexicon.PLACE_WORDS or (item.kind == "name" and looks_like_place(item.text))


def is_place_only(clause: Clause) -> bool:
    return (
        clause.predicate is None
        and not clause.raw
        and not clause.adjective
        and not any(each.time is not None for each in clause.attached)
    )


def with_complement(clause: Clause) -> Clause:
    """ "is based on X": what such a verb says nothing without becomes its object, the preposition its part."""
    verb = clause.group.verb
    needed = _COMPLEMENTS.get(verb.lemma)
    if needed is None or clause.object is not None or clause.predicate is not None:
        return clause
    given = next(
        (each for each in clause.attached if each.preposition in needed and each.phrase is not None), None
    )
    if given is not None and given.preposition in ("in", "at", "by"):
        return clause
    if given is None:
        raise Unreadable(f"“{verb.lemma}” needs what follows “{needed[0]}”")
    word = given.preposition
    joined = replace(
        verb, lemma=f"{verb.lemma} {word}", finite=f"{verb.finite} {word}", rest=f"{verb.rest} {word}"
    )
    rest = tuple(each for each in clause.attached if each is not given)
    return replace(clause, group=replace(clause.group, verb=joined), object=given.phrase, attached=rest)


def with_adjective(verb: Verb, adjective: str) -> Verb:
    return replace(verb, finite=f"{verb.finite} {adjective}", rest=f"{verb.rest} {adjective}".strip())
