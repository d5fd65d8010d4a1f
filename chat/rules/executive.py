"""The built-in EXECUTIVE: English questions decomposed by rules, without a language model."""

from __future__ import annotations

from dataclasses import replace

from chat.protocol.candidates import named
from chat.protocol.executive import Decision, Say, Synthesis
from chat.protocol.state import STAGES, Clue, State, SubQuery
from chat.rules import telling
from chat.rules.follow_up import reply_without_memory, self_contained
from chat.rules.frames import parse_question
from chat.rules.intake import questions_in
from chat.rules.phrases import NounPhrase, Question, render
from chat.rules.solver import Finding, Pending, Solver
from chat.rules.wordings import sentence
from knowledge.rules.english import join_list


class RulesExecutive:
    """Finds the innermost description in a question, has MEMORY resolve it, and goes on with what it named.

    Nothing is kept between calls: the plan is worked through anew over the answers in the state.
    """

    name = "rules"
    reserve = 0.0

    async def decide(self, state: State, say: Say) -> Decision:
        """Ask what is missing for the plan, as far as it belongs to this stage or an earlier one."""
        if state.rounds:
            return _decide(state)
        if reply := reply_without_memory(state.question, state.history):
            return Decision(answer=reply)
        question = self_contained(state.question, state.history)
        decision = _decide(replace(state, question=question))
        return decision if question == state.question else replace(decision, question=question)

    async def synthesise(self, state: State, say: Say) -> Synthesis:
        """The answer in full sentences; what was not asked counts as not known."""
        return telling.combined([_answered(question, state) for question in questions_in(state.question)])


def _decide(state: State) -> Decision:
    pending, candidates = _missing(state)
    questions = map(parse_question, questions_in(state.question))
    clues = tuple(Clue(clue) for question in questions for clue in _clues(question))
    is_due = pending is not None and STAGES.index(pending.stage) <= STAGES.index(state.stage)
    return Decision(
        ask=pending.sub_queries if pending and is_due else (),
        clues=clues,
        candidates=None if candidates is None else named(candidates),
        note=_note(state, candidates, is_due),
    )


def _missing(state: State) -> tuple[Pending | None, tuple[str, ...] | None]:
    """What has to be asked next, over all questions of the message, and the candidates found on the way."""
    missing: list[Pending] = []
    candidates: tuple[str, ...] = ()
    for text in questions_in(state.question):
        solver = Solver(state)
        try:
            _solve(text, parse_question(text), solver)
        except Pending as pending:
            missing.append(pending)
        candidates = solver.candidates or candidates
    if not missing:
        return None, candidates or None
    stage = min((pending.stage for pending in missing), key=STAGES.index)
    now = [sub_query for pending in missing if pending.stage == stage for sub_query in pending.sub_queries]
    return Pending(stage, now), candidates or None


def _solve(text: str, question: Question, solver: Solver) -> Finding:
    """The answer by the plan; failing that, by the question as it was put."""
    found = solver.answer(question)
    return found if found.values else solver.first_known([SubQuery(sentence(text))], "answer_seeking")


def _answered(text: str, state: State) -> Synthesis:
    solver = Solver(state, final=True)
    question = parse_question(text)
    found = _solve(text, question, solver)
    return telling.synthesis(question, found, state, solver.unknown)


def _described(question: Question) -> tuple[NounPhrase, ...]:
    return question.descriptions or ((question.subject,) if question.subject else ())


def _clues(question: Question) -> list[str]:
    """The atomic constraints: each clause, and each innermost "R of X"."""
    clues = [clue for phrase in _described(question) for clue in _constraints(phrase)]
    return clues or [sentence(render(question.template))]


def _constraints(phrase: NounPhrase) -> list[str]:
    inner = [part for part in (phrase.genitive, *phrase.members) if part is not None]
    inner += [part for clause in phrase.clauses for part in clause.parts if isinstance(part, NounPhrase)]
    found = [clue for part in inner for clue in _constraints(part)]
    return [*found, phrase.text] if phrase.is_description and not phrase.members else found


def _note(state: State, candidates: tuple[str, ...] | None, asking: bool) -> str:
    """What the stage is for in this turn, or where the candidates come from."""
    named = join_list((candidates or ())[:5])
    if state.stage == "grounding":
        if candidates:
            return "Named by the clues."
        return "Each clue is asked on its own." if asking else "The question names what it is about."
    if state.stage == "entity_identification":
        if asking:
            return f"Going on from {named}." if named else "Looking for the entity."
        return f"Found: {named}." if named else "There is no entity to look for."
    return "Asking for what was wanted, by name." if asking else "Putting the answer together."
