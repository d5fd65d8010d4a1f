"""What a generation with a language model will take, foreseen from the texts alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from knowledge.pipeline.candidates import Source
from knowledge.pipeline.groups import FACTS, groups_for, shared_names
from knowledge.pipeline.prompts import prompt
from knowledge.pipeline.synthesis import make_bundles

#: Characters of English a token stands for, on average.
CHARACTERS_A_TOKEN = 4
#: Groups of step 5 that share the call that checks their pairs.
GROUPS_TOGETHER = 4
#: Measured on encyclopaedic prose: a fact for so many characters, and the characters it takes in a prompt and
#: in a reply, where its wordings and its evidence stand beside it.
CHARACTERS_A_FACT = 90
FACT_IN_PROMPT = 130
FACT_IN_REPLY = 480
VERDICT_IN_REPLY = 32
PAIRS_A_GROUP = 2
OPEN_A_PASSAGE = 2


@dataclass(frozen=True)
class Estimate:
    """Calls, and tokens sent and received."""

    calls: int
    prompt_tokens: int
    completion_tokens: int

    def scaled(self, prompt: float, completion: float) -> Estimate:
        """The estimate corrected by what earlier runs took of theirs."""
        return Estimate(
            self.calls, round(self.prompt_tokens * prompt), round(self.completion_tokens * completion)
        )


def estimate(sources: Sequence[Source], *, with_groups: bool = True) -> Estimate:
    """What steps 1 to 4 take on these passages, and step 5 (``with_groups``) on their documents."""
    bundles = make_bundles(sources)
    documents = sum(len({source.document_id for source in bundle}) for bundle in bundles)
    text = sum(len(source.as_prompt()) for source in sources)
    facts = sum(max(2, len(source.passage.text) // CHARACTERS_A_FACT) for source in sources)
    checked = 2 * facts  # with what consolidation and surfacing add
    calls = 3 * len(sources) + documents + 4 * len(bundles)
    sent = (
        len(sources) * _fixed("direct", "indirect", "consolidate")
        + documents * _fixed("surface")
        + len(bundles) * _fixed("verify", "verify", "open_questions", "answered")
        + text * 6
        + (2 * facts + 2 * checked) * FACT_IN_PROMPT
    )
    received = checked * (FACT_IN_REPLY + VERDICT_IN_REPLY) + len(sources) * OPEN_A_PASSAGE * 120
    if with_groups:
        groups, members = _groups(sources)
        checks = -(-groups // GROUPS_TOGETHER)
        calls += groups + checks
        sent += groups * _fixed("synthesize") + checks * _fixed("verify")
        sent += members * (FACTS * FACT_IN_PROMPT + text // max(1, len(sources)))
        received += groups * PAIRS_A_GROUP * (FACT_IN_REPLY + VERDICT_IN_REPLY)
    return Estimate(calls, sent // CHARACTERS_A_TOKEN, received // CHARACTERS_A_TOKEN)


def _fixed(*names: str) -> int:
    """Characters of the fixed parts of some prompts."""
    return sum(len(prompt(name).text) for name in names)


def _groups(sources: Sequence[Source]) -> tuple[int, int]:
    """How many groups step 5 will have, and how many documents in all of them together."""
    texts: dict[int, str] = {}
    for source in sources:
        before = texts.get(source.document_id, source.title)
        texts[source.document_id] = f"{before}. {source.passage.text}"
    sizes = shared_names(texts)
    return sum(map(groups_for, sizes)), sum(sizes)
