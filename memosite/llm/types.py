"""What is sent to a language model, and what comes back."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache
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


Shape = TypeVar("Shape", bound=BaseModel)


@dataclass(frozen=True)
class ObjectRequest(Generic[Shape]):
    """A question to a language model whose answer is one object of ``shape``."""

    step: str
    prompt_version: str
    system: str
    user: str
    shape: type[Shape]

    def json_schema(self) -> dict[str, Any]:
        """The JSON schema of the object, strict as OpenAI's servers want it."""
        return _strict_schema(self.shape)

    def after(self, problem: str) -> ObjectRequest[Shape]:
        """The same request, made again with what was wrong with the reply."""
        told = f"Your last reply could not be used. {problem}\nReply again, with the JSON object only."
        return replace(self, user=f"{self.user}\n\n{told}")


@cache
def _strict_schema(shape: type[BaseModel]) -> dict[str, Any]:
    schema: dict[str, Any] = _strict(shape.model_json_schema())
    return schema


def _strict(schema: Any) -> Any:
    """Every property required, none besides, no defaults: what servers ask of schemas that they enforce."""
    if isinstance(schema, list):
        return [_strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    strict = {name: _strict(each) for name, each in schema.items() if name not in ("default", "title")}
    if isinstance(schema.get("properties"), dict):
        strict["properties"] = {name: _strict(each) for name, each in schema["properties"].items()}
        strict |= {"required": list(schema["properties"]), "additionalProperties": False}
    return strict


class Prompted(Protocol):
    """What a server has to know of a request."""

    @property
    def step(self) -> str: ...
    @property
    def system(self) -> str: ...
    @property
    def user(self) -> str: ...
    def json_schema(self) -> dict[str, Any]: ...


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
