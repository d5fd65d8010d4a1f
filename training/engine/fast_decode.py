"""A forward pass of its own for small Qwen2-architecture models, where the library's time goes into overhead.

Prompts of any lengths are decoded together. They stand at the left of their rows, padded on the right; the first
token of every answer is written into the same column, so that a step writes one slice of the cache. The padding
between a prompt and its answer is masked, and each row counts its positions without it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor
from torch.nn import functional
from transformers import PreTrainedModel, Qwen2ForCausalLM

FUSED_UP_TO = 60_000_000  # weights; beyond it multiplication rules, and a second copy of them costs memory


def fits(model: PreTrainedModel) -> bool:
    """Whether ``FastQwen2`` computes what this model does."""
    if type(model) is not Qwen2ForCausalLM:
        return False
    config: Any = model.config
    plain = set(config.layer_types) == {"full_attention"} and config.hidden_act == "silu"
    rotary = config.rope_parameters["rope_type"] == "default"
    return plain and rotary and model.num_parameters() <= FUSED_UP_TO


@dataclass(frozen=True)
class Layer:
    """The weights of one layer. ``inward`` makes queries, keys and values at once, ``gate_up`` gate and up."""

    norm: Tensor
    inward: Tensor
    inward_bias: Tensor
    outward: Tensor
    norm_after: Tensor
    gate_up: Tensor
    down: Tensor


class FastQwen2:
    """Reads a model's weights once; ``is_current`` tells whether they have changed since."""

    def __init__(self, model: PreTrainedModel) -> None:
        self._model, self._read_at = model, _state_of(model)
        config, inner = model.config, cast(Any, model.model)
        self.heads, self.shared = int(config.num_attention_heads), int(config.num_key_value_heads)
        self.size, self.epsilon = int(inner.layers[0].self_attn.head_dim), float(config.rms_norm_eps)
        self.embedding: Tensor = inner.embed_tokens.weight
        self.norm: Tensor = inner.norm.weight
        self.head: Tensor = model.lm_head.weight
        self.inverse_frequencies: Tensor = inner.rotary_emb.inv_freq
        with torch.inference_mode():
            self.layers = [_layer(layer) for layer in inner.layers]

    @property
    def is_current(self) -> bool:
        return self._read_at == _state_of(self._model)

    def start(self, prompts: list[list[int]], room: int) -> FastBatch:
        """Read prompts that answers of up to ``room`` tokens follow."""
        return FastBatch(self, prompts, room)


def _state_of(model: PreTrainedModel) -> list[tuple[int, int]]:
    """Changes whenever a weight is replaced or written to."""
    return [(id(weight), 0 if weight.is_inference() else weight._version) for weight in model.parameters()]


def _layer(layer: Any) -> Layer:
    attention, mlp = layer.self_attn, layer.mlp
    parts = (attention.q_proj, attention.k_proj, attention.v_proj)
    return Layer(
        norm=layer.input_layernorm.weight,
        inward=torch.cat([part.weight for part in parts]),
        inward_bias=torch.cat([part.bias for part in parts]),
        outward=attention.o_proj.weight,
        norm_after=layer.post_attention_layernorm.weight,
        gate_up=torch.cat([mlp.gate_proj.weight, mlp.up_proj.weight]),
        down=mlp.down_proj.weight,
    )


