"""The shapes in which a language model answers the prompts of the protocol.

Models leave out, rename and misspell: what can be understood is taken, items that cannot are left out, and what
has to be there (an answer where one is given) is checked where it is read.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

LONGEST_QUESTION = 600

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_QUESTION)]
Text = Annotated[str, BeforeValidator(lambda value: "" if value is None else value)]


def texts(value: Any) -> Any:
    """One text where a list was asked for, or nothing at all; items that are no text are left out."""
    if value is None:
        return []
    if isinstance(value, str):
        return [value]
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else value


def _numbers(value: Any) -> Any:
    """Numbers however they are written: 1, "1", "[1]"."""
    if value is None:
        return []
    items = value if isinstance(value, list) else [value]
    digits = ("".join(filter(str.isdigit, str(each))) for each in items)
    return [int(each) for each in digits if each]


def _usable(shape: type[BaseModel]) -> BeforeValidator:
    """Keep the items of a list that have the shape; a bare text stands for its first field."""

    def keep(value: Any) -> Any:
        if value is None:
            return []
        if not isinstance(value, list):
            value = [value]
        name = next(iter(shape.model_fields))
        found = [_item(shape, {name: each} if isinstance(each, str) else each) for each in value]
        return [each for each in found if each is not None]

    return BeforeValidator(keep)


def _item(shape: type[BaseModel], value: Any) -> BaseModel | None:
    try:
        return shape.model_validate(value)
    except ValidationError:
        return None


class Message(BaseModel):
    """A part of a reply. What was not asked for is ignored."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)


class RatedClue(Message):
    """An atomic constraint of the question, and how far it narrows down what is looked for: 1 to 5."""

    text: Line = Field(validation_alias=AliasChoices("text", "clue"))
    power: Annotated[int, BeforeValidator(lambda value: min(5, max(1, int(float(value)))))] = 3


class ProposedSubQuery(Message):
    """A question for MEMORY, and three other ways to ask exactly the same."""

    question: Line = Field(validation_alias=AliasChoices("question", "sub_query", "query", "text"))
    paraphrases: Annotated[list[str], BeforeValidator(texts)] = []


class RankedCandidate(Message):
    """An entity in play, with the numbers of the answers that speak for it and against it."""

    name: Line = Field(validation_alias=AliasChoices("name", "entity", "candidate"))
    status: Annotated[
        Literal["open", "confirmed", "eliminated"],
        BeforeValidator(lambda value: value if value in ("open", "confirmed", "eliminated") else "open"),
    ] = "open"
    supporting: Annotated[list[int], BeforeValidator(_numbers)] = []
    disqualifying: Annotated[list[int], BeforeValidator(_numbers)] = []
    note: Text = ""


Clues = Annotated[list[RatedClue], _usable(RatedClue)]
SubQueries = Annotated[
    list[ProposedSubQuery],
    _usable(ProposedSubQuery),
    Field(validation_alias=AliasChoices("sub_queries", "questions", "queries")),
]
Candidates = Annotated[list[RankedCandidate], _usable(RankedCandidate)]


class Plan(Message):
    """The first reply: what is asked for, and the questions that MEMORY can be asked at once."""

    kind: Literal["ask_memory", "reply"] = "ask_memory"
    question: Text = ""
    reply: Text = ""
    note: Text = ""
    clues: Clues = []
    stage: Literal["grounding", "answer_seeking"] = "grounding"
    sub_queries: SubQueries = []


class Next(Message):
    """A later reply: the candidates by now, and either more questions or the answer."""

    note: Text = ""
    candidates: Candidates = []
    action: Literal["ask", "answer"]
    stage: Literal["entity_identification", "answer_seeking"] = "answer_seeking"
    sub_queries: SubQueries = []
    known: bool = True
    answer: Text = ""
    values: Annotated[list[str], BeforeValidator(texts)] = []
    justification: Text = ""
