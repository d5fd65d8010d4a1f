"""Calls to language models behind OpenAI-compatible addresses. Plain Python: no Django, no database."""

from memosite.llm.asking import Asker, CallStore, MemoryStore
from memosite.llm.client import EndpointSettings, OpenAICompatible
from memosite.llm.types import (
    LLM,
    BadReply,
    Completion,
    LLMError,
    ObjectRequest,
    Prompted,
    Reply,
    Request,
    Transport,
)

__all__ = [
    "LLM",
    "Asker",
    "BadReply",
    "CallStore",
    "Completion",
    "EndpointSettings",
    "LLMError",
    "MemoryStore",
    "ObjectRequest",
    "OpenAICompatible",
    "Prompted",
    "Reply",
    "Request",
    "Transport",
]
