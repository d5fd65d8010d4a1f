"""Drafts about actions and kinds: forward, reverse, merged, and what can be computed from them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from knowledge.pipeline.types import Kind
from knowledge.rules.action_wordings import (
    Doing,
    circumstance_questions,
    doing_answer,
    for_one,
    kind_questions,
    made_active,
    object_questions,
    statement,
    subject_questions,
)
from knowledge.rules.catalog import Catalog
from knowledge.rules.discourse import has_name
from knowledge.rules.english import capitalise, find_dates, is_plural, join_list, years_between
from knowledge.rules.facts import Action, Adjunct, Classification, Draft, Evidence, distinct, norm
from knowledge.rules.index import LONGEST_LIST, CorpusIndex
from knowledge.rules.lexicon import words

_TIMES = frozenset({"point", "start", "end", "range", "duration", "frequency"})
LONGEST_KIND = 30
#: Wordings of a look-up by year: fewer, for it is a second view of a clause.
DATED_WORDINGS = 3
#: What several do with each other says nothing about each alone.
_DONE_TOGETHER = words(
    """
    meet marry share differ agree disagree divorce merge connect link combine unite compare separate divide
    exchange alternate collaborate cooperate compete border join total number
    consist comprise form constitute compose
    """
)
#: Prepositions that may end a question after an object: "Who did X share the prize with?"
_STRANDED = words("with from to for against")
_NEVER_STRANDED = frozenset({"out of", "as part of", "in place of"}) | frozenset(
    {
        "along with",
        "together with",
        "by",
        "within",
        "throughout",
        "under",
        "without",
        "after",
        "before",
        "as of",
        "during",
        "of",
    }
)
#: What is done to many things in one place.
_HAPPENS_WIDELY = words(
    "release sell hold locate situate show broadcast register use find include play distribute make"
)
#: A kind that is told closely enough to be looked up by: "a museum in Skov", "a form that Helix makes".
_DETAILED = re.compile(
    r" (?:in|of|at|on|for|by|from|to|near|with|that|who|which|between)\b.* (?:the )?\W?(?:[A-Z]|\d)"
)
#: What an authority does to more things than a text tells of.
_DONE_TO_MANY = words("license list designate regulate recognise recognize classify certify")
_BY_COUNTRY = words(
    "release premiere publish air stop launch broadcast introduce sell distribute screen show"
)
#: When somebody was elected means little without to what.
_CHOSEN = words("elect appoint transfer promote ordain sign admit commission nominate assign send")
_DONE_BY_MANY = words("represent feature play join visit")
#: Contests and lists that many take part in.
_LISTED = words(
    "olympics games championship championships cup register list league draft war congress census parliament"
)
#: What happens to one thing once needs no place in a question for its time.
_HAPPENS_ONCE = words("die open close start begin end happen occur premiere debut land")


@dataclass
class Said:
    """What several sentences say alike: the first action, the values that differ, and where each is stated."""

    action: Action
    values: dict[str, str] = field(default_factory=dict)
    places: dict[str, list[Evidence]] = field(default_factory=dict)
    adjuncts: dict[str, Adjunct] = field(default_factory=dict)

    def add(self, value: str, evidence: Evidence, adjunct: Adjunct | None = None) -> None:
        key = norm(value)
        self.values.setdefault(key, value)
        if evidence not in self.places.setdefault(key, []):
            self.places[key].append(evidence)
        if adjunct is not None:
            self.adjuncts.setdefault(key, adjunct)

    @property
    def support(self) -> tuple[tuple[Evidence, ...], ...]:
        return tuple(tuple(places) for places in self.places.values())


Gathered = dict[tuple[str, ...], Said]


def action_drafts(index: CorpusIndex) -> Iterator[Draft]:
    """Every draft that actions and kinds allow, over the whole corpus."""
    actions = [each for action in index.actions for voice in _voices(action) for each in _each_doer(voice)]
    objects, subjects, circumstances = _gathered(actions)
    for key, said in objects.items():
        yield from _object_drafts(key, said, index.catalog)
    shared = _shared_years(actions)
    for key, said in subjects.items():
        if (key[0], key[-1]) not in shared:
            yield from _subject_draft(key, said, index.catalog)
    for key, said in circumstances.items():
        yield from _circumstance_draft(key, said, index.catalog)
    yield from _dated(actions, index.catalog)
    yield from _merged(actions, index.catalog)
    yield from _durations(actions)
    yield from _kinds(index)


def verb_key(action: Action) -> str:
    """Equal for clauses whose verbs say the same in the same tense: "leads" and "lead"."""
    verb = action.verb
    auxiliary = {"do": "does", "are": "is", "were": "was", "have": "has"}.get(verb.auxiliary, verb.auxiliary)
    return f"{auxiliary} {verb.rest.casefold()}"


def _shared_years(actions: Iterable[Action]) -> set[tuple[str, str]]:
    """Verbs and years ("in 1980") that several subjects share, some of whom are told of by the day."""
    found: dict[tuple[str, str], dict[str, set[str]]] = {}
    for action in actions:
        year = _year(action)
        if year and not action.object:
            texts = found.setdefault((verb_key(action), f"in {year}"), {})
            texts.setdefault(norm(action.subject), set()).update(norm(each.text) for each in action.adjuncts)
    return {
        key
        for key, texts in found.items()
        if len(texts) > 1 and any(key[1] not in each for each in texts.values())
    }


def _voices(action: Action) -> Iterator[Action]:
    """ "X was built in 1962 by Y" as what Y did, and as what happened to X, whoever did it."""
    active = made_active(action)
    yield active
    if active is not action and active.adjuncts:
        kept = tuple(
            each for each in active.adjuncts if each.role in _TIMES | {"place"} or each.preposition == "as"
        )
        yield replace(action, adjuncts=kept)


def _each_doer(action: Action) -> Iterator[Action]:
    """ "A and B founded X": together, and each of them; what several do only together is not taken apart."""
    shared = any(each.preposition == "as" and each.plural for each in action.adjuncts)
    shared = shared or (action.verb.lemma in ("become", "remain", "be") and action.several)
    if action.verb.lemma.split()[0] in _DONE_TOGETHER or shared:
        yield replace(action, doers=(), members=())
        return
    yield action
    for doer in action.doers:
        yield replace(action, subject=doer, verb=for_one(action.verb), plural=False, doers=())


def _each_member(action: Action) -> Iterator[Action]:
    """ "X maintains A and B" looked up by A, by B, and by both."""
    yield action
    for member in action.members if action.verb.lemma not in _DONE_BY_MANY else ():
        yield replace(
            action, object=member, several=is_plural(member), clear=True, telling=True, counted="", rate=""
        )


def _gathered(actions: Iterable[Action]) -> tuple[Gathered, Gathered, Gathered]:
    objects: Gathered = {}
    subjects: Gathered = {}
    circumstances: Gathered = {}
    for action in actions:
        verb, subject = verb_key(action), norm(action.subject)
        if action.indefinite:
            circumstances_told = norm(" ".join(each.text for each in action.adjuncts))
            wanted = (verb, norm(action.object), circumstances_told)
            subjects.setdefault(wanted, Said(action)).add(action.subject, action.evidence)
            continue
        if action.object and not action.unnamed and action.verb.lemma not in _DONE_TO_MANY:
            objects.setdefault((subject, verb), Said(action)).add(action.object, action.evidence)
        whole = not any(each.preposition == "as" for each in action.adjuncts)
        for told in _each_member(action) if action.object and not action.doers and whole else ():
            if told.telling and not (told.unnamed and told.plural):
                subjects.setdefault((verb, norm(told.object)), Said(told)).add(told.subject, told.evidence)
        for adjunct in action.adjuncts if not action.unnamed else ():
            key = (subject, verb, norm(action.object), _beside(action, adjunct), _manner(adjunct))
            if _is_asked_for(action, adjunct):
                circumstances.setdefault(key, Said(action)).add(adjunct.text, action.evidence, adjunct)
            if adjunct.named and adjunct.role in ("place", "other") and _may_find(action):
                told = replace(action, adjuncts=(adjunct,))
                where = (verb, norm(action.object), norm(adjunct.text))
                subjects.setdefault(where, Said(told)).add(action.subject, action.evidence)
            alone = not action.object and not action.doers
            if alone and not _beside(action, adjunct) and _singles_out(action, adjunct):
                subjects.setdefault(
                    (verb, "", norm(adjunct.text)), Said(replace(action, adjuncts=(adjunct,)))
                ).add(action.subject, action.evidence)
    return objects, subjects, circumstances


def _manner(adjunct: Adjunct) -> str:
    return "time" if adjunct.role in ("point", "range") else f"{adjunct.role} {adjunct.preposition}"


def _differs_by_place(action: Action) -> bool:
    """ "Released in France in 2006": elsewhere it was another time."""
    placed = any(each.role == "place" for each in action.adjuncts)
    return placed and action.verb.lemma.split()[0] in _BY_COUNTRY


def _is_asked_for(action: Action, adjunct: Adjunct) -> bool:
    """Is there a natural question for it: not "What does X narrate events in?" or "What was X at?" """
    if action.subject in adjunct.value:
        return False
    if adjunct.role in _TIMES | {"place"} and _differs_by_place(action):
        return False
    if adjunct.role == "agent" and (not action.verb.passive or action.object):
        return False
    if adjunct.role != "other":
        return True
    is_bare = action.verb.finite in ("is", "are", "was", "were") and not action.object
    if is_bare or adjunct.preposition in _NEVER_STRANDED:
        return False
    clear = adjunct.named or any(char.isdigit() for char in adjunct.value)
    if adjunct.preposition in ("in", "on", "at") and not adjunct.named:
        return False
    return not action.object or (adjunct.preposition in _STRANDED and clear)


def _may_find(action: Action) -> bool:
    """What somebody can do, others can do as well."""
    if not action.object or action.doers:
        return False
    return action.telling or action.verb.auxiliary not in ("can", "may", "will")


def _singles_out(action: Action, adjunct: Adjunct) -> bool:
    """May "who did it there?" have one answer: not "Who turned in office?", not "What was sold in France?" """
    if adjunct.role == "place" and (action.verb.passive and action.verb.lemma in _HAPPENS_WIDELY):
        return False
    if adjunct.role in ("start", "end", "range", "duration") or action.verb.lemma in _CHOSEN:
        return False
    if adjunct.value.startswith(("a number", "many ", "several ", "various ", "numerous ")):
        return False
    if _LISTED & set(re.findall(r"\w+", adjunct.value.lower())):
        return False
    others = [each for each in action.adjuncts if each is not adjunct and each.role not in _TIMES | {"place"}]
    if others and action.verb.lemma not in _HAPPENS_ONCE:
        return False
    return adjunct.preposition != "as" and (has_name(adjunct.value) or any(map(str.isdigit, adjunct.value)))


def _beside(action: Action, adjunct: Adjunct) -> str:
    """The complement that a question for a time must keep: "When did X move to Oslo?" """
    chosen = action.verb.lemma in _CHOSEN
    if action.object or (action.verb.passive and not chosen) or adjunct.role not in _TIMES:
        return ""
    once = action.verb.lemma in _HAPPENS_ONCE
    left_out = _TIMES | {"place"} if once else _TIMES
    first = next((each for each in action.adjuncts if each.role not in left_out), None)
    return first.text if first is not None and first is not adjunct else ""


def _object_drafts(key: tuple[str, ...], said: Said, catalog: Catalog, when: str = "") -> Iterator[Draft]:
    values = distinct(said.values.values())
    if len(values) > LONGEST_LIST:
        return
    counts = len(values) > 1 and any(value[:1].isdigit() or said.action.counted for value in values)
    if counts:
        return
    action = replace(
        said.action, object=join_list(values), counted="" if len(values) > 1 else said.action.counted
    )
    yield Draft(
        fact=" | ".join((*key[:2], *([when] if when else []))),
        kind=Kind.DIRECT,
        questions=tuple(object_questions(action, catalog, when))[: DATED_WORDINGS if when else None],
        answer=statement(action, when),
        support=said.support,
        entity=action.subject,
    )


def _subject_draft(key: tuple[str, ...], said: Said, catalog: Catalog, when: str = "") -> Iterator[Draft]:
    subjects = tuple(distinct(said.values.values()))
    action = said.action
    if len(subjects) > LONGEST_LIST or not (action.clear or not action.object):
        return
    adjuncts = action.adjuncts if len(key) == 3 and not when else ()
    if any(each.role in ("duration", "frequency") for each in adjuncts):
        return
    circumstances = [each.text for each in adjuncts] + ([when] if when else [])
    doing = Doing(action, subjects)
    questions = subject_questions(doing, catalog, *circumstances)
    named = [norm(subject) for subject in subjects]
    yield Draft(
        fact=f"{' | '.join(key)} < who",
        kind=Kind.ENTITY,
        questions=tuple(each for each in questions if not any(name in norm(each) for name in named))[
            : DATED_WORDINGS if when else None
        ],
        answer=doing_answer(doing, *circumstances),
        support=said.support,
        entity=subjects[0] if len(subjects) == 1 else "",
    )


def _circumstance_draft(key: tuple[str, ...], said: Said, catalog: Catalog) -> Iterator[Draft]:
    adjuncts = [said.adjuncts[value] for value in said.values]
    beside = key[3]
    if len(adjuncts) > LONGEST_LIST:
        return
    adjunct = adjuncts[0]
    texts = distinct(each.text for each in adjuncts)
    questions = circumstance_questions(said.action, adjunct, catalog, beside)
    yield Draft(
        fact=" | ".join(key),
        kind=Kind.DIRECT,
        questions=tuple(questions),
        answer=statement(said.action, beside, join_list(texts)),
        support=said.support,
        entity=said.action.subject,
    )


def _dated(actions: Iterable[Action], catalog: Catalog) -> Iterator[Draft]:
    """ "What did X buy in 2016?", "Who joined X in 2016?": one side of a dated clause, by its year."""
    objects: dict[tuple[str, ...], Said] = {}
    subjects: dict[tuple[str, ...], Said] = {}
    for action in actions:
        year = _year(action)
        if action.indefinite or not action.object or not year:
            continue
        verb = verb_key(action)
        dated = replace(action, adjuncts=())
        if not action.unnamed and (action.subject[:1].isupper() or has_name(action.subject)):
            told_of = (norm(action.subject), verb, year)
            objects.setdefault(told_of, Said(dated)).add(action.object, action.evidence)
        for told in _each_member(dated) if not action.doers else ():
            done_to = (verb, norm(told.object), year)
            if told.telling and not (told.unnamed and told.plural):
                subjects.setdefault(done_to, Said(told)).add(told.subject, told.evidence)
    for key, said in objects.items():
        yield from _object_drafts(key, said, catalog, f"in {key[2]}")
    for key, said in subjects.items():
        yield from _subject_draft(key, said, catalog, f"in {key[2]}")


def _year(action: Action) -> str:
    """The year of the one time that a clause gives, if it is a point in time."""
    times = [each for each in action.adjuncts if each.role in _TIMES]
    dates = find_dates(times[0].value) if len(times) == 1 and times[0].role == "point" else []
    on_time = bool(times) and times[0].preposition in ("", "in", "on", "at")
    return str(dates[0].year) if len(dates) == 1 and dates[0].year and on_time else ""


def _merged(actions: Iterable[Action], catalog: Catalog) -> Iterator[Draft]:
    """ "When and where was X born?": time and place of one clause in one question."""
    for action in actions:
        if action.indefinite or action.unnamed or _differs_by_place(action):
            continue
        time = next((each for each in action.adjuncts if each.role == "point"), None)
        place = next((each for each in action.adjuncts if each.role == "place"), None)
        if time is None or place is None:
            continue
        verb = action.verb
        rest = " ".join(part for part in (action.subject, verb.rest, action.object) if part)
        yield Draft(
            fact=f"{norm(action.subject)} | {verb_key(action)} | {norm(action.object)} | when and where",
            kind=Kind.CONSOLIDATED,
            questions=(
                f"When and where {verb.auxiliary} {rest}?",
                f"Where and when {verb.auxiliary} {rest}?",
            ),
            answer=statement(action, place.text, time.text),
            support=((action.evidence,),),
            entity=action.subject,
        )


def _durations(actions: Iterable[Action]) -> Iterator[Draft]:
    """ "from 2015 to 2019" is four years; born and died on known days is an age."""
    born: dict[str, tuple[Action, Adjunct]] = {}
    died: dict[str, tuple[Action, Adjunct]] = {}
    for action in actions:
        for adjunct in action.adjuncts if not action.indefinite else ():
            if adjunct.role == "range":
                yield from _range_draft(action, adjunct)
            if adjunct.role == "point" and adjunct.preposition in ("on", "in"):
                if action.verb.lemma == "bear" and action.verb.passive:
                    born.setdefault(norm(action.subject), (action, adjunct))
                elif action.verb.lemma == "die":
                    died.setdefault(norm(action.subject), (action, adjunct))
    for name in born.keys() & died.keys():
        yield from _age_draft(*born[name], *died[name])


def _range_draft(action: Action, adjunct: Adjunct) -> Iterator[Draft]:
    dates = find_dates(adjunct.value)
    years = years_between(dates[0], dates[1]) if len(dates) == 2 else None
    if not years or years < 0 or adjunct.preposition != "from":
        return
    amount = "1 year" if years == 1 else f"{years} years"
    rest = " ".join(
        part for part in (action.subject, action.verb.rest, action.object, _complement(action)) if part
    )
    yield Draft(
        fact=f"{norm(action.subject)} | {verb_key(action)} | {norm(action.object)} | {adjunct.text} | how long",
        kind=Kind.INDIRECT,
        questions=(
            f"For how many years {action.verb.auxiliary} {rest}?",
            f"For how long {action.verb.auxiliary} {rest}?",
            f"How long {action.verb.auxiliary} {rest}?",
        ),
        answer=statement(action, _complement(action), f"for {amount}, {adjunct.text}"),
        support=((action.evidence,),),
        entity=action.subject,
    )


def _complement(action: Action) -> str:
    if action.object:
        return ""
    return next((each.text for each in action.adjuncts if each.role not in _TIMES), "")


def _age_draft(birth: Action, born: Adjunct, death: Action, died: Adjunct) -> Iterator[Draft]:
    first, last = find_dates(born.value), find_dates(died.value)
    if not (first and last and first[0].is_full and last[0].is_full):
        return
    age = years_between(first[0], last[0])
    if age is None or not 0 <= age <= 120:
        return
    name = death.subject
    yield Draft(
        fact=f"{norm(name)} | age at death",
        kind=Kind.INDIRECT,
        questions=(
            f"At what age did {name} die?",
            f"How old was {name} at death?",
            f"How old did {name} become?",
        ),
        answer=f"{name} died at the age of {age}.",
        support=((birth.evidence,), (death.evidence,)),
        entity=name,
    )


# Kinds


def _kinds(index: CorpusIndex) -> Iterator[Draft]:
    by_subject: dict[str, list[Classification]] = {}
    by_phrase: dict[str, list[Classification]] = {}
    by_noun: dict[str, list[Classification]] = {}
    for fact in index.classifications:
        by_subject.setdefault(norm(fact.subject), []).append(fact)
        by_phrase.setdefault(norm(fact.phrase), []).append(fact)
        by_noun.setdefault(fact.noun, []).append(fact)
    for facts in by_subject.values():
        yield _kind_draft(facts, index.catalog)
    for facts in by_phrase.values():
        if not _is_exceeded(facts, by_noun[facts[0].noun]):
            yield from _instances(facts, index.catalog)


def _is_exceeded(facts: list[Classification], alike: list[Classification]) -> bool:
    """ "An American actress" when another is "an American film actress": it is not the only one."""
    wanted = set(norm(facts[0].phrase).split())
    subjects = {norm(fact.subject) for fact in facts}
    return any(
        norm(fact.subject) not in subjects and wanted < set(norm(fact.phrase).split()) for fact in alike
    )


def _kind_draft(facts: list[Classification], catalog: Catalog) -> Draft:
    first = facts[0]
    same = [fact for fact in facts if fact.past == first.past and fact.plural == first.plural]
    phrases = distinct(fact.phrase for fact in same)
    # A bare kind ("a project") adds nothing to a fuller one ("a project in Oslo").
    fuller = [
        each
        for each in phrases
        if not any(other != each and norm(other).startswith(norm(each)) for other in phrases)
    ]
    if len(" ".join(fuller).split()) > LONGEST_KIND:
        fuller = fuller[:1]
    be = ("were" if first.plural else "was") if first.past else ("are" if first.plural else "is")
    chosen = [fact for fact in same if fact.phrase in fuller]
    return Draft(
        fact=f"{norm(first.subject)} | kind",
        kind=Kind.DIRECT,
        questions=tuple(
            kind_questions(first.subject, [fact.noun for fact in chosen], first.past, first.plural, catalog)
        ),
        answer=f"{capitalise(first.subject)} {be} {join_list(fuller)}.",
        support=tuple((fact.evidence,) for fact in chosen),
        entity=first.subject,
    )


def _instances(facts: list[Classification], catalog: Catalog) -> Iterator[Draft]:
    """ "Who is a senior engineer at Kestrel?": only for a kind that is described closely enough."""
    first = facts[0]
    subjects = distinct(fact.subject for fact in facts)
    if (
        not 3 <= len(first.phrase.split()) <= 14
        or len(subjects) > LONGEST_LIST
        or first.plural
        or not first.noun
        or not _DETAILED.search(first.phrase)
    ):
        return
    if first.phrase.startswith("the ") and not has_name(first.phrase):
        return
    be = "was" if first.past else "is"
    word = "Who" if catalog.is_person(first.subject) else "What"
    kind = catalog.noun(first.subject)
    questions = [f"{word} {be} {first.phrase}?"]
    if kind and kind != first.noun:
        questions.append(f"Which {kind} {be} {first.phrase}?")
    several = {"was": "were each", "is": "are each"}[be]
    told = f"{join_list(subjects)} {several if len(subjects) > 1 else be} {first.phrase}."
    yield Draft(
        fact=f"kind = {norm(first.phrase)}",
        kind=Kind.ENTITY,
        questions=tuple(questions),
        answer=capitalise(told),
        support=tuple((fact.evidence,) for fact in facts),
        entity=first.subject if len(subjects) == 1 else "",
    )
