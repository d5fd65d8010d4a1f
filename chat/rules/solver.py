"""Answers a question from MEMORY's answers so far, or says what has to be asked next.

The plan is a pure function of the question and of what MEMORY has said: it is worked through from the start
each time, and stops at the first answer that is missing. So the EXECUTIVE keeps no state of its own, a turn
can be taken up anywhere, and independent sub-queries come out together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice, product
from typing import TypeVar

from chat.protocol.events import Stage
from chat.protocol.mentions import names_in
from chat.protocol.state import Exchange, State, SubQuery
from chat.rules import wordings
from chat.rules.answers import values_of
from chat.rules.kinship import COMPOSED, Path
from chat.rules.phrases import Clause, NounPhrase, Question, Template, descriptions, kinds, render
from knowledge.rules.english import is_person_noun, is_plural, singular, strip_article
from knowledge.rules.lexicon import BE_FORMS, PLACE_WORDS, words

T = TypeVar("T")
#: Nouns that a place's own name follows: "the city of Oslo" is Oslo.
_PLACES_WITH_NAMES = words("city town village municipality borough county province state island port parish")
#: As many values of a description are followed up.
MOST_VALUES = 24
#: As many things in a question are looked for by their kind.
MOST_KINDS = 2


@dataclass(frozen=True)
class Finding:
    """What a phrase or question was found to stand for, and the exchanges that say so.

    ``partial`` is true where a part of what was needed is not known.
    """

    values: tuple[str, ...] = ()
    support: tuple[int, ...] = ()
    last: tuple[int, ...] = ()
    partial: bool = False

    @classmethod
    def union(cls, findings: Iterable[Finding]) -> Finding:
        findings = list(findings)
        return cls(
            _unique(value for finding in findings for value in finding.values),
            _unique(index for finding in findings for index in finding.support),
            _unique(index for finding in findings for index in finding.last),
            any(finding.partial or not finding.values for finding in findings),
        )

    def after(self, support: Iterable[int]) -> Finding:
        """The same, resting on earlier exchanges as well."""
        return Finding(self.values, _unique((*support, *self.support)), self.last, self.partial)


class Pending(Exception):
    """Sub-queries that must be answered first."""

    def __init__(self, stage: Stage, sub_queries: Sequence[SubQuery]) -> None:
        super().__init__(stage)
        self.stage = stage
        self.sub_queries = tuple(sub_queries)


@dataclass
class Solver:
    """One pass over the plan. With ``final`` set, what was not asked counts as not known."""

    state: State
    final: bool = False
    candidates: tuple[str, ...] = ()
    unknown: list[str] = field(default_factory=list)
    resolved: dict[tuple[int, Stage | None], Finding] = field(default_factory=dict)

    # Whole questions

    def answer(self, question: Question) -> Finding:
        """Resolve the question; without values where MEMORY does not know."""
        if question.kind == "possession" and question.subject:
            return self.possession(question, question.subject)
        if question.kind == "identity" and question.subject and question.subject.is_description:
            return self.identity(question, question.subject)
        if _is_about_place(question) and len(question.descriptions) == 1:
            return self.direct_first(question)
        return self.filled(question)

    def identity(self, question: Question, subject: NounPhrase) -> Finding:
        asks_past = render(question.template).split()[1:2] in (["was"], ["were"])
        found = self.resolve(subject, "answer_seeking", asks_past=asks_past)
        excluded = self.resolve(question.excluded).values if question.excluded else ()
        return replace(found, values=tuple(value for value in found.values if value not in excluded))

    def filled(self, question: Question) -> Finding:
        """Put each value of the descriptions into the question and ask it."""
        return self.for_each_filling(
            question.template,
            lambda fill: self.first_known(wordings.whole(question, fill), "answer_seeking"),
        )

    def direct_first(self, question: Question) -> Finding:
        """ "Where is the headquarters of X?" is one question; only if it is not known, it is two."""
        description = question.descriptions[0]
        owner = description.genitive
        if owner is None or is_person_noun(description.noun):
            return self.filled(question)
        head = f"{description.determiner or 'the'} {description.noun} of"

        def whole(fill: wordings.Fill) -> Finding:
            def kept(template: Template) -> str:
                return render(
                    template, lambda part: fill((head, owner)) if part is description else fill((part,))
                )

            return self.first_known(wordings.whole(question, kept), "answer_seeking")

        direct = self.for_each_filling((owner,), whole)
        return direct if direct.values else self.filled(question)

    def possession(self, question: Question, owner: NounPhrase) -> Finding:
        """ "How many friends does X have?": the list, or its length."""

        def ask(fill: wordings.Fill) -> Finding:
            text = fill((owner,))
            if question.word != "how many":
                return self.relation(question.noun, text, "answer_seeking")
            found = self.first_known(wordings.count(question.noun, text), "answer_seeking")
            if not found.values:
                found = self.composed(question.noun, text, "answer_seeking")
            return _counted(found)

        return self.for_each_filling((owner,), ask)

    # Noun phrases

    def resolve(self, phrase: NounPhrase, stage: Stage | None = None, *, asks_past: bool = False) -> Finding:
        """The entities that a phrase stands for; a name stands for itself."""
        key = (id(phrase), stage)
        if key not in self.resolved:
            self.resolved[key] = self._resolve(phrase, stage, asks_past)
        return self.resolved[key]

    def _resolve(self, phrase: NounPhrase, stage: Stage | None, asks_past: bool) -> Finding:
        if not phrase.is_description:
            return self.for_each_filling(phrase.parts, lambda fill: Finding((fill(phrase.parts),)))
        if phrase.members:
            return Finding.union(self.gather(phrase.members, self.resolve))
        stage = stage or ("grounding" if _is_innermost(phrase) else "entity_identification")
        if phrase.clauses:
            found = self.by_clauses(phrase, stage)
        else:
            found = self.by_relation(phrase, stage, asks_past)
        if stage != "answer_seeking" and found.values:
            self.candidates = found.values
        return found

    def by_relation(self, phrase: NounPhrase, stage: Stage, asks_past: bool = False) -> Finding:
        """ "the R of X", for each X, and for each R where there are several."""
        owner = phrase.genitive
        if owner is None:
            return Finding()
        if phrase.noun.lower() in wordings.NAMING_NOUNS:
            return self.named(owner, stage)
        if phrase.noun.lower() in _PLACES_WITH_NAMES and owner.is_name:
            return Finding((phrase.text,))

        def ask(fill: wordings.Fill) -> Finding:
            name = fill((owner,))
            if phrase.tail:
                found = self.first_known(wordings.what_is(phrase, fill), stage)
                if found.values:
                    return found
            return Finding.union(
                self.gather(phrase.nouns, lambda noun: self.relation(noun, name, stage, asks_past=asks_past))
            )

        found = self.for_each_filling((owner, *phrase.tail), ask)
        is_part = stage != "answer_seeking" and not is_person_noun(phrase.noun) and not found.values
        return self.for_each_filling((owner,), partial(_as_part, phrase)) if is_part else found

    def named(self, phrase: NounPhrase, stage: Stage) -> Finding:
        """ "the name of the airport in X" asks which airport it is."""
        if phrase.is_description:
            return self.resolve(phrase, stage)
        return self.for_each_filling(
            phrase.parts, lambda fill: self.first_known(wordings.what_is(phrase, fill), stage)
        )

    def relation(self, noun: str, owner: str, stage: Stage, *, asks_past: bool = False) -> Finding:
        """The R of X by name; kinship that MEMORY was never told is composed from what it was."""
        asked = wordings.relation(noun, owner, asked_past=asks_past)
        found = self.first_known(asked, stage)
        return found if found.values else self.composed(noun, owner, stage)

    def composed(self, noun: str, owner: str, stage: Stage) -> Finding:
        """A grandmother is the mother of a parent: follow each path of the definition."""
        paths = COMPOSED.get(singular(noun.lower()), ())
        findings = self.gather(paths, lambda path: self.along(path, owner, stage))
        return Finding.union(found for found in findings if found.values)

    def along(self, path: Path, owner: str, stage: Stage) -> Finding:
        """Follow one path; nobody is a relative of themselves."""
        found = Finding((owner,))
        for noun in path:
            found = self.relation_of_all(noun, found, stage)
        return replace(found, values=tuple(value for value in found.values if value != owner))

    def relation_of_all(self, noun: str, owners: Finding, stage: Stage) -> Finding:
        reached = self.gather(owners.values, lambda owner: self.relation(noun, owner, stage))
        return Finding.union(found.after(owners.support) for found in reached if found.values)

    def by_clauses(self, phrase: NounPhrase, stage: Stage) -> Finding:
        """What fits every clause; each clause is one independent question."""
        if len(phrase.clauses) > 1 or phrase.genitive is not None:
            stage = "grounding" if _is_innermost(phrase) else "entity_identification"
        clues: list[Callable[[], Finding]] = [
            partial(self.by_clause, phrase, clause, stage) for clause in phrase.clauses
        ]
        if phrase.genitive is not None:
            clues.insert(0, lambda: self.by_relation(phrase, stage))
        found = self.gather(clues, lambda clue: clue())
        return _narrowed(found)

    def by_clause(self, phrase: NounPhrase, clause: Clause, stage: Stage) -> Finding:
        known = self.all_known if clause.gap == "whose" and is_plural(phrase.noun) else self.first_known
        found = self.for_each_filling(
            clause.parts,
            lambda fill: known(wordings.clause(phrase, clause, fill), stage),
        )
        return found if is_person_noun(phrase.noun) else _of_the_kind(phrase.noun, found)

    # Filling and asking

    def for_each_filling(self, template: Template, ask: Callable[[wordings.Fill], Finding]) -> Finding:
        """Ask once for each combination of the values of the descriptions in a template.

        Where nothing comes of that, what the template tells by its kind alone is named as well.
        """
        described = list(descriptions(template))
        resolved = self.gather(described, self.resolve)
        if any(not found.values for found in resolved):
            return Finding(partial=True)
        direct = self.with_names(described, resolved, ask)
        if direct.values:
            return direct
        of_kinds = list(islice(kinds(template), MOST_KINDS))
        looked_up = zip(of_kinds, self.gather(of_kinds, self.by_kind), strict=True)
        named = [(phrase, found) for phrase, found in looked_up if found.values]
        if not named:
            return direct
        things, names = zip(*named, strict=True)
        return self.with_names([*described, *things], [*resolved, *names], ask)

    def with_names(
        self,
        described: Sequence[NounPhrase],
        resolved: Sequence[Finding],
        ask: Callable[[wordings.Fill], Finding],
    ) -> Finding:
        """Ask with each combination of what the phrases stand for in their places."""
        support = [index for found in resolved for index in found.support]
        combinations = list(islice(product(*(found.values for found in resolved)), MOST_VALUES))

        def ask_with(values: tuple[str, ...]) -> Finding:
            names = dict(zip(map(id, described), values, strict=True))
            return ask(lambda parts: render(parts, lambda part: names.get(id(part), part.text)))

        found = Finding.union(self.gather(combinations, ask_with))
        return found.after(support) if found.values else Finding(partial=True)

    def by_kind(self, phrase: NounPhrase) -> Finding:
        """The name of "the weather buoy". A definition of what that is names nothing."""
        for sub_query in wordings.of_kind(phrase):
            found = self.told(sub_query, "grounding")
            named = tuple(value for value in found.values if _is_named(value, phrase))
            if named:
                self.candidates = named
                return replace(found, values=named)
        return Finding(partial=True)

    def first_known(self, asked: Sequence[SubQuery], stage: Stage) -> Finding:
        """The first wording that MEMORY answers with something usable."""
        others = (*wordings.plainer(asked), *wordings.with_other_verb(asked))
        for sub_query in (*asked, *others):
            found = self.told(sub_query, stage)
            if found.values:
                return found
        self.unknown.append(asked[0].question)
        return Finding(partial=True)

    def all_known(self, asked: Sequence[SubQuery], stage: Stage) -> Finding:
        """What MEMORY tells in answer to any wording: several that fit may be known one by one."""
        findings = self.gather(asked, lambda sub_query: self.told(sub_query, stage))
        known = [found for found in findings if found.values]
        if not known:
            self.unknown.append(asked[0].question)
        return Finding.union(known) if known else Finding(partial=True)

    def told(self, sub_query: SubQuery, stage: Stage) -> Finding:
        """The values in MEMORY's answer to one sub-query."""
        exchange = self.exchange(sub_query, stage)
        values = values_of(sub_query.question, exchange.answer) if exchange and exchange.known else ()
        return Finding(values, (exchange.index,), (exchange.index,)) if exchange and values else Finding()

    def exchange(self, sub_query: SubQuery, stage: Stage) -> Exchange | None:
        known = self.state.answer_to(sub_query.question)
        if known is None and not self.final:
            raise Pending(stage, [sub_query])
        return known

    def gather(self, items: Iterable[T], step: Callable[[T], Finding]) -> list[Finding]:
        """Take a step for each item; what is missing for any of them is asked for together."""
        findings, pending = [], []
        for item in items:
            try:
                findings.append(step(item))
            except Pending as missing:
                pending.append(missing)
        if pending:
            raise Pending(pending[0].stage, [sub_query for one in pending for sub_query in one.sub_queries])
        return findings


