"""What is sent to a language model, and what comes back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from pydantic import BaseModel

from memosite.errors import MemoError

Item = TypeVar("Item", bound=BaseModel)


class LLMError(MemoError):
    """A language model did not give what it was asked for; the message says why and what to do."""

    code = "llm_error"
    status = 502


class BadReply(LLMError):
    """The model answered, but not with what can be used: no JSON, other keys, nothing at all, or a refusal."""

    code = "bad_reply"


@dataclass(frozen=True)
class Request(Generic[Item]):
    """A question to a language model whose answer is a list of items.

    ``system`` is the same for every request of a step, and comes first, so that servers can keep it in their
    prefix cache. ``field`` is the name of the list in the JSON object that is asked for.
    """

    step: str
    prompt_version: str
    system: str
    user: str
    field: str
    item: type[Item]

    def json_schema(self) -> dict[str, Any]:
        """The JSON schema of the object that is asked for, strict as OpenAI's servers want it."""
        items = self.item.model_json_schema()
        definitions = items.pop("$defs", None)
        schema = {
            "type": "object",
            "properties": {self.field: {"type": "array", "items": items}},
            "required": [self.field],
            "additionalProperties": False,
        }
        return schema | ({"$defs": definitions} if definitions else {})


@dataclass(frozen=True)
class Completion:
    """The text that a server gave back. Tokens as the server counted them, seconds with all retries.

    ``is_cut`` says that the server stopped at its limit of tokens.
    """

    text: str
    prompt_tokens: int
    completion_tokens: int
    seconds: float
    retries: int = 0
    is_cut: bool = False


@dataclass(frozen=True)
class Reply(Generic[Item]):
    """The items of a reply, and the key of the call they came from. ``lost`` counts items that were unusable."""

    items: tuple[Item, ...]
    call: str
    model: str
    lost: int = 0
    is_cut: bool = field(default=False)

    @property
    def is_complete(self) -> bool:
        return not self.lost and not self.is_cut


class Transport(Protocol):
    """A server that completes a request with text. Raises LLMError."""

    model: str
    temperature: float

    async def complete(self, request: Request[Any]) -> Completion: ...


class LLM(Protocol):
    """What the steps of the pipeline ask."""

    async def ask(self, request: Request[Item]) -> Reply[Item]: ...