class FastBatch:
    """Rows that are being decoded. ``logits`` (rows, vocabulary) are those of each row's next token."""

    def __init__(self, model: FastQwen2, prompts: list[list[int]], room: int) -> None:
        self._model = model
        device, lengths = model.embedding.device, [len(prompt) for prompt in prompts]
        self._column, rows = max(lengths), len(prompts)
        self._lengths = torch.tensor(lengths, device=device)
        width = self._column + room
        self._rotations = self._rotations_for(width)
        self._visible: Tensor | None = None  # (rows, width); None where no row has padding
        if min(lengths) < self._column:
            self._visible = torch.arange(width, device=device).expand(rows, -1) < self._lengths[:, None]
            self._visible[:, self._column :] = True
        shape = (len(model.layers), 2, rows, model.shared, width, model.size)
        self._cache = torch.zeros(shape, dtype=model.embedding.dtype, device=device)
        padded = [prompt + [0] * (self._column - len(prompt)) for prompt in prompts]
        self.logits = self._to_logits(self._forward(torch.tensor(padded, device=device)))

    def step(self, tokens: Tensor) -> None:
        """Append one token (rows,) to each row and work out what follows it."""
        self.logits = self._to_logits(self._forward_one(tokens))

    def keep(self, rows: Tensor) -> None:
        """Go on with these rows alone."""
        self._cache = self._cache.index_select(2, rows)
        self._lengths = self._lengths[rows]
        if self._visible is not None:
            self._visible = self._visible[rows]

    def _rotations_for(self, width: int) -> Tensor:
        """Cosines and sines of each position: (2, width, head size)."""
        steps = torch.arange(width, device=self._model.embedding.device).float()
        angles = torch.outer(steps, self._model.inverse_frequencies.float())
        angles = torch.cat([angles, angles], dim=-1)
        return torch.stack([angles.cos(), angles.sin()]).to(self._model.embedding.dtype)

    def _forward(self, ids: Tensor) -> Tensor:
        """Hidden states (rows, width) of the last token of each prompt. What follows it is never looked at.

        The last layer goes on with those alone behind its attention: nothing looks at the others any more.
        """
        model, (rows, tokens) = self._model, ids.shape
        last = torch.arange(rows, device=ids.device), self._lengths - 1
        hidden, (cos, sin) = functional.embedding(ids, model.embedding), self._rotations[:, :tokens]
        for layer, cache in zip(model.layers, self._cache, strict=True):
            mixed = self._inward(layer, hidden).view(rows, tokens, -1, model.size).transpose(1, 2)
            query, key, value = mixed.split([model.heads, model.shared, model.shared], dim=1)
            query, key = _rotate(query, cos, sin), _rotate(key, cos, sin)
            cache[0, :, :, :tokens], cache[1, :, :, :tokens] = key, value
            said = functional.scaled_dot_product_attention(
                query, key, value, is_causal=True, enable_gqa=model.heads != model.shared
            )
            said = said.transpose(1, 2).reshape(rows, tokens, -1)
            if layer is model.layers[-1]:
                hidden, said = hidden[last], said[last]
            hidden = self._outward(layer, hidden, said)
        return hidden

    def _forward_one(self, ids: Tensor) -> Tensor:
        """Hidden states (rows, width) of one more token a row."""
        model, rows, column = self._model, len(ids), self._column
        hidden, (cos, sin) = functional.embedding(ids, model.embedding), self._rotations[:, self._lengths]
        cos, sin = cos[:, None], sin[:, None]
        self._column, self._lengths = column + 1, self._lengths + 1
        visible = None if self._visible is None else self._visible[:, None, None, : column + 1]
        for layer, cache in zip(model.layers, self._cache, strict=True):
            mixed = self._inward(layer, hidden).view(rows, -1, model.size)
            turned = _rotate(mixed[:, : model.heads + model.shared], cos, sin)
            cache[0, :, :, column] = turned[:, model.heads :]
            cache[1, :, :, column] = mixed[:, model.heads + model.shared :]
            said = functional.scaled_dot_product_attention(
                turned[:, : model.heads, None],
                cache[0, :, :, : column + 1],
                cache[1, :, :, : column + 1],
                attn_mask=visible,
                enable_gqa=model.heads != model.shared,
            )
            hidden = self._outward(layer, hidden, said.reshape(rows, -1))
        return hidden

    def _inward(self, layer: Layer, hidden: Tensor) -> Tensor:
        return functional.linear(self._normed(hidden, layer.norm), layer.inward, layer.inward_bias)

    def _outward(self, layer: Layer, hidden: Tensor, said: Tensor) -> Tensor:
        hidden = hidden + functional.linear(said, layer.outward)
        gate, up = functional.linear(self._normed(hidden, layer.norm_after), layer.gate_up).chunk(2, dim=-1)
        return hidden + functional.linear(functional.silu(gate) * up, layer.down)

    def _normed(self, hidden: Tensor, weight: Tensor) -> Tensor:
        return functional.rms_norm(hidden, (hidden.shape[-1],), weight, self._model.epsilon)

    def _to_logits(self, hidden: Tensor) -> Tensor:
        return functional.linear(self._normed(hidden, self._model.norm), self._model.head)


def _rotate(states: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary position embedding (Su et al. 2021) of states whose last dimension is the head."""
    first, second = states.chunk(2, dim=-1)
    return states * cos + torch.cat([-second, first], dim=-1) * sin
