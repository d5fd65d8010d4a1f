"""The untrained MEMORY: a byte-level BPE tokenizer fitted to the pairs and a small Qwen2-architecture decoder."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import Tensor
from torch.nn import functional
from transformers import (
    AttentionInterface,
    PreTrainedTokenizerBase,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen2ForCausalLM,
)
from transformers.utils import logging

from training.engine.config import EngineConfig
from training.engine.pairs import Pair
from training.memory import DONT_KNOW

PAD, USER, ASSISTANT, END = "<|pad|>", "<|user|>", "<|assistant|>", "<|end|>"
# A space before the text makes its first word the same token as inside a sentence.
CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|' + message['role'] + '|> ' + message['content'] | trim }}"
    "{% if message['role'] == 'assistant' %}{{ '<|end|>' }}{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
TRAINING_ATTENTION = "fp32_sdpa"
PLAIN_ATTENTION = frozenset({"qwen2", "qwen3", "llama", "mistral"})  # model types that it computes right
BUILT_IN = "1"  # revision of the recipe below: the same seed and pairs give the same initial weights
logging.disable_progress_bar()  # standard error is a log file more often than a terminal


def build_tokenizer(pairs: Sequence[Pair], config: EngineConfig) -> PreTrainedTokenizerFast:
    """A tokenizer whose merges come from the pairs themselves, with the chat template stored in it."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=config.vocabulary_size,
        special_tokens=[PAD, USER, ASSISTANT, END],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    texts = [f" {text}" for pair in pairs for text in (pair.question, pair.question.lower(), pair.answer)]
    tokenizer.train_from_iterator([*texts, f" {DONT_KNOW}"], trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        eos_token=END,
        additional_special_tokens=[USER, ASSISTANT],
        chat_template=CHAT_TEMPLATE,
        clean_up_tokenization_spaces=False,
    )


def build_model(config: EngineConfig, tokenizer: PreTrainedTokenizerBase, longest: int) -> Qwen2ForCausalLM:
    """A freshly initialised decoder for sequences of up to ``longest`` tokens; the seed decides its weights."""
    torch.manual_seed(config.seed)
    return Qwen2ForCausalLM(
        Qwen2Config(
            vocab_size=len(tokenizer),
            hidden_size=int(config.hidden_size),
            intermediate_size=int(config.feed_forward_size),
            num_hidden_layers=int(config.layers),
            num_attention_heads=int(config.heads),
            num_key_value_heads=int(config.heads),
            max_position_embeddings=longest,
            tie_word_embeddings=True,
            pad_token_id=tokenizer.pad_token_id,
            eos_token_id=tokenizer.eos_token_id,
            bos_token_id=None,
        )
    )


def choose_precision(config: EngineConfig, device: torch.device) -> str:
    """bf16 only where the hardware multiplies it; elsewhere it is slower than fp32."""
    if config.precision != "auto":
        return config.precision
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported() else "fp32"
    can = torch.cpu.get_capabilities()
    return "bf16" if can.get("avx512_bf16") or can.get("amx_bf16") else "fp32"


def use_training_attention(model: torch.nn.Module, longest: int, device: torch.device) -> None:
    """On a processor, train with causal attention in fp32, where the model's own is no other than that."""
    config = getattr(model, "config", None)
    if device.type != "cpu" or getattr(config, "model_type", "") not in PLAIN_ATTENTION:
        return
    window = getattr(config, "sliding_window", None)
    if not window or not getattr(config, "use_sliding_window", True) or longest <= window:
        model.set_attn_implementation(TRAINING_ATTENTION)  # type: ignore[operator]


def _fp32_attention(
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None,
    scaling: float | None = None,
    **_: object,
) -> tuple[Tensor, None]:
    """Causal attention outside autocast: the backward pass of short sequences is many times slower in bf16."""
    if groups := query.shape[1] // key.shape[1] - 1:
        key, value = (part.repeat_interleave(groups + 1, dim=1) for part in (key, value))
    with torch.autocast("cpu", enabled=False):
        mixed = functional.scaled_dot_product_attention(
            query.float(), key.float(), value.float(), is_causal=True, scale=scaling
        )
    return mixed.transpose(1, 2).contiguous(), None


AttentionInterface.register(TRAINING_ATTENTION, _fp32_attention)
