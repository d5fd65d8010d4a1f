"""The EXECUTIVE that is a language model: one round trip a decision.

The paper's code takes at least four serial round trips a question: clues, candidates, next question, answer. Here
each reply decides all that can be decided at its point, so that a question of one fact takes two round trips and
one of two hops three: the plan with its first questions, the next questions with the candidates, the answer.
"""

from __future__ import annotations

from collections.abc import Sequence

from chat.language_model import answers
from chat.language_model.calling import Call, Connect
from chat.language_model.messages import Next, Plan, ProposedSubQuery, RankedCandidate
from chat.language_model.repeats import is_nearly_the_same, repeated
from chat.language_model.writing import next_request, plan_request
from chat.protocol.candidates import Candidate, ranked
from chat.protocol.executive import Decision, Say, Synthesis, Usage
from chat.protocol.state import Clue, State, SubQuery, same_question_key
from memosite.llm import BadReply, LLMError
from memosite.llm.text import printable

#: Paraphrases that go to MEMORY beside a question; sub-queries that one reply may propose.
PARAPHRASES, PROPOSALS = 3, 8
#: After so many failures in a row the model is not called again in this turn.
GIVEN_UP_AFTER = 2
#: One call may take this share of the seconds that the turn has left.
SHARE_OF_TIME = 0.6


class LanguageModelExecutive:
    """Decides with a language model. ``connect`` gives the client of the running event loop and its slots.

    It never raises for what the model or its server does: it says what was wrong and goes on with what is known.
    """

    reserve = 0.25

    def __init__(self, name: str, connect: Connect) -> None:
        self.name = name
        self._connect = connect

    async def decide(self, state: State, say: Say) -> Decision:
        """The plan, and later the next questions or the answer, in one round trip."""
        if state.failures >= GIVEN_UP_AFTER:
            problem = "The EXECUTIVE failed twice in a row and is not asked again for this question."
            return Decision(answer=answers.from_facts(state, problem, Usage()), problem=problem)
        if state.rounds == 0:
            return await self._plan(state, say)
        return await self._next(state, say)

    async def _plan(self, state: State, say: Say) -> Decision:
        call = self._call(state, say, "reply")
        try:
            plan = await call.ask(plan_request(state), _check_plan)
        except LLMError as error:
            return Decision(
                ask=(SubQuery(state.question),),
                note="Memory is asked the question as it stands.",
                problem=printable(str(error)),
                usage=call.usage,
            )
        if plan.kind == "reply":
            reply = Synthesis(plan.reply.strip(), from_memory=False, usage=call.usage)
            return Decision(answer=reply, usage=call.usage)
        asked = plan.question.strip()
        is_new = asked and same_question_key(asked) != same_question_key(state.question)
        ask, dropped = proposals(plan.sub_queries, state)
        return Decision(
            ask=ask,
            clues=tuple(Clue(clue.text, clue.power) for clue in plan.clues),
            note=plan.note.strip(),
            stage=plan.stage,
            question=asked if is_new else "",
            dropped=dropped,
            usage=call.usage,
        )

    async def _next(self, state: State, say: Say) -> Decision:
        call = self._call(state, say, "answer")
        try:
            reply = await call.ask(next_request(state), lambda reply: _check_next(reply, state))
        except LLMError as error:
            return Decision(
                problem=printable(str(error)), note="Going on with what is known.", usage=call.usage
            )
        candidates = _ranked(reply.candidates, state)
        if reply.action == "answer":
            synthesis = answers.checked_answer(reply, state, call.usage)
            return Decision(
                answer=synthesis, candidates=candidates, note=reply.note.strip(), usage=call.usage
            )
        ask, dropped = proposals(reply.sub_queries, state)
        return Decision(
            ask=ask,
            candidates=candidates,
            note=reply.note.strip(),
            stage=reply.stage,
            dropped=dropped,
            usage=call.usage,
        )

    async def synthesise(self, state: State, say: Say) -> Synthesis:
        """The answer, written by the model if it can be had, and else put together from MEMORY's answers."""
        if state.failures >= GIVEN_UP_AFTER:
            return answers.from_facts(state, "The EXECUTIVE failed twice in a row.", Usage())
        call = self._call(state, say, "answer", share=0.95)
        try:
            request = next_request(state, must_answer=True)
            reply = await call.ask(request, lambda reply: _check_answer(reply, state))
        except LLMError as error:
            return answers.from_facts(state, printable(str(error)), call.usage)
        return answers.checked_answer(reply, state, call.usage)

    def _call(self, state: State, say: Say, spoken: str, share: float = SHARE_OF_TIME) -> Call:
        return Call(self._connect, say, spoken, state.seconds_left * share)


def proposals(
    proposed: Sequence[ProposedSubQuery], state: State
) -> tuple[tuple[SubQuery, ...], tuple[str, ...]]:
    """The proposals that are new, each with its paraphrases, and why the others are not asked."""
    asked: list[SubQuery] = []
    dropped: list[str] = []
    for each in proposed:
        before = repeated(each.question, state)
        if before is not None:
            known = "is answered" if before.known else "is a dead end"
            dropped.append(f"{each.question} (asked before: [{before.index}] {known})")
        elif any(is_nearly_the_same(each.question, other.question) for other in asked):
            dropped.append(f"{each.question} (proposed twice)")
        elif len(asked) == PROPOSALS:
            dropped.append(f"{each.question} (more than {PROPOSALS} at once)")
        else:
            asked.append(SubQuery(each.question, wordings=_paraphrases(each)))
    return tuple(asked), tuple(dropped)


def _paraphrases(proposed: ProposedSubQuery) -> tuple[str, ...]:
    """The paraphrases that are really other wordings, three at most."""
    own = same_question_key(proposed.question)
    by_key = {same_question_key(text): text.strip() for text in proposed.paraphrases if text.strip()}
    return tuple(text for key, text in by_key.items() if key != own)[:PARAPHRASES]


def _ranked(proposed: Sequence[RankedCandidate], state: State) -> tuple[Candidate, ...] | None:
    if not proposed and not state.candidates:
        return None
    named = [
        Candidate(
            each.name,
            status=each.status,
            supporting=tuple(each.supporting),
            disqualifying=tuple(each.disqualifying),
            note=each.note.strip(),
        )
        for each in proposed
    ]
    return ranked(named, state.candidates, state.exchanges)


def _check_plan(plan: Plan) -> None:
    if plan.kind == "reply" and not plan.reply.strip():
        raise BadReply('The "kind" is "reply", but "reply" is empty.')
    if plan.kind == "ask_memory" and not plan.sub_queries:
        raise BadReply('"sub_queries" is empty: ask memory at least one question.')


def _check_next(reply: Next, state: State) -> None:
    if reply.action == "answer":
        answers.checked_answer(reply, state, Usage())
    elif not reply.sub_queries:
        raise BadReply('The "action" is "ask", but "sub_queries" is empty.')


def _check_answer(reply: Next, state: State) -> None:
    if not reply.answer.strip():
        raise BadReply('"answer" is empty, and this is the last round.')
    answers.checked_answer(reply, state, Usage())
