"""How to put a sub-query to MEMORY: the wordings that reflections are written in, the surest first.

A small MEMORY recalls best what is worded as it learnt it. Each function gives a few wordings of one
question; the next is tried only when MEMORY does not know the one before.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from chat.protocol.state import SubQuery
from chat.rules.alternatives import (
    MEASURED,
    agent_questions,
    in_charge,
    is_surely_thing,
    reported_to,
    same_questions,
    verb_questions,
    with_bare_names,
    with_synonyms,
)
from chat.rules.phrases import EMPTY_NOUNS, Clause, NounPhrase, Question, Template, render
from knowledge.rules.english import (
    capitalise,
    find_dates,
    is_person_noun,
    is_place_noun,
    is_plural,
    looks_like_person_name,
    past,
    plural,
    possessive,
    singular,
    strip_article,
    third_person,
    verb_lemma,
    verb_readings,
    with_indefinite_article,
)
from knowledge.rules.lexicon import AGENT_NOUNS, BE_FORMS, PLACE_PREPOSITIONS, PREPOSITIONS, TIME_UNITS
from knowledge.rules.property_wordings import PARAPHRASES

Fill = Callable[[Template], str]
#: Nouns that ask for the thing itself: "the name of X" is X.
NAMING_NOUNS = frozenset({"name", "names", "full name", "identity"})
_MOST = 6
_TO_PLACES = PLACE_PREPOSITIONS | {"to", "into"}


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
    told_otherwise = [*paraphrases[:1], *same_questions(one, owner), *verb_questions(one, owner)]
    is_told_apart = who == "Who" or one in PARAPHRASES or is_surely_thing(one)
    others = [] if is_told_apart else [f"Who {be} the {one} of {owner}"]
    asked = _limited([first, *told_otherwise])[: _MOST - 1]
    return list(dict.fromkeys([*asked, *_limited([second, *others])]))[:_MOST]


def relation_from_verb(text: str) -> list[str]:
    """ "Who leads X?" as "Who is the leader of X?" and "Who is the lead of X?"."""
    match = re.match(r"(?:Who|Which \w+) (?P<verb>\w+) (?P<thing>.+)$", text)
    is_object = match and match["thing"].split()[0].lower() not in PREPOSITIONS
    return agent_questions(match["verb"], match["thing"]) if match and is_object else []


def plainer(asked: Sequence[SubQuery]) -> list[SubQuery]:
    """The surest two wordings once more, with names that go without their kind."""
    texts = [text for sub_query in asked if (text := with_bare_names(sub_query.question))]
    texts += [text for sub_query in asked[:1] if (text := _without_dated(sub_query.question))]
    return _limited(texts)[:3]


def _without_dated(question: str) -> str:
    """ "the power cut of 3 May 2020" as "the power cut"; empty where nothing is named by its date."""
    for date in find_dates(question):
        if question[: date.start].endswith(" of "):
            return question[: date.start].removesuffix(" of ") + question[date.end :]
    return ""


def with_other_verb(asked: Sequence[SubQuery]) -> list[SubQuery]:
    """The first wording with another verb of the same meaning: "founded" for "established"."""
    return _limited(with_synonyms(asked[0].question))[:2] if asked else []


def what_is(phrase: NounPhrase, fill: Fill) -> list[SubQuery]:
    """ "Who is the mayor in Oslo?", "What is the airport in Oslo?" """
    who = "Who" if is_person_noun(phrase.noun) else "What"
    text = fill(phrase.parts)
    return _limited([f"{who} is {text}", f"What is the name of {text}"])


def of_kind(phrase: NounPhrase) -> list[SubQuery]:
    """What goes by its kind alone: "What is the weather buoy?", "Which chain maker is in Aberdeen?" """
    who = "Who" if is_person_noun(phrase.noun) else "What"
    one = with_indefinite_article(strip_article(phrase.text))
    if phrase.tail:
        asked = [f"Which {phrase.noun} is {render(phrase.tail)}", f"Who or what is {one}"]
    else:
        asked = [f"{who} is {one}", f"Who or what is {phrase.text}"]
    return _limited([f"{who} is {phrase.text}", *asked])


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
    agents = _agents(clause, fill) if not passive else []
    measured = _as_measure(phrase, clause, fill)
    others = [*in_charge(text), *agents, *measured, f"Who or what {text}"]
    return _limited([*passive, *asked, *others])


def _agents(clause: Clause, fill: Fill) -> list[str]:
    """ "(the yard that) supplies X" as "Who is the supplier of X"."""
    thing = fill(clause.predicate.rest)
    is_object = bool(thing) and thing.split()[0].lower() not in PREPOSITIONS
    is_plain = is_object and not clause.predicate.auxiliary and not find_dates(thing)
    return agent_questions(clause.predicate.verb, thing) if is_plain else []


def _as_measure(phrase: NounPhrase, clause: Clause, fill: Fill) -> list[str]:
    """ "(the product that) weighs 9 kilograms" as "What is the product whose weight is 9 kilograms"."""
    measure = MEASURED.get(verb_lemma(clause.predicate.verb)) if clause.predicate.verb else None
    value = fill(clause.predicate.rest)
    if not measure or not re.match(r"\D?\d", value):
        return []
    kinds = dict.fromkeys((singular(phrase.noun), "entity"))
    return [f"What is the {kind} whose {measure} is {value}" for kind in kinds]


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
    return _in_the_active(opening, words[1], verb)


def _in_the_active(opening: str, agent: str, verb: str) -> list[str]:
    """ "Which project does X lead", in both tenses, and the same without the kind."""
    general = "Who" if opening == "Who" else "What"
    asked = [f"{do} {agent} {verb}" for do in (_do(agent), "did")]
    return [f"{each} {text}" for each in dict.fromkeys((opening, general)) for text in asked]


def _do(subject: str) -> str:
    """ "does" or "do", as the subject asks for: "do the late trains", "does Mara Lind"."""
    is_common = strip_article(subject)[:1].islower() and len(subject.split()) < 5
    return "do" if is_common and is_plural(strip_article(subject)) else "does"


def _object_gap(phrase: NounPhrase, clause: Clause, fill: Fill) -> list[SubQuery]:
    """ "the project that Mara Lind leads": "Which project does Mara Lind lead?" """
    text = fill(clause.predicate.inverted(clause.subject or ""))
    bare = "Who" if is_person_noun(phrase.noun) else "What"
    openings = [bare] if phrase.noun in EMPTY_NOUNS else [_which(phrase), bare]
    if is_person_noun(phrase.noun):
        openings.reverse()
    wordings = [f"{opening} {text}" for opening in dict.fromkeys((*openings, "What"))]
    if is_place_noun(phrase.noun):
        wordings.append(f"Where {_without_stranded(text)}")
    return _limited(wordings)


def _whose(phrase: NounPhrase, clause: Clause, fill: Fill) -> list[SubQuery]:
    """ "the person whose hobby is judo": "Who is the person whose hobby is judo?" """
    noun, text, value = singular(phrase.noun), fill(clause.parts), fill(clause.predicate.rest)
    has_value = clause.predicate.auxiliary in BE_FORMS and bool(value)
    mentions = (value,) if value else ()
    if is_plural(phrase.noun):
        has = (
            [_which_has(plural(kind), clause.possessed, value) for kind in _kinds(noun)] if has_value else []
        )
        return [SubQuery(sentence(asked), mentions) for asked in (*has, *_all_whose(noun, text))]
    (who, _), *others = _openings_for(noun)
    wordings = [f"{who} is the {noun} whose {text}", f"{who} are the {plural(noun)} whose {text}"]
    if has_value:
        has_one = _which_has("entity", clause.possessed, value)
        wordings.insert(1, _which_has(noun, clause.possessed, value))
        wordings += [f"{other} is the {kind} whose {text}" for other, kind in others]
        wordings.append(f"Whose {clause.possessed} is {value}" if who == "Who" else has_one)
    return _limited(wordings, mentions)


def _all_whose(noun: str, text: str) -> list[str]:
    """Several are known together or one by one: "Who are the friends whose ...", "Who is the friend whose ..." """
    return [
        f"{who} {form} whose {text}"
        for who, kind in _openings_for(noun)
        for form in (f"are the {plural(kind)}", f"is the {kind}")
    ]


def _kinds(noun: str) -> list[str]:
    """The noun, and what stands for it where MEMORY does not know the kind of a thing."""
    return list(dict.fromkeys(kind for _, kind in _openings_for(noun) if kind != "person"))


def _openings_for(noun: str) -> list[tuple[str, str]]:
    """Question word and noun for whatever is of a kind: a customer may be a person or a company."""
    if not is_person_noun(noun):
        return [("What", noun), ("What", "entity")]
    if noun in AGENT_NOUNS:
        return [("Who", noun), ("What", noun), ("What", "entity")]
    return [("Who", noun), ("Who", "person")]


def _which_has(noun: str, possessed: str, value: str) -> str:
    """ "Which boat has Mara Lind as skipper", "Which boat has the length 12 metres"."""
    has = "have" if is_plural(noun) else "has"
    if looks_like_person_name(value) and is_person_noun(possessed):
        return f"Which {noun} {has} {value} as {possessed}"
    return f"Which {noun} {has} the {possessed} {value}"


def _place(phrase: NounPhrase, clause: Clause, fill: Fill) -> list[SubQuery]:
    """ "the office where Jonas Pike works": "Which office does Jonas Pike work in?" """
    text = _without_stranded(fill(clause.predicate.inverted(clause.subject or "")))
    which = f"Which {singular(phrase.noun)}"
    if singular(phrase.noun) in TIME_UNITS:
        return _limited([f"When {text}", f"In {which.lower()} {text}"])
    prepositions = [clause.preposition] if clause.preposition else ["in", "at"]
    wordings = [f"{which} {text} {preposition}" for preposition in prepositions]
    is_place = prepositions[0] in _TO_PLACES
    return _limited([*([f"Where {text}"] if is_place else []), *wordings, f"In {which.lower()} {text}"])


def _without_stranded(text: str) -> str:
    head, _, last = text.rpartition(" ")
    return head if last.lower() in PREPOSITIONS else text


# Whole questions


def whole(question: Question, fill: Fill) -> list[SubQuery]:
    """A question with its descriptions filled in, and plainer ways of asking the same."""
    text = fill(question.template)
    after = fill(question.template[1:]) if question.wh and question.template[:1] == (question.wh,) else ""
    general = _without_noun(question, after) if after and question.word in ("which", "what") else []
    if general and general[0].startswith("Where "):
        wordings = [*general, text]
    else:
        wordings = [text, *_active(text), *_stranded(question, after), *_whose_for_has(text), *general]
    otherwise = [*relation_from_verb(text), *reported_to(text), *in_charge(text.removeprefix("Who "))]
    return _limited([*wordings, *otherwise])


def _without_noun(question: Question, after: str) -> list[str]:
    """ "In which city does X live" as "Where does X live"."""
    if not question.noun:
        return []
    is_inverted = len(question.template) > 2 and isinstance(question.template[2], NounPhrase)
    prepositions = {question.wh.split()[0].lower(), after.split()[-1].lower()}
    if is_inverted and is_place_noun(question.noun) and prepositions & _TO_PLACES:
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
        asked = _in_the_active(agent_last["wh"], agent_last["agent"], verb_lemma(agent_last["verb"]))
        is_past = agent_last["be"] in ("was", "were")
        return [question for question in asked if not is_past or " did " in question]
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
    noun, value, role = singular(has["noun"]), has["value"], has["role"]
    who, kind = ("Who", "person") if is_person_noun(noun) else ("What", "entity")
    described = [f"{who} is the {each} whose {role} is {value}" for each in (noun, kind)]
    return [f"Which {noun} has {value} as {role}", *described]
