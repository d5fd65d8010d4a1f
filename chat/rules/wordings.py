"""How to put a sub-query to MEMORY: the wordings that reflections are written in, the surest first.

A small MEMORY recalls best what is worded as it learnt it. Each function gives a few wordings of one
question; the next is tried only when MEMORY does not know the one before.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from chat.protocol.state import SubQuery
from chat.rules.phrases import EMPTY_NOUNS, Clause, NounPhrase, Question, Template, render
from knowledge.rules.english import (
    capitalise,
    find_dates,
    is_person_noun,
    is_place_noun,
    is_plural,
    past,
    plural,
    possessive,
    singular,
    third_person,
    verb_lemma,
    verb_readings,
)
from knowledge.rules.lexicon import BE_FORMS, KINSHIP, PLACE_PREPOSITIONS, PREPOSITIONS, TIME_UNITS
from knowledge.rules.property_wordings import PARAPHRASES

Fill = Callable[[Template], str]
#: Nouns that ask for the thing itself: "the name of X" is X.
NAMING_NOUNS = frozenset({"name", "names", "full name", "identity"})
_MOST = 5


def sentence(text: str) -> str:
    """The text as a question: capital, single spaces, question mark."""
    return capitalise(" ".join(text.split()).rstrip("?.! ")) + "?"


def _limited(questions: list[str], mentions: tuple[str, ...] = ()) -> list[SubQuery]:
    return [SubQuery(question, mentions) for question in dict.fromkeys(map(sentence, questions))][:_MOST]


# "The R of X"


def relation(noun: str, owner: str, *, asked_past: bool = False) -> list[SubQuery]:
    """Ask for the R of X: "Who is the mother of X?", "What is the budget of X?" """
    one, many = singular(noun), plural(singular(noun))
    be, are = ("was", "were") if asked_past else ("is", "are")
    who = "Who" if is_person_noun(noun) else "What"
    one_or_all = [f"{who} {be} the {one} of {owner}", f"{who} {are} the {many} of {owner}"]
    first, second = reversed(one_or_all) if is_plural(noun) else one_or_all
    paraphrases = [text.format(x=owner, xs=possessive(owner), be=be) for text in PARAPHRASES.get(one, ())]
    others = [f"Who {be} the {one} of {owner}"]
    return _limited([first, *paraphrases[:1], *agent_verb(one, owner), second, *others])


def agent_verb(noun: str, owner: str) -> list[str]:
    """ "founder of X" as "Who founded X", "lead of X" as "Who leads X"."""
    for verb in (noun[:-2], noun[:-1], noun) if noun.endswith(("er", "or")) else (noun,):
        if (
            noun not in KINSHIP
            and is_person_noun(noun)
            and any(tag == "VB" for _, tag in verb_readings(verb))
        ):
            return [f"Who {third_person(verb)} {owner}", f"Who {past(verb)} {owner}"]
    return []


def relation_from_verb(question: Question) -> list[SubQuery]:
    """ "Who leads X?" as "Who is the leader of X?" and "Who is the lead of X?"."""
    match = re.match(r"(?:Who|Which \w+) (\w+) (.+)$", render(question.template))
    if not match or not verb_readings(match[1]):
        return []
    verb, thing = verb_lemma(match[1]), match[2]
    stem = verb.removesuffix("e")
    agents = [noun for noun in (f"{stem}er", f"{stem}or", verb) if is_person_noun(noun)]
    return _limited([f"Who is the {noun} of {thing}" for noun in agents])


def what_is(phrase: NounPhrase, fill: Fill) -> list[SubQuery]:
    """ "Who is the mayor in Oslo?", "What is the airport in Oslo?" """
    who = "Who" if is_person_noun(phrase.noun) else "What"
    text = fill(phrase.parts)
    return _limited([f"{who} is {text}", f"What is the name of {text}"])


def count(noun: str, owner: str) -> list[SubQuery]:
    """How many things of a kind somebody has: the number where it is stated, else the list."""
    number = SubQuery(sentence(f"How many {noun} does {owner} have"))
    who, one = "Who" if is_person_noun(noun) else "What", singular(noun)
    listed = _limited([f"{who} are the {plural(one)} of {owner}", f"{who} is the {one} of {owner}"])
    return [*listed, number] if is_person_noun(noun) else [number, *listed]


# Clauses


def clause(phrase: NounPhrase, clause: Clause, fill: Fill) -> list[SubQuery]:
    """Ask for whatever one clause describes."""
    wordings = {"subject": _subject_gap, "object": _object_gap, "whose": _whose, "place": _place}[clause.gap]
    return wordings(phrase, clause, fill)


def _which(phrase: NounPhrase) -> str:
    return f"Which {phrase.noun}" if phrase.noun not in EMPTY_NOUNS else "Who"


def _subject_gap(phrase: NounPhrase, clause: Clause, fill: Fill) -> list[SubQuery]:
    """ "the person who leads Atlas": "Who leads Atlas?" """
    text = _agreeing(clause, fill) if is_plural(phrase.noun) else fill(clause.parts)
    openings = ["Who", _which(phrase)] if is_person_noun(phrase.noun) else [_which(phrase), "What"]
    passive = _active_of_passive(phrase, clause, fill) if clause.predicate.auxiliary in BE_FORMS else []
    texts = _in_either_tense(text) if clause.is_reduced else [text]
    asked = [f"{opening} {each}" for opening in openings for each in texts]
    return _limited([*passive, *asked, f"Who or what {text}"])


def _in_either_tense(text: str) -> list[str]:
    """ "(the product) launched in 2020" was launched, "(the city) located in Norway" is: a date decides."""
    tenses = [text, re.sub("^is ", "was ", text)]
    return tenses[::-1] if find_dates(text) else tenses


def _agreeing(clause: Clause, fill: Fill) -> str:
    """ "(engineers who) work on Atlas" as "works on Atlas", for "who"."""
    predicate = clause.predicate
    if predicate.auxiliary or not predicate.verb or predicate.is_past:
        return fill(clause.parts)
    return fill((third_person(verb_lemma(predicate.verb)), *predicate.rest))


def _active_of_passive(phrase: NounPhrase, clause: Clause, fill: Fill) -> list[str]:
    """ "the project led by Mara Lind": "Which project does Mara Lind lead?" """
    words = fill((clause.predicate.verb, *clause.predicate.rest)).split(" by ", 1)
    if len(words) < 2 or " " in words[0] or not verb_readings(words[0]):
        return []
    verb = verb_lemma(words[0])
    opening = _which(phrase) if phrase.noun not in EMPTY_NOUNS else "What"
    return [f"{opening} {do} {words[1]} {verb}" for do in ("does", "did")] + [f"What does {words[1]} {verb}"]


def _object_gap(phrase: NounPhrase, clause: Clause, fill: Fill) -> list[SubQuery]:
    """ "the project that Mara Lind leads": "Which project does Mara Lind lead?" """
    text = fill(clause.predicate.inverted(clause.subject or ""))
    bare = "Who" if is_person_noun(phrase.noun) else "What"
    openings = [bare] if phrase.noun in EMPTY_NOUNS else [_which(phrase), bare]
    if is_person_noun(phrase.noun):
        openings.reverse()
    wordings = [f"{opening} {text}" for opening in openings]
    if is_place_noun(phrase.noun):
        wordings.append(f"Where {_without_stranded(text)}")
    return _limited(wordings)


def _whose(phrase: NounPhrase, clause: Clause, fill: Fill) -> list[SubQuery]:
    """ "the person whose hobby is judo": "Who is the person whose hobby is judo?" """
    noun, text = singular(phrase.noun), fill(clause.parts)
    who = "Who" if is_person_noun(noun) else "What"
    wordings = [f"{who} is the {noun} whose {text}", f"{who} are the {plural(noun)} whose {text}"]
    value = fill(clause.predicate.rest)
    if clause.predicate.auxiliary in BE_FORMS and value:
        wordings.insert(1, f"Which {noun} has the {clause.possessed} {value}")
        if is_person_noun(noun):
            wordings += [f"Who is the person whose {text}", f"Whose {clause.possessed} is {value}"]
    return _limited(wordings, mentions=(value,) if value else ())


def _place(phrase: NounPhrase, clause: Clause, fill: Fill) -> list[SubQuery]:
    """ "the office where Jonas Pike works": "Which office does Jonas Pike work in?" """
    text = _without_stranded(fill(clause.predicate.inverted(clause.subject or "")))
    which = f"Which {singular(phrase.noun)}"
    if singular(phrase.noun) in TIME_UNITS:
        return _limited([f"When {text}", f"In {which.lower()} {text}"])
    prepositions = [clause.preposition] if clause.preposition else ["in", "at"]
    wordings = [f"{which} {text} {preposition}" for preposition in prepositions]
    is_place = prepositions[0] in PLACE_PREPOSITIONS
    return _limited([*([f"Where {text}"] if is_place else []), *wordings, f"In {which.lower()} {text}"])


def _without_stranded(text: str) -> str:
    head, _, last = text.rpartition(" ")
    return head if last.lower() in PREPOSITIONS else text


# Whole questions


def whole(question: Question, fill: Fill) -> list[SubQuery]:
    """A question with its descriptions filled in, and plainer ways of asking the same."""
    text = fill(question.template)
    after = fill(question.template[1:]) if question.wh and question.template[:1] == (question.wh,) else ""
    plainer = _without_noun(question, after) if after and question.word in ("which", "what") else []
    if plainer and plainer[0].startswith("Where "):
        wordings = [*plainer, text]
    else:
        wordings = [text, *_active(text), *_stranded(question, after), *_whose_for_has(text), *plainer]
    return _limited(wordings) + (relation_from_verb(question) if not question.descriptions else [])


def _without_noun(question: Question, after: str) -> list[str]:
    """ "In which city does X live" as "Where does X live"."""
    if not question.noun:
        return []
    is_inverted = len(question.template) > 2 and isinstance(question.template[2], NounPhrase)
    prepositions = {question.wh.split()[0].lower(), after.split()[-1].lower()}
    if is_inverted and is_place_noun(question.noun) and prepositions & PLACE_PREPOSITIONS:
        return [f"Where {_without_stranded(after)}"]
    if is_inverted and singular(question.noun) in TIME_UNITS | {"date"}:
        return [f"When {_without_stranded(after)}"]
    return [f"Who {after}"] if is_person_noun(question.noun) else [f"What {after}"]


def _active(text: str) -> list[str]:
    """ "Which team is led by X" as "Which team does X lead"; "Who was X founded by" as "Who founded X"."""
    agent_last = re.fullmatch(
        r"(?P<wh>Who|What|Which .+?) (?P<be>is|are|was|were) (?P<verb>\w+) by (?P<agent>.+)", text
    )
    if agent_last and verb_readings(agent_last["verb"]):
        do = "did" if agent_last["be"] in ("was", "were") else "does"
        return [f"{agent_last['wh']} {do} {agent_last['agent']} {verb_lemma(agent_last['verb'])}"]
    agent_first = re.fullmatch(
        r"(?P<wh>Who|What) (?P<be>is|are|was|were) (?P<thing>.+) (?P<verb>\w+) by", text
    )
    if agent_first and verb_readings(agent_first["verb"]):
        verb = verb_lemma(agent_first["verb"])
        finite = past(verb) if agent_first["be"] in ("was", "were") else third_person(verb)
        return [f"{agent_first['wh']} {finite} {agent_first['thing']}"]
    return []


def _stranded(question: Question, after: str) -> list[str]:
    """ "To whom does X report" as "Who does X report to"."""
    preposition, _, wh = question.wh.partition(" ")
    if not after or preposition.lower() not in PREPOSITIONS:
        return []
    return [f"{'who' if wh == 'whom' else wh} {after} {preposition.lower()}"]


def _whose_for_has(text: str) -> list[str]:
    """ "Which boat has X as its skipper" as "What is the boat whose skipper is X"."""
    has = re.fullmatch(
        r"Which (?P<noun>.+?) (?:has|have) (?P<value>.+) as (?:its|his|her|their|an?|the) (?P<role>[\w -]+)",
        text,
    )
    if not has:
        return []
    who = "Who" if is_person_noun(has["noun"]) else "What"
    return [f"{who} is the {singular(has['noun'])} whose {has['role']} is {has['value']}"]
