"""The shapes in which language models answer the prompts of the steps."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]


def _as_list(value: Any) -> Any:
    """One text where a list of texts was asked for, or nothing at all, is what models often write."""
    if value is None:
        return []
    return [value] if isinstance(value, str) else value


Texts = Annotated[list[str], BeforeValidator(_as_list)]
Numbers = Annotated[list[int], BeforeValidator(lambda value: [value] if isinstance(value, int) else value)]


class Item(BaseModel):
    """An item of a reply. What was not asked for is ignored."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)


class FactItem(Item):
    """A fact drawn from a passage; ``evidence`` quotes the passage word for word."""

    question: Text = Field(validation_alias=AliasChoices("question", "q"))
    other_wordings: Texts = Field(default_factory=list)
    answer: Text = Field(validation_alias=AliasChoices("answer", "a"))
    evidence: Texts = Field(default_factory=list)
    entities: Texts = Field(default_factory=list)


class DerivedItem(Item):
    """A pair made of facts that were numbered in the prompt; ``entity`` is the name that the answer gives."""

    question: Text = Field(validation_alias=AliasChoices("question", "q"))
    other_wordings: Texts = Field(default_factory=list)
    answer: Text = Field(validation_alias=AliasChoices("answer", "a"))
    facts: Numbers
    entity: str = ""


class Verdict(Item):
    """What the verifier found of a numbered pair. A rewritten pair carries its new texts."""

    pair: int
    verdict: Literal["keep", "rewrite", "drop"]
    reason: Literal["", "ambiguous", "unsupported", "incomplete"] = ""
    question: str = ""
    other_wordings: Texts = Field(default_factory=list)
    answer: str = ""


class OpenQuestion(Item):
    """A plausible question that the passages do not answer, and the name that it asks about."""

    question: Text
    entity: str = ""


class Answered(Item):
    """Whether any of the passages answers a numbered question."""

    question: int
    is_answered: bool = Field(validation_alias=AliasChoices("is_answered", "answered"))
