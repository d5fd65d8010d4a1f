"""Vectors of texts from a pretrained encoder on this machine."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import normalize
from transformers import AutoConfig, AutoModel, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from memosite.llm.embedding import Embedded
from training.engine.bases import pin
from training.engine.errors import BadBase
from training.engine.loading import device

POOLINGS = ("mean", "cls")
AT_ONCE = 32  # texts in one forward pass
LONGEST = 2048  # tokens of a text; what is behind them is not seen


class LocalEmbedder:
    """A transformers encoder, loaded once. ``pooling`` makes a text's vector of those of its tokens.

    ``mean`` is their mean, padding left out; ``cls`` the vector of the first token. Vectors have length 1 and
    are the same whatever texts are embedded beside. It may be used from several threads and event loops.
    """

    def __init__(self, location: str, revision: str | None = None, *, pooling: str = "mean") -> None:
        """``location`` is a folder or a hub id, ``revision`` a folder's hash or a commit. Raises BadBase."""
        if pooling not in POOLINGS:
            raise BadBase(f"“{pooling}” is no pooling. Choose one of: {', '.join(POOLINGS)}.")
        self.origin, self._pooling = pin(location, revision), pooling
        self._model, self._tokenizer = _open(location, revision if self.origin.source == "hub" else None)
        self._longest = _longest(self._model, self._tokenizer)
        self._turn = threading.Lock()

    async def embed(self, texts: Sequence[str]) -> Embedded:
        """One vector a text, in their order, and the tokens that were read. The event loop goes on meanwhile."""
        return await asyncio.to_thread(self.embed_now, texts)

    def embed_now(self, texts: Sequence[str]) -> Embedded:
        """As ``embed``, in this thread."""
        vectors: list[list[float]] = [[] for _ in texts]
        tokens = 0
        with self._turn, torch.inference_mode():
            for places in _alike(texts):
                batch = self._encode([texts[place] or " " for place in places])
                tokens += int(batch["attention_mask"].sum())
                states = self._model(**batch).last_hidden_state
                pooled = normalize(pool(states, batch["attention_mask"], self._pooling).float(), dim=-1)
                for place, vector in zip(places, pooled.tolist(), strict=True):
                    vectors[place] = vector
        return Embedded(vectors, tokens)

    def _encode(self, texts: list[str]) -> Any:
        encoded = self._tokenizer(
            texts,
            padding=True,
            truncation=True,
            max_length=self._longest,
            return_tensors="pt",
        )
        return encoded.to(self._model.device)


def pool(states: Tensor, mask: Tensor, pooling: str) -> Tensor:
    """One vector a text.

    ``states`` are (texts, tokens, width), ``mask`` is (texts, tokens) with 1 for tokens and 0 for padding, which
    is on the right; the result is (texts, width).
    """
    if pooling == "cls":
        return states[:, 0]
    kept = mask.unsqueeze(-1).to(states.dtype)
    return (states * kept).sum(dim=1) / kept.sum(dim=1).clamp(min=1)


def _alike(texts: Sequence[str]) -> Iterator[list[int]]:
    """Places of texts that go through together: those of about one length, which need little padding."""
    order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
    return (order[start : start + AT_ONCE] for start in range(0, len(order), AT_ONCE))


def _open(location: str, revision: str | None) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    pinned: dict[str, Any] = {"revision": revision} if revision else {}
    try:
        if AutoConfig.from_pretrained(location, **pinned).is_encoder_decoder:
            raise BadBase(f"{location} has an encoder and a decoder. Take a model that is an encoder alone.")
        tokenizer = AutoTokenizer.from_pretrained(location, **pinned)
        model, loaded = AutoModel.from_pretrained(
            location, dtype=torch.float32, use_safetensors=True, output_loading_info=True, **pinned
        )
    except (OSError, ValueError, KeyError) as error:
        raise BadBase(f"The embedding model {location} cannot be loaded: {error}") from error
    # What is missing is made at random. A pooler often is, and is not asked here.
    if missing := sorted(name for name in loaded["missing_keys"] if "pooler" not in name):
        raise BadBase(
            f"The embedding model {location} lacks weights, such as {missing[0]}. Download it again."
        )
    tokenizer.padding_side = tokenizer.truncation_side = "right"
    if tokenizer.pad_token is None:  # which one it is does not matter: nobody attends to it
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.unk_token
    if tokenizer.pad_token is None:
        raise BadBase(f"The tokenizer of {location} has no token to pad with. Add a pad_token to it.")
    return model.to(device()).eval(), tokenizer


def _longest(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> int:
    """How many tokens of a text the model has places for, ``LONGEST`` at most."""
    places = getattr(model.config, "max_position_embeddings", None) or LONGEST
    return min(int(tokenizer.model_max_length), int(places), LONGEST)
