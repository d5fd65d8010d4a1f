"""Questions and answers about actions and kinds: "X leads Y", "X was born in P", "X is a city in Z"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from knowledge.rules.catalog import Catalog
from knowledge.rules.english import (
    capitalise,
    find_dates,
    inflected,
    is_person_noun,
    is_plural,
    join_list,
    looks_like_person_name,
    parse_date,
    singular,
    strip_article,
)
from knowledge.rules.facts import Action, Adjunct, Verb
from knowledge.rules.lexicon import AGENT_NOUNS, CURRENCY, HAVE_FORMS, TIME_UNITS, words
from knowledge.rules.roles import role_of
from knowledge.rules.verbs import finite_for_one

_NO_PASSIVE = words(
    """
    have be become remain cost weigh last lack resemble fit suit stay equal contain measure mean marry leave join
    receive include consist lie enter reach attend total span take get speak star face form air feature play
    win lose begin start end run want need like love survive follow
    """
)
#: After these, "in X" names a language, a field or a material rather than a place, unless X is a place.
_NOT_WHERE = words(
    """
    write code implement develop publish express measure interest involve engage specialise specialize invest
    participate compete result dress print translate program major believe
    """
)
#: What a group is rather than does: asked for by "what".
_NOT_ACTS = words(
    "be have consist comprise include contain stand lie belong become remain open close move begin start end"
)
_DURATION_OPENINGS = {
    "for": ["For how long", "How long"],
    "within": ["Within what time", "How quickly"],
    "after": ["After how long"],
}
#: A longer object is not moved to the front of a question.
LONGEST_MOVED = 6
#: "Hurt by the slump" does not say which slump.
_UNCLEAR_AGENT = re.compile(r"the [a-z]+")
_MAKES_WORKS = words("release publish write record produce direct distribute air broadcast own operate")
_GROUPS = words(
    """
    team department division committee council board group company corporation corp inc ltd llc plc gmbh ag as ab
    asa firm business manufacturer club agency ministry government foundation party crew band squad union
    association society startup organisation organization consortium supplier office unit choir orchestra
    """
)
_MOTION = words("move travel go relocate return emigrate migrate flee fly sail drive walk transfer come")
_OCCUPATION_QUESTIONS = (
    "What does {x} do for a living?",
    "What is the occupation of {x}?",
    "What is the job of {x}?",
)


def statement(action: Action, *circumstances: str) -> str:
    """The clause as a sentence of its own, with the given circumstances only."""
    parts = [action.subject, action.verb.finite, action.object, *circumstances]
    sentence = capitalise(" ".join(part for part in parts if part))
    return sentence if sentence.endswith(".") else sentence + "."


def made_active(action: Action) -> Action:
    """ "X was built by Y" as "Y built X": one form for both, so that their facts unite."""
    agent = next(
        (each for each in action.adjuncts if each.preposition == "by" and each.role == "agent"), None
    )
    verb = action.verb
    if agent is None or not verb.passive or action.object or verb.lemma in ("know", "name", "call"):
        return action
    active = _active(verb, plural=agent.plural)
    if active is None or _UNCLEAR_AGENT.fullmatch(agent.value):
        return action
    rest = tuple(each for each in action.adjuncts if each is not agent)
    return replace(
        action,
        subject=agent.value,
        verb=active,
        object=action.subject,
        adjuncts=rest,
        plural=agent.plural,
        several=action.plural,
        clear=True,
        counted="",
        members=action.doers,
        doers=(),
        unnamed=not any(word[:1].isupper() for word in agent.value.split()),
    )


def _active(verb: Verb, *, plural: bool) -> Verb | None:
    lemma = verb.lemma
    base, _, particle = lemma.partition(" ")

    def form(tag: str) -> str:
        return f"{inflected(base, tag)[0]} {particle}".strip()

    if verb.auxiliary in ("was", "were"):
        return Verb(lemma, form("VBD"), "did", lemma, past=True)
    if verb.auxiliary in ("is", "are"):
        return Verb(lemma, lemma if plural else form("VBZ"), "do" if plural else "does", lemma)
    if verb.auxiliary in HAVE_FORMS:
        have = "had" if verb.auxiliary == "had" else "have" if plural else "has"
        rest = f"{verb.participle} {particle}".strip()
        return Verb(lemma, f"{have} {rest}", have, rest, past=have == "had")
    return Verb(lemma, f"{verb.auxiliary} {lemma}", verb.auxiliary, lemma)


# Asking for the object


def object_word(value: str, catalog: Catalog, verb: Verb) -> str:
    """ "Who", "What", "How long" or "How much", by what the object is."""
    if verb.lemma in ("cost", "weigh"):
        return "How much"
    if verb.lemma in ("become", "remain"):
        return "What"
    last = singular(value.split()[-1].lower())
    if verb.lemma in ("last", "take") and {last, last.removesuffix("s")} & TIME_UNITS:
        return "How long"
    if verb.lemma in _MAKES_WORKS:
        return "What"
    is_person = catalog.is_person(value) or (looks_like_person_name(value.split(" and ")[0].split(",")[0]))
    common_person = value[:1].islower() and is_person_noun(strip_article(value).split(" of ")[0])
    return "Who" if is_person or common_person else "What"


def object_questions(action: Action, catalog: Catalog, when: str = "") -> list[str]:
    """ "What does X lead?" in several wordings; ``when`` narrows the question down to a time."""
    subject, verb = action.subject, action.verb
    word = object_word(action.object, catalog, verb)
    tail = f" {when}" if when else ""
    questions = [f"{word} {verb.auxiliary} {subject} {verb.rest}{tail}?"]
    if action.counted:
        tail = f" {action.rate}{tail}" if action.rate else tail
        questions.insert(0, f"How many {action.counted} {verb.auxiliary} {subject} {verb.rest}{tail}?")
        by_measure = questions[1:] if word in ("How long", "How much") else []
        told = f"Can you tell me how many {action.counted} {subject} {verb.finite}{tail}?"
        return [questions[0], *by_measure, told]
    person = "person" if looks_like_person_name(action.object) else ""
    kind = catalog.noun(action.object) if word == "What" else person
    if kind and " and " not in action.object and word in ("What", "Who"):
        questions.append(f"Which {kind} {verb.auxiliary} {subject} {verb.rest}{tail}?")
    low = word.lower()
    questions.append(f"Can you tell me {low} {subject} {verb.finite}{tail}?")
    if word in ("What", "Who"):
        questions.append(f"{word} is it that {subject} {verb.finite}{tail}?")
    if word == "What" and (passive := _passive(verb)):
        questions.append(f"What {passive} by {subject}{tail}?")
    return questions


def _passive(verb: Verb) -> str:
    """The passive for one thing: "leads" gives "is led"; "" where the verb has none."""
    if (
        verb.lemma.split()[0] in _NO_PASSIVE
        or verb.passive
        or (" " in verb.rest and verb.auxiliary in HAVE_FORMS)
    ):
        return ""
    base = verb.lemma.split()[0]
    particle = verb.lemma.removeprefix(base)
    if particle.strip() in ("to", "of", "on", "upon", "as", "for", "in"):
        return ""  # nothing "is belonged to by" anybody
    participle = inflected(base, "VBN")[0] + particle
    be = {
        "did": "was",
        "does": "is",
        "do": "is",
        "has": "has been",
        "have": "has been",
        "had": "had been",
    }.get(verb.auxiliary)
    return f"{be or verb.auxiliary + ' be'} {participle}" if verb.rest in (verb.lemma, participle) else ""


# Asking for the subject


@dataclass(frozen=True)
class Doing:
    """What all subjects of an entry did: the action of the first, and who they are."""

    action: Action
    subjects: tuple[str, ...]

    @property
    def many(self) -> bool:
        return len(self.subjects) > 1 or self.action.plural


def doing_answer(doing: Doing, *circumstances: str) -> str:
    """ "A, B and C work at X." """
    action = doing.action
    if len(doing.subjects) > 1 and not action.plural:
        action = replace(action, verb=for_many(action.verb))
    return statement(replace(action, subject=join_list(doing.subjects)), *circumstances)


def for_many(verb: Verb) -> Verb:
    """The verb with several subjects: "leads" becomes "lead", "was" "were"."""
    first, _, rest = verb.finite.partition(" ")
    changed = {"is": "are", "was": "were", "has": "have"}.get(first)
    if changed:
        return replace(verb, finite=f"{changed} {rest}".strip(), auxiliary=changed)
    if verb.auxiliary == "does":
        return replace(verb, finite=verb.rest, auxiliary="do")
    return verb


def for_one(verb: Verb) -> Verb:
    """The verb with one subject: "lead" becomes "leads", "were" "was"."""
    auxiliary = {"do": "does", "are": "is", "were": "was", "have": "has"}.get(verb.auxiliary, verb.auxiliary)
    return replace(verb, finite=finite_for_one(verb), auxiliary=auxiliary)


def subject_questions(doing: Doing, catalog: Catalog, *circumstances: str) -> list[str]:
    """ "Who leads X?", "Which team maintains Y?": none of the wordings names the subject."""
    action = doing.action
    finite = finite_for_one(action.verb)
    rest = " ".join(part for part in (finite, action.object, *circumstances) if part)
    if action.indefinite and action.plural:
        told = " ".join(part for part in (action.verb.finite, action.object, *circumstances) if part)
        noun = action.subject.split()[-1]
        return [f"How many {noun} {told}?", f"Can you tell me how many {noun} {told}?"]
    kinds = {catalog.noun(subject) for subject in doing.subjects}
    word = _subject_word(doing, catalog)
    questions = [f"{word} {rest}?"]
    kind = next(iter(kinds)) if len(kinds) == 1 else ""
    if kind:
        questions.append(f"Which {kind} {rest}?")
    questions.append(f"{word} is it that {rest}?")
    if word == "Who" and action.object and not circumstances:
        questions += _role_questions(doing)
    passive = _passive(action.verb)
    is_long = len(action.object.split()) > LONGEST_MOVED
    is_amount = is_long or action.object.removeprefix("about ")[:1].isdigit()  # "805 km" is flowed by nothing
    if action.object and passive and not circumstances and not action.counted and not is_amount:
        be, _, participle = passive.partition(" ")
        be = {"was": "were", "is": "are", "has": "have"}.get(be, be) if action.several else be
        who = "who" if word == "Who" else "what"
        questions += [f"{capitalise(who)} {be} {action.object} {participle} by?"]
        questions += [f"By {'whom' if who == 'who' else 'what'} {be} {action.object} {participle}?"]
    else:
        questions.append(f"Can you tell me {word.lower()} {rest}?")
    return questions


def _role_questions(doing: Doing) -> list[str]:
    """ "led X" as "Who was the leader of X?": a role is asked for whichever way a document told of it."""
    verb = doing.action.verb
    role = role_of(verb.lemma) if verb.auxiliary in ("do", "does", "did") else ""
    tenses = ("was", "is") if verb.past else ("is",)
    return [f"Who {be} the {role} of {doing.action.object}?" for be in tenses] if role else []


def _subject_word(doing: Doing, catalog: Catalog) -> str:
    who = {_asks_who(subject, doing.action.verb, catalog) for subject in doing.subjects}
    if who == {True}:
        return "Who"
    known = all(catalog.noun(subject) or not subject[:1].isupper() for subject in doing.subjects)
    return "What" if who == {False} and known else "Who or what"


def _asks_who(subject: str, verb: Verb, catalog: Catalog) -> bool:
    """People are asked for by "who", and groups of people where they act as people do."""
    first = subject.split(" and ")[0].split(",")[0]
    if catalog.is_person(first):
        return True
    bare = strip_article(subject)
    if bare[:1].islower() and is_person_noun(re.split(r" (?:of|in|at|who|that|which) ", bare)[0]):
        return True
    named = first if first[:1].isupper() else first.split(" of ")[0]
    ends = {singular(word.lower()) for word in named.split()[-1:]} | {catalog.noun(first)}
    return bool(ends & _GROUPS) and not verb.passive and verb.lemma.split()[0] not in _NOT_ACTS


# Asking for the circumstances


def circumstance_questions(action: Action, adjunct: Adjunct, catalog: Catalog, beside: str = "") -> list[str]:
    """ "When did X join Y?", "Where does X live?", "Who does X report to?" in several wordings."""
    verb = action.verb
    rest = " ".join(part for part in (action.subject, verb.rest, action.object, beside) if part)
    told = " ".join(part for part in (action.subject, verb.finite, action.object, beside) if part)
    openings = _openings(adjunct, verb)
    if openings:
        asked = [f"{opening} {verb.auxiliary} {rest}?" for opening in openings]
        return [*asked, f"Can you tell me {openings[0][:1].lower()}{openings[0][1:]} {told}?"]
    word = "Who" if adjunct.preposition != "as" and _is_people(adjunct.value, catalog) else "What"
    if not adjunct.preposition:
        return []
    asked = [f"{word} {verb.auxiliary} {rest} {adjunct.preposition}?"]
    asked.append(
        f"{capitalise(adjunct.preposition)} {'whom' if word == 'Who' else 'what'} {verb.auxiliary} {rest}?"
    )
    if (kind := catalog.noun(adjunct.value)) and " and " not in adjunct.value:
        asked.append(f"Which {kind} {verb.auxiliary} {rest} {adjunct.preposition}?")
    return [*asked, f"Can you tell me {word.lower()} {told} {adjunct.preposition}?"]


def _is_people(value: str, catalog: Catalog) -> bool:
    first = value.split(" and ")[0].split(",")[0]
    if is_plural(value):
        return False
    return catalog.is_person(first) or (
        value[:1].islower() and is_person_noun(strip_article(value).split(" of ")[0])
    )


def _openings(adjunct: Adjunct, verb: Verb) -> list[str]:
    """The question words that ask for a time, a place, an amount; none for other circumstances."""
    by_role = {
        "start": ["Since when"] if adjunct.preposition == "since" else ["From when", "Starting when"],
        "end": ["Until when", "Until what time"],
        "range": ["When", "During which time"],
        "duration": _DURATION_OPENINGS.get(adjunct.preposition, []),
    }
    if adjunct.role == "point":
        return _point_openings(adjunct)
    if adjunct.role == "frequency":
        return ["When", "On which days"] if adjunct.preposition == "on" else ["How often", "When"]
    if adjunct.role == "place" and (verb.lemma not in _NOT_WHERE or not adjunct.named):
        return ["Where", "In what place"] if adjunct.preposition == "in" else ["Where"]
    if adjunct.preposition == "to" and verb.lemma in _MOTION:
        return ["Where", "To where"]
    if adjunct.preposition == "for" and any(
        word.lower().strip(".,") in CURRENCY for word in adjunct.value.split()
    ):
        return ["For how much", "For what price"]
    return by_role.get(adjunct.role, [])


def _point_openings(adjunct: Adjunct) -> list[str]:
    if adjunct.preposition in ("by", "before", "after"):
        word = adjunct.preposition.capitalize()
        if adjunct.preposition == "by":
            return [f"{word} when", "When"]
        return [f"{word} when" if find_dates(adjunct.value) else f"{word} what time"]
    if ":" in adjunct.value or not find_dates(adjunct.value):
        return ["When", "At what time"] if adjunct.preposition == "at" else ["When"]
    date = parse_date(adjunct.value)
    if date is not None and date.day is not None:
        return ["When", "On what date", "On which day"]
    if date is not None and date.month is None:
        return ["When", "In which year", "In what year"]
    return ["When"]


# Kinds


def kind_questions(
    subject: str, nouns: Sequence[str], past: bool, plural: bool, catalog: Catalog
) -> list[str]:
    """ "What is X?", "Who is X?" and, for an occupation, "What does X do?"."""
    person = catalog.is_person(subject)
    be = ("were" if plural else "was") if past else ("are" if plural else "is")
    word = "Who" if person else "What"
    questions = [f"{word} {be} {subject}?", f"Can you tell me {word.lower()} {subject} {be}?"]
    if person:
        questions.append(f"Do you know who {subject} {be}?")
        if any(_is_occupation(noun) for noun in nouns) and not past:
            questions += [template.format(x=subject) for template in _OCCUPATION_QUESTIONS]
        return questions
    kinds = [noun for noun in nouns if noun and not is_person_noun(noun)]
    if kinds and not plural:
        questions.append(f"What kind of {kinds[0]} {be} {subject}?")
    return [*questions, f"How can {subject} be described?"]


_NOT_OCCUPATIONS = words(
    """
    member founder co-founder winner person man woman owner father mother son daughter child brother sister wife
    husband resident native citizen friend player fan supporter descendant survivor participant recipient
    """
)


def _is_occupation(noun: str) -> bool:
    return is_person_noun(noun) and singular(noun) not in _NOT_OCCUPATIONS | AGENT_NOUNS
