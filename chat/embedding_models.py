"""Which model makes the vectors of dense retrieval: an endpoint's, or one that is loaded on this machine."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

from memosite.errors import MemoError
from memosite.models import Endpoint, EndpointRole
from training.engine.intake import examine_encoder

if TYPE_CHECKING:
    from training.engine.embed import LocalEmbedder

REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
COMMIT = re.compile(r"[0-9a-f]{40}")


class NoEmbeddingEndpoint(MemoError):
    """Dense retrieval has no model to make vectors with."""

    code = "no_embedding_endpoint"
    status = 422


class NoLocalModel(MemoError):
    """A model that is named for dense retrieval is not offered on this machine, or cannot be."""

    code = "no_local_model"
    status = 422


@dataclass(frozen=True)
class LocalModel:
    """An encoder in a folder, or at a commit of a repository on the hub; of a folder ``revision`` is empty."""

    location: str
    revision: str = ""


def embedding_endpoint(name: str) -> Endpoint:
    """The embedding endpoint of that name; without a name the only one. Raises NoEmbeddingEndpoint."""
    offered = list(Endpoint.objects.filter(role=EndpointRole.EMBEDDING))
    named = ", ".join(f"“{endpoint}”" for endpoint in offered)
    if not offered:
        raise NoEmbeddingEndpoint(
            "Dense retrieval needs an embedding model, and no endpoint has that role. Ask an administrator to add "
            f"one under Endpoints with the role “embedding”{_or_a_local_one()}."
        )
    if not name and len(offered) > 1:
        raise NoEmbeddingEndpoint(f"Say which embedding endpoint is to be used: {named}.")
    found = next((endpoint for endpoint in offered if name in ("", endpoint.name)), None)
    if found is None:
        raise NoEmbeddingEndpoint(f"There is no embedding endpoint “{name}”. There is: {named}.")
    return found


def _or_a_local_one() -> str:
    models = local_models()
    return f", or name a model of this machine: model={models[0].location}" if models else ""


def local_models() -> list[LocalModel]:
    """Those that the site's operator offers; what is written behind an @ is the commit of a repository."""
    entries = [text.strip() for text in settings.EMBEDDING_MODELS if text.strip()]
    return [LocalModel(*_parts(text)) for text in entries]


def _parts(text: str) -> tuple[str, str]:
    location, at, revision = text.rpartition("@")
    return (location, revision) if at and COMMIT.fullmatch(revision) else (text, "")


def local_model(location: str) -> LocalModel:
    """The model on offer at that location, looked at but not loaded. Raises NoLocalModel, FolderRefused."""
    offered = local_models()
    found = next((model for model in offered if model.location == location), None)
    if found is None:
        known = ", ".join(f"“{model.location}”" for model in offered) or "none"
        raise NoLocalModel(
            f"The embedding model “{location[:120]}” is not offered here. The site's operator names models in "
            f"EMBEDDING_MODELS; there is: {known}."
        )
    if REPOSITORY.fullmatch(location) and not Path(location).is_dir():
        if not found.revision:
            raise NoLocalModel(
                f"EMBEDDING_MODELS names {location} without its commit, so its vectors could change unseen. Write "
                f"{location}@ and the 40 characters of a commit."
            )
    else:
        examine_encoder(Path(location))
    return found


@lru_cache(maxsize=1)  # the weights of one are enough for a worker to hold
def opened(model: LocalModel, pooling: str, sha256: str) -> LocalEmbedder:
    """The model, loaded; ``sha256`` tells of a folder whose files have changed since. Raises BadBase."""
    from training.engine.embed import LocalEmbedder

    return LocalEmbedder(model.location, model.revision or None, pooling=pooling)


def identity(model: LocalModel) -> str:
    """The commit of a repository, or the hash over a folder's files."""
    if model.revision:
        return model.revision
    from training.engine.bases import fingerprint

    return fingerprint(Path(model.location))
