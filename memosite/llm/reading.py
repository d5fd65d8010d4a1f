"""Reading the JSON that language models write: fenced, commented, cut off, or of another shape than asked for."""

from __future__ import annotations

import json
import re
from typing import Any

from json_repair import repair_json
from pydantic import ValidationError
from pydantic_core import from_json

from memosite.llm.text import printable_all
from memosite.llm.types import BadReply, Item, ObjectRequest, Request, Shape

_THOUGHT = re.compile(r"<think>.*?(?:</think>|\Z)", re.S)
_FENCE = re.compile(r"```[\w-]*[ \t]*\n(.*?)(?:\n[ \t]*```|\Z)", re.S)
#: Strings first, so that what looks like a comment inside one is left alone.
_STRING_OR_COMMENT = re.compile(r'("(?:[^"\\]|\\.)*")|//[^\n]*|/\*.*?\*/', re.S)
SHOWN = 160


def read_items(request: Request[Item], text: str) -> tuple[tuple[Item, ...], int, bool]:
    """The usable items of a reply, how many were unusable, and whether the reply was cut off.

    Raises BadReply where there is nothing to use: no JSON, or not one item of the right shape.
    """
    value, is_cut = read_json(text)
    raw = _list_in(value, request.field)
    if raw is None:
        raise BadReply(f"The reply has no list “{request.field}”: {shorten(text)}")
    if is_cut:
        raw = raw[:-1]  # the last one may be half and look whole
    items = tuple(item for each in raw if (item := _validated(request.item, each)) is not None)
    if raw and not items and not is_cut:
        keys = ", ".join(sorted(raw[0])) if isinstance(raw[0], dict) else type(raw[0]).__name__
        wanted = ", ".join(request.item.model_fields)
        raise BadReply(f"The items of the reply have “{keys}” where “{wanted}” was asked for.")
    if is_cut and not items:
        raise BadReply(f"The reply was cut off before its first item was complete: {shorten(text)}")
    return items, len(raw) - len(items), is_cut


def read_object(request: ObjectRequest[Shape], text: str) -> Shape:
    """The object of a reply, its unfinished end left out if it was cut off.

    Raises BadReply, in words that a model can mend its reply by, where it does not have the shape asked for.
    """
    value = printable_all(read_json(text)[0])
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, dict) and len(value) == 1 and isinstance(inner := next(iter(value.values())), dict):
        value = inner
    if not isinstance(value, dict):
        raise BadReply(f"The reply is no JSON object: {shorten(text)}")
    try:
        return request.shape.model_validate(value)
    except ValidationError as error:
        raise BadReply(f"The reply has not the shape asked for: {_faults(error)}.") from error


def _faults(error: ValidationError) -> str:
    """Where a reply differs from its shape: at most three places."""
    faults = error.errors(include_url=False, include_input=False)[:3]
    return "; ".join(f"{'.'.join(map(str, each['loc'])) or 'the object'}: {each['msg']}" for each in faults)


def read_json(text: str) -> tuple[Any, bool]:
    """The JSON value in a model's text, and whether it was cut off. Raises BadReply where there is none."""
    body = _body(text)
    try:
        return json.loads(body), False
    except ValueError:
        pass
    bare = _STRING_OR_COMMENT.sub(lambda match: match.group(1) or " ", body)
    if _is_balanced(bare):
        return repair_json(bare, return_objects=True), False
    try:
        # The last, unfinished item loses its unfinished text and then fails its validation: nothing half is kept.
        return from_json(bare, allow_partial=True), True
    except ValueError as error:
        raise BadReply(f"The reply is no JSON: {shorten(text)}") from error


def shorten(text: str) -> str:
    """The beginning of a text, for messages."""
    line = " ".join(text.split())
    return f"“{line[:SHOWN]}…”" if len(line) > SHOWN else f"“{line}”"


def _body(text: str) -> str:
    """The part of a reply that is meant as JSON, without thoughts, fences and talk around it."""
    text = _THOUGHT.sub("", text).strip().lstrip("\ufeff")
    if fence := _FENCE.search(text):
        text = fence.group(1).strip()
    opening = re.search(r"[\[{]", text)
    if not opening:
        raise BadReply(f"The reply is no JSON: {shorten(text)}" if text else "The reply is empty.")
    text = text[opening.start() :]
    closing = max(text.rfind("}"), text.rfind("]"))
    return text[: closing + 1] if closing >= 0 and _is_balanced(text[: closing + 1]) else text


def _is_balanced(text: str) -> bool:
    """Whether every bracket outside strings is closed again."""
    depth, in_string, escaped = 0, False, False
    for character in text:
        if in_string:
            escaped, in_string = character == "\\" and not escaped, character != '"' or escaped
        elif character == '"':
            in_string = True
        else:
            depth += (character in "[{") - (character in "]}")
    return depth == 0 and not in_string


def _list_in(value: Any, field: str) -> list[Any] | None:
    """The list of items: under its name, as the only list of the object, or the whole reply."""
    if isinstance(value, list):
        return value
    if not isinstance(value, dict):
        return None
    if isinstance(value.get(field), list):
        return value[field]
    lists = [each for each in value.values() if isinstance(each, list)]
    return lists[0] if len(lists) == 1 else None


def _validated(model: type[Item], value: Any) -> Item | None:
    try:
        return model.model_validate(value)
    except ValidationError:
        return None