def _is_named(value: str, phrase: NounPhrase) -> bool:
    """A name, and not what is asked about in other words."""
    is_name = strip_article(value)[:1].isupper() and bool(names_in(f"It is {value}"))
    return is_name and value not in phrase.text


def _as_part(phrase: NounPhrase, fill: wordings.Fill) -> Finding:
    """A thing without a name of its own goes by its description: "the hull of Petrel"."""
    owner = (phrase.genitive,) if phrase.genitive else ()
    return Finding((f"the {phrase.noun} of {fill(owner)}",))


def _narrowed(clues: Sequence[Finding]) -> Finding:
    """What the known clues have in common; where nothing fits all of them, what fits most."""
    known = [clue for clue in clues if clue.values]
    if not known:
        return Finding(partial=True)
    fits = {value: sum(value in clue.values for clue in known) for clue in known for value in clue.values}
    most = max(fits.values())
    support = [index for clue in known for index in clue.support]
    last = [index for clue in known for index in clue.last]
    values = tuple(value for value in fits if fits[value] == most)
    return Finding(values, _unique(support), _unique(last), most < len(clues))


def _of_the_kind(noun: str, found: Finding) -> Finding:
    """Of several things, those that say to be of the kind asked for ("the Bergen office", "Project Atlas")."""
    kind = singular(noun.lower())
    fitting = tuple(value for value in found.values if kind in value.lower().split())
    return Finding(fitting or found.values, found.support, found.last, found.partial)


def _counted(found: Finding) -> Finding:
    is_number = len(found.values) == 1 and found.values[0].replace(",", "").replace(".", "").isdigit()
    if not found.values or is_number:
        return found
    return Finding((str(len(found.values)),), found.support, found.last, found.partial)


def _is_about_place(question: Question) -> bool:
    words = render(question.template[1:2]).split()
    return bool(words) and words[0] in BE_FORMS and (question.word == "where" or question.noun in PLACE_WORDS)


def _is_innermost(phrase: NounPhrase) -> bool:
    inner: Template = ((phrase.genitive,) if phrase.genitive else ()) + tuple(
        part for clause in phrase.clauses for part in clause.parts
    )
    return not list(descriptions(inner))


def _unique(items: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(items))
