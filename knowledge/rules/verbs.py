"""Verb groups: tense, voice, and what a question needs to turn one around.

What a sentence does not assert (negation, "may", "plans to") is refused here with its reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from knowledge.rules import lexicon
from knowledge.rules.facts import Verb
from knowledge.rules.morphology import inflected, verb_readings
from knowledge.rules.names import is_person_noun
from knowledge.rules.tokens import Token

#: Modals that state a rule or an ability; what they hold of is said to hold only with them.
NORMS = lexicon.NORM_MODALS | lexicon.words("can should will")
_PARTICLES = lexicon.words("up out off down away back over")
_FIXED = {("take", "place"), ("take", "part"), ("take", "effect"), ("take", "office"), ("come", "true")}
_NOBODY = lexicon.words("no neither nor nobody none nothing")
_ANYBODY = lexicon.words(
    "somebody someone something anybody anyone anything everybody everyone everything others"
)
#: Verbs that keep a noun after them in the passive: "was appointed head of sales", "was awarded the prize".
WITH_SECOND_OBJECT = lexicon.words(
    "appoint elect name call make crown declare rename award give grant offer pay designate"
)
_LINKING = lexicon.words("become remain stay")


class Unreadable(Exception):
    """A sentence that states nothing the rules may rely on; ``str`` gives the reason."""


@dataclass(frozen=True)
class VerbGroup:
    """A verb with its auxiliaries. ``copular`` is true for "be", "become" and "remain" with a complement."""

    verb: Verb
    copular: bool = False
    possessive: bool = False
    progressive: bool = False
    shared: str = ""


def skip_adverbs(tokens: Sequence[Token], index: int) -> tuple[list[str], int]:
    """The adverbs that a fact keeps, from those at ``index``, and the index after all of them."""
    kept = []
    while index < len(tokens) and _is_adverb(tokens[index]):
        word = tokens[index].lower
        if word in lexicon.HEDGES:
            raise Unreadable(f"hedged by “{word}”")
        if word in lexicon.MEANINGFUL_ADVERBS:
            kept.append(word)
        index += 1
    return kept, index


def _is_adverb(token: Token) -> bool:
    if token.lower in lexicon.DROPPABLE_ADVERBS | lexicon.HEDGES | lexicon.RESTRICTIVE_ADVERBS:
        return not token.is_name and token.lower not in ("if", "unless", "whether", "since")
    return token.tags == {"R"} or (token.lower.endswith("ly") and token.may_be("R") and not token.may_be("J"))


def refuse_negation(tokens: Sequence[Token], index: int) -> None:
    word = tokens[index].lower if index < len(tokens) else ""
    if word in _NOBODY or (word and "NEG" in tokens[index].tags):
        raise Unreadable("negated")
    if word in _ANYBODY:
        raise Unreadable(f"“{word}” names nobody")


def verb_group(
    tokens: Sequence[Token], index: int, plural: bool, shared: str = ""
) -> tuple[VerbGroup, int] | None:
    """The verb group at ``index`` for a subject in that number, or None if no finite verb stands there.

    ``shared`` is the auxiliary of a verb group before "and", which a bare participle takes over
    ("was designed by A and built by B").
    """
    refuse_negation(tokens, index)
    adverbs, index = skip_adverbs(tokens, index)
    refuse_negation(tokens, index)
    if index >= len(tokens):
        return None
    token = tokens[index]
    if "MD" in token.tags:
        return _modal(tokens, index)
    if token.lower in lexicon.BE_FORMS:
        return _be(tokens, index, token.text, [token.lower], adverbs)
    if token.lower in lexicon.HAVE_FORMS:
        return _have(tokens, index, adverbs)
    if token.lower in lexicon.DO_FORMS and index + 1 < len(tokens) and tokens[index + 1].may_be("NEG", "VB"):
        raise Unreadable("negated" if tokens[index + 1].may_be("NEG") else "emphatic")
    if shared and token.may_be("VBN") and not token.is_name:
        return _shared(tokens, index, shared)
    return _lexical(tokens, index, plural, adverbs)


def _joined(*parts: str | Sequence[str]) -> str:
    flat = [part if isinstance(part, str) else " ".join(part) for part in parts]
    return " ".join(part for part in flat if part)


def _participle_of(token: Token) -> str | None:
    return next((lemma for lemma, tag in verb_readings(token.lower) if tag == "VBN"), None)


def _modal(tokens: Sequence[Token], index: int) -> tuple[VerbGroup, int]:
    modal = tokens[index].lower
    refuse_negation(tokens, index + 1)
    if modal not in NORMS:
        raise Unreadable(f"hedged by “{modal}”")
    adverbs, after = skip_adverbs(tokens, index + 1)
    refuse_negation(tokens, after)
    if after >= len(tokens):
        raise Unreadable("no verb after the modal")
    if tokens[after].lower == "be":
        return _be(tokens, after, f"{modal} be", [modal, "be"], adverbs)
    if tokens[after].lower == "have" and not any(
        each.may_be("VBN") for each in tokens[after + 1 : after + 2]
    ):
        verb = Verb("have", f"{modal} have", modal, "have")
        return VerbGroup(verb, possessive=False), after + 1
    lemma = next((lemma for lemma, tag in verb_readings(tokens[after].lower) if tag == "VB"), None)
    if lemma is None:
        raise Unreadable("no verb after the modal")
    particle, end = _particle(tokens, after + 1, lemma)
    rest = _joined(adverbs, lemma, particle)
    return VerbGroup(Verb(_joined(lemma, particle), f"{modal} {rest}", modal, rest)), end


def _be(
    tokens: Sequence[Token], index: int, finite: str, group: list[str], adverbs: list[str]
) -> tuple[VerbGroup, int]:
    """ "is", "was", "has been", "must be": passive, progressive or copula by what follows."""
    refuse_negation(tokens, index + 1)
    more, after = skip_adverbs(tokens, index + 1)
    refuse_negation(tokens, after)
    adverbs = adverbs + more
    front, behind = group[0], group[1:]
    past = front in ("was", "were", "had")
    token = tokens[after] if after < len(tokens) else None
    if token is not None and token.lower == "being":
        token, after, behind = (
            (tokens[after + 1] if after + 1 < len(tokens) else None),
            after + 1,
            [*behind, "being"],
        )
    lemma = _participle_of(token) if token is not None and not token.is_name else None
    if token is not None and lemma and not _is_noun_here(tokens, after):
        refuse_hedging_verb(lemma, tokens, after + 1)
        particle, end = _particle(tokens, after + 1)
        if not particle:
            particle, end = _stranded(tokens, after + 1)
        rest = _joined(adverbs, behind, token.text, particle)
        verb = Verb(_joined(lemma, particle), f"{front} {rest}", front, rest, True, token.text, past)
        return VerbGroup(verb, shared=_joined(front, behind)), end
    if token is not None and token.may_be("VBG") and not token.is_name and _is_progressive(tokens, after):
        lemma = next(lemma for lemma, tag in verb_readings(token.lower) if tag == "VBG")
        refuse_hedging_verb(lemma, tokens, after + 1)
        rest = _joined(adverbs, behind, token.text)
        return VerbGroup(Verb(lemma, f"{front} {rest}", front, rest, past=past), progressive=True), after + 1
    rest = _joined(adverbs, behind)
    return VerbGroup(Verb("be", _joined(front, rest), front, rest, past=past), copular=True), after


def _is_noun_here(tokens: Sequence[Token], index: int) -> bool:
    """ "is left", "is set" are verbs; "is known territory", "is fixed costs" are nouns with an adjective."""
    following = tokens[index + 1] if index + 1 < len(tokens) else None
    plain = (
        following is not None
        and following.may_be("N", "NS")
        and not following.may_be("IN", "R", "DT", "TO", "CD")
    )
    return plain and tokens[index].may_be("J") and not tokens[index].lower.endswith("ed")


def _is_progressive(tokens: Sequence[Token], index: int) -> bool:
    if not any(tag == "VBG" for _, tag in verb_readings(tokens[index].lower)):
        return False
    following = tokens[index + 1] if index + 1 < len(tokens) else None
    if following is None or (following.may_be("PUNCT") and tokens[index].may_be("N", "J")):
        return False
    # "has been managing director": a role, not something that is being managed.
    return not (tokens[index].may_be("N", "J") and not following.is_name and is_person_noun(following.lower))


def _have(tokens: Sequence[Token], index: int, adverbs: list[str]) -> tuple[VerbGroup, int]:
    have = tokens[index].lower
    refuse_negation(tokens, index + 1)
    more, after = skip_adverbs(tokens, index + 1)
    refuse_negation(tokens, after)
    token = tokens[after] if after < len(tokens) else None
    if token is not None and token.lower == "been":
        return _be(tokens, after, f"{have} been", [have, "been"], adverbs + more)
    if token is not None and "TO" in token.tags:
        raise Unreadable("hedged by “have to”")
    lemma = _participle_of(token) if token is not None and not token.is_name else None
    if token is not None and lemma and not _is_attribute(tokens, after):
        particle, end = _particle(tokens, after + 1)
        rest = _joined(adverbs, more, token.text, particle)
        verb = Verb(_joined(lemma, particle), f"{have} {rest}", have, rest, past=have == "had")
        return VerbGroup(verb, shared=have), end
    past = have == "had"
    auxiliary = "did" if past else "do" if have == "have" else "does"
    return VerbGroup(Verb("have", have, auxiliary, "have", past=past), possessive=True), index + 1


def _is_attribute(tokens: Sequence[Token], index: int) -> bool:
    """ "has fixed costs": a participle that is an adjective of the noun after it."""
    following = tokens[index + 1] if index + 1 < len(tokens) else None
    return (
        following is not None
        and tokens[index].lower not in ("become", "been", "come")
        and tokens[index].may_be("J")
        and following.may_be("N", "NS")
        and not following.may_be("R", "IN")
        and not tokens[index].lower.endswith("ed")
    )


def _shared(tokens: Sequence[Token], index: int, auxiliaries: str) -> tuple[VerbGroup, int] | None:
    """A participle after "and" that takes over the auxiliary: only where it cannot be a past tense of its own."""
    token = tokens[index]
    following = tokens[index + 1].lower if index + 1 < len(tokens) else ""
    front, _, behind = auxiliaries.partition(" ")
    passive = front not in lexicon.HAVE_FORMS or behind == "been"
    lemma = _participle_of(token) or token.lower
    if token.may_be("VBD") and passive and following != "by" and lemma not in WITH_SECOND_OBJECT:
        if index + 1 < len(tokens) and tokens[index + 1].may_be("DT", "PN", "CD", "PP$"):
            return _lexical(tokens, index, False, [])
        raise Unreadable("“and” may join an active or a passive verb")
    rest = _joined(behind, token.text if token.is_name else token.lower)
    past = front in ("was", "were", "had")
    verb = Verb(lemma, f"{front} {rest}", front, rest, passive, token.text if passive else "", past)
    return VerbGroup(verb, shared=auxiliaries), index + 1


def _lexical(
    tokens: Sequence[Token], index: int, plural: bool, adverbs: list[str]
) -> tuple[VerbGroup, int] | None:
    token = tokens[index]
    if token.is_name:
        return None
    readings = {tag: lemma for lemma, tag in reversed(verb_readings(token.lower))}
    tag = next((tag for tag in ("VBD", "VBZ", "VB") if tag in readings and (tag != "VB" or plural)), None)
    if tag is None:
        return None
    lemma = readings[tag]
    if tag == "VBD" and index + 1 < len(tokens) and tokens[index + 1].lower == "by" and token.may_be("VBN"):
        raise Unreadable("a participle without its verb")
    refuse_hedging_verb(lemma, tokens, index + 1)
    particle, end = _particle(tokens, index + 1, lemma)
    auxiliary = {"VBD": "did", "VBZ": "does", "VB": "do"}[tag]
    kept = " ".join(adverbs)
    verb = Verb(
        _joined(lemma, particle),
        _joined(kept, token.lower, particle),
        auxiliary,
        _joined(kept, lemma, particle),
        past=tag == "VBD",
    )
    return VerbGroup(verb, copular=lemma in _LINKING), end


def refuse_hedging_verb(lemma: str, tokens: Sequence[Token], index: int) -> None:
    """ "plans to open", "is expected to", "said that": what follows is not asserted."""
    following = tokens[index] if index < len(tokens) else None
    if following is None:
        return
    if following.lower in ("that", "whether", "how", "why", "what", "if") or following.text in (
        ":",
        '"',
        "“",
    ):
        raise Unreadable(f"reports what somebody “{lemma}”s")
    if "TO" in following.tags and index + 1 < len(tokens) and _is_infinitive(tokens[index + 1]):
        raise Unreadable(f"“{lemma} to” does not say that it happened")
    if lemma in lexicon.HEDGING_VERBS and (lemma not in ("like", "plan", "need") or "TO" in following.tags):
        raise Unreadable(f"hedged by “{lemma}”")


def _is_infinitive(token: Token) -> bool:
    return token.lower in ("be", "have", "do") or (token.may_be("VB") and not token.is_name)


def _particle(tokens: Sequence[Token], index: int, lemma: str = "") -> tuple[str, int]:
    """ "up" of "set up" and "place" of "take place"; not the preposition of a place or a number."""
    if index < len(tokens) and (lemma, tokens[index].lower) in _FIXED:
        return tokens[index].lower, index + 1
    if index >= len(tokens) or tokens[index].lower not in _PARTICLES:
        return "", index
    following = tokens[index + 1] if index + 1 < len(tokens) else None
    if tokens[index].lower == "out" and following is not None and following.lower == "of":
        return "", index
    if (
        tokens[index].lower in ("over", "down", "up", "off")
        and following is not None
        and following.may_be("CD")
    ):
        return "", index
    return tokens[index].lower, index + 1


def _stranded(tokens: Sequence[Token], index: int) -> tuple[str, int]:
    """ "for" of "is paid for by X": before "by", a preposition belongs to the verb."""
    following = tokens[index + 1] if index + 1 < len(tokens) else None
    if following is None or following.lower != "by" or not tokens[index].may_be("IN"):
        return "", index
    return tokens[index].lower, index + 1


def finite_for_one(verb: Verb) -> str:
    """The finite group for a single unknown subject ("Who ..."): "lead" becomes "leads", "were" "was"."""
    first, _, rest = verb.finite.partition(" ")
    changed = {"are": "is", "were": "was", "have": "has"}.get(first)
    if changed:
        return _joined(changed, rest)
    if verb.auxiliary == "do":
        base = verb.lemma.split()[0]
        return _joined(*(inflected(base, "VBZ")[0] if word == base else word for word in verb.finite.split()))
    return verb.finite


def passive_group(token: Token, be: str) -> VerbGroup | None:
    """The passive that a participle stands for where its "be" is left out: "founded in 1998"."""
    lemma = _participle_of(token)
    if lemma is None:
        return None
    verb = Verb(lemma, f"{be} {token.lower}", be, token.lower, True, token.lower, be in ("was", "were"))
    return VerbGroup(verb, shared=be)
