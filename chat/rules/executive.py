"""The built-in EXECUTIVE: English questions decomposed by rules, without a language model."""

from __future__ import annotations

from chat.protocol.executive import Decision, Synthesis
from chat.protocol.state import State, SubQuery


class RulesExecutive:
    """Passes the question on as it is and gives MEMORY's answer."""

    name = "rules"

    def decide(self, state: State) -> Decision:
        if state.stage == "grounding":
            return Decision(clues=(state.question,), note="The question is one clue.")
        if state.stage == "entity_identification":
            return Decision(note="The question names what it is about.")
        return Decision(ask=(SubQuery(state.question),), note="Asking the question itself.")

    def synthesise(self, state: State) -> Synthesis:
        last = state.answer_to(state.question)
        if last is None or not last.known:
            return Synthesis(f"Memory does not know: {state.question}", known=False)
        return Synthesis(last.answer, values=(last.answer,), sub_queries=(last.index,))
