"""Vectors of texts from a tiny encoder on this machine."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import T5Config

from tests.training.bases import save_bert, save_llama, save_qwen2
from training.engine import embed
from training.engine.embed import LocalEmbedder, pool
from training.engine.errors import BadBase

pytestmark = pytest.mark.engine

TEXTS = [
    "Ada Lund leads Project Atlas.",
    "Atlas",
    "",
    "The hobby of Ola Berg is rowing, and he lives beside the harbour where the boats are.",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_bert(tmp_path_factory.mktemp("bert"), TEXTS)


def vectors(embedder: LocalEmbedder, texts: list[str]) -> torch.Tensor:
    return torch.tensor(embedder.embed_now(texts).vectors)


@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_a_text_has_the_same_vector_whatever_it_is_padded_beside(folder, pooling):
    embedder = LocalEmbedder(str(folder), pooling=pooling)
    together = vectors(embedder, TEXTS)
    alone = torch.cat([vectors(embedder, [text]) for text in TEXTS])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)
    assert not torch.allclose(together[0], together[1], atol=1e-2)


def test_vectors_have_length_one_and_stand_in_the_order_of_the_texts(folder, monkeypatch):
    embedder = LocalEmbedder(str(folder))
    whole = vectors(embedder, TEXTS)
    monkeypatch.setattr(embed, "AT_ONCE", 1)
    torch.testing.assert_close(vectors(embedder, TEXTS), whole, atol=1e-5, rtol=0)
    torch.testing.assert_close(whole.norm(dim=1), torch.ones(len(TEXTS)))


def test_it_is_awaited_as_an_endpoint_is_and_counts_tokens(folder):
    embedder = LocalEmbedder(str(folder))
    embedded = asyncio.run(embedder.embed(TEXTS[:2]))
    assert [len(vector) for vector in embedded.vectors] == [64, 64]
    assert embedded.tokens == sum(len(embedder._tokenizer(text).input_ids) for text in TEXTS[:2])
    assert asyncio.run(embedder.embed([])).vectors == []


def test_the_mean_is_over_tokens_and_not_over_padding():
    states = torch.tensor([[[1.0, 0.0], [3.0, 2.0], [9.0, 9.0]]])
    mask = torch.tensor([[1, 1, 0]])
    assert pool(states, mask, "mean").tolist() == [[2.0, 1.0]]
    assert pool(states, mask, "cls").tolist() == [[1.0, 0.0]]


@pytest.mark.parametrize("save", [save_qwen2, save_llama])
def test_a_causal_model_embeds_as_well_with_a_token_to_pad_with_or_without(tmp_path, save):
    embedder = LocalEmbedder(str(save(tmp_path, TEXTS)))
    torch.testing.assert_close(
        vectors(embedder, TEXTS)[1:2], vectors(embedder, TEXTS[1:2]), atol=1e-5, rtol=0
    )


def test_a_text_longer_than_the_model_s_places_is_cut(folder):
    assert vectors(LocalEmbedder(str(folder)), ["Atlas " * 500]).shape == (1, 64)


def test_what_cannot_be_loaded_is_told(folder, tmp_path):
    with pytest.raises(BadBase, match="There is no folder /nowhere"):
        LocalEmbedder("/nowhere")
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(BadBase, match="cannot be loaded"):
        LocalEmbedder(str(tmp_path))
    with pytest.raises(BadBase, match="they have changed since it was pinned"):
        LocalEmbedder(str(folder), "0" * 64)
    with pytest.raises(BadBase, match="Choose one of: mean, cls"):
        LocalEmbedder(str(folder), pooling="last")


def test_a_model_with_a_decoder_is_no_encoder(tmp_path):
    T5Config(vocab_size=8).save_pretrained(tmp_path)
    with pytest.raises(BadBase, match="an encoder alone"):
        LocalEmbedder(str(tmp_path))


def test_weights_that_would_be_made_at_random_are_told(tmp_path):
    folder = save_bert(tmp_path, TEXTS)
    weights = load_file(folder / "model.safetensors")
    kept = {name: tensor for name, tensor in weights.items() if not name.startswith("pooler")}
    save_file(kept, folder / "model.safetensors", {"format": "pt"})
    LocalEmbedder(str(folder))
    save_file(
        {k: v for k, v in kept.items() if "layer.1" not in k}, folder / "model.safetensors", {"format": "pt"}
    )
    with pytest.raises(BadBase, match=r"lacks weights, such as encoder\.layer\.1"):
        LocalEmbedder(str(folder))
