"""Why an action is not taken in: it says less than it seems to, or it cannot be understood by itself.

Each refusal looks at one way of that and gives the reason, or None. The first that holds is the one that is told.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from knowledge.rules import lexicon
from knowledge.rules.clause import Clause
from knowledge.rules.discourse import Discourse, is_anchored
from knowledge.rules.facts import Adjunct, Verb, norm
from knowledge.rules.morphology import parts_of_speech
from knowledge.rules.objects import is_compound
from knowledge.rules.phrases import NounPhrase
from knowledge.rules.verbs import Unreadable

#: Words of an object, or of a value, that are still remembered.
LONGEST_VALUE = 25
#: In the passive these say nothing without what somebody or something was declared, named or made.
_COMPLETED = lexicon.words("declare deem consider render pronounce call name dub label")
#: What is done to one thing with regard to another: half of it is not what was said.
_BETWEEN_TWO = lexicon.words(
    "license estimate separate divide "
    "distinguish transform convert transfer compare attribute prevent protect screen "
    "substitute"
)
#: What is done to something, whatever the sentence leaves out.
_NEED_AN_OBJECT = lexicon.words("share adopt make cause produce")
#: With "as" they tell as what somebody was chosen, which has to be there.
_CHOICES = lexicon.words("name choose select appoint elect")
#: Verbs with which "a city", "an officer" tells something all the same.
_TELL_A_KIND = lexicon.words("become remain have serve be")
#: What families share a surname in: "Lind married".
_FAMILY = lexicon.words("bear marry graduate")
#: Nouns that with a verb make one expression: "paid tribute", "played a leading role".
_LIGHT = lexicon.words(
    """
    role tribute part place attention ground rise birth way use care advantage control account effect charge note
    shape step steps action effort efforts need needs aim purpose interest success failure support influence impact
    word south north east west southward northward eastward westward contact access free siege claim
    home open nothing time times number majority variety range amount lot
    """
)


@dataclass(frozen=True)
class Draft:
    """An action before it is taken in. ``thing`` is what the verb is done to, with its references resolved."""

    clause: Clause
    verb: Verb
    thing: NounPhrase | None
    adjuncts: tuple[Adjunct, ...]
    discourse: Discourse

    @property
    def is_bare(self) -> bool:
        """There is an object of one word, which nothing describes."""
        thing = self.thing
        return thing is not None and not (thing.modifiers or thing.tail or thing.items or " " in thing.core)

    @property
    def prepositions(self) -> set[str]:
        return {each.preposition for each in self.clause.attached}


Refusal = Callable[[Draft], str | None]


def refuse(draft: Draft) -> None:
    """Raise Unreadable with the first reason there is."""
    for refusal in REFUSALS:
        if reason := refusal(draft):
            raise Unreadable(reason)


# --- The verb ----------------------------------------------------------------------------------------------
def without_auxiliary(draft: Draft) -> str | None:
    words = draft.verb.finite.split()
    return "a verb without its auxiliary" if words[0] in ("been", "being") or "nearby" in words else None


def two_verbs(draft: Draft) -> str | None:
    return "two verbs in one" if " and " in draft.verb.finite else None


def without_object(draft: Draft) -> str | None:
    verb = draft.verb
    lacks = draft.thing is None and verb.lemma in _NEED_AN_OBJECT and not verb.passive
    return f"“{verb.lemma}” without an object" if lacks else None


def without_outcome(draft: Draft) -> str | None:
    """ "It was declared": what?"""
    verb = draft.verb
    lacks = verb.passive and draft.thing is None and not draft.clause.adjective and verb.lemma in _COMPLETED
    return f"“{verb.finite}” what?" if lacks else None


def without_what_goes_with_it(draft: Draft) -> str | None:
    verb = draft.verb
    provides = verb.lemma == "provide" and "with" in draft.prepositions
    repeats = draft.discourse.titled and "again" in verb.finite.split()
    return f"“{verb.finite}” leaves out what it goes with" if provides or repeats else None


def without_role(draft: Draft) -> str | None:
    lacks = draft.thing is not None and "as" in draft.prepositions and draft.verb.lemma in _CHOICES
    return f"“{draft.verb.finite}” leaves out as what" if lacks else None


def between_two(draft: Draft) -> str | None:
    verb = draft.verb
    is_between = verb.lemma.split()[0] in _BETWEEN_TWO and (draft.thing is not None or verb.passive)
    return f"“{verb.lemma}” tells of two things at once" if is_between else None


# --- The subject -------------------------------------------------------------------------------------------
def lone_name(draft: Draft) -> str | None:
    subject, discourse = draft.clause.subject, draft.discourse
    if discourse.plain and any(_is_lone_name(item, discourse) for item in subject.flat()):
        return f"“{subject.text}” is a surname or a first name alone"
    return None


def _is_lone_name(item: NounPhrase, discourse: Discourse) -> bool:
    """ "Walter", "British" where the text is about people: one word that other texts use for others."""
    name = item.text
    alone = item.kind == "name" and " " not in name and not name.isupper()
    if not alone or discourse.topic.startswith(name) or norm(name) in discourse.nouns:
        return False
    if parts_of_speech(name.lower()):
        return False
    return discourse.speaks_of_people or name.endswith(("ish", "ese"))


def lone_name_in_a_family(draft: Draft) -> str | None:
    subject = draft.clause.subject
    alone = subject.kind == "name" and " " not in subject.core and not subject.items
    if alone and draft.discourse.titled and draft.verb.lemma in _FAMILY:
        return f"“{subject.core}” is a surname or a first name alone"
    return None


# --- The object --------------------------------------------------------------------------------------------
def order(draft: Draft) -> str | None:
    """ "Finished second place": an order, not a thing."""
    thing = draft.thing
    if thing is None or thing.determiner or thing.core.split()[:1] not in (["last"], ["second"], ["third"]):
        return None
    return f"“{draft.verb.finite} {thing.core}” is an order, not a thing"


def kind_alone(draft: Draft) -> str | None:
    thing = draft.thing
    if thing is None or not draft.is_bare or draft.verb.lemma in _TELL_A_KIND:
        return None
    says_little = draft.discourse.titled and thing.determiner in ("a", "an")
    return f"“{thing.text}” says little by itself" if says_little else None


def half_an_expression(draft: Draft) -> str | None:
    thing = draft.thing
    if thing is None or thing.head not in _LIGHT or thing.modifiers or thing.tail:
        return None
    return f"“{thing.text}” says little by itself"


def not_told_which(draft: Draft) -> str | None:
    thing = draft.thing
    if thing is None or draft.verb.lemma == "play":
        return None
    if any(_needs_context(item, draft.discourse) for item in thing.flat()):
        return f"“{thing.text}” does not say which one"
    return None


def _needs_context(thing: NounPhrase, discourse: Discourse) -> bool:
    """ "The music", "the top division": a noun by itself that only the text around it explains."""
    alone = thing.kind == "common" and thing.determiner == "the" and not (thing.modifiers or thing.tail)
    if not alone or thing.owner is not None or is_anchored(thing) or discourse.describes(thing):
        return False
    return bool(discourse.topic) and not is_compound(thing)


def too_long(draft: Draft) -> str | None:
    is_long = draft.thing is not None and len(draft.thing.text.split()) > LONGEST_VALUE
    return "the object is too long to be remembered" if is_long else None


# --- The circumstances -------------------------------------------------------------------------------------
def names_its_subject(draft: Draft) -> str | None:
    told = draft.clause.subject.text
    names = any(each.value and each.value in told for each in draft.adjuncts)
    return "the circumstance names the subject itself" if names else None


def several_roles(draft: Draft) -> str | None:
    roles = [each for each in draft.clause.attached if each.preposition == "as"]
    if len(roles) > 1 or any(each.phrase is not None and each.phrase.items for each in roles):
        return "several “as”: which belongs to whom is unclear"
    return None


REFUSALS: tuple[Refusal, ...] = (
    without_auxiliary,
    lone_name,
    two_verbs,
    order,
    lone_name_in_a_family,
    without_object,
    without_outcome,
    without_what_goes_with_it,
    without_role,
    between_two,
    kind_alone,
    names_its_subject,
    several_roles,
    half_an_expression,
    not_told_which,
    too_long,
)
