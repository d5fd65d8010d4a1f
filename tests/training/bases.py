"""Tiny causal language models of three families, each with its own tokenizer and chat template, in folders."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    BertConfig,
    BertModel,
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen2ForCausalLM,
)

SHAPE = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4}
# The usual 0.02 is for wide models: one of width 64 then takes hundreds of steps to look at the question at all.
SHAPE |= {"num_key_value_heads": 2, "max_position_embeddings": 256, "initializer_range": 0.1}

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] "
    "+ '<|im_end|>' + '\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
INST = (
    "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}"
    "{{ '[INST] ' + message['content'] + ' [/INST]' }}{% else %}{{ ' ' + message['content'] + eos_token }}"
    "{% endif %}{% endfor %}"
)
TURNS = (
    "{{ bos_token }}{% for message in messages %}"
    "{% set role = 'model' if message['role'] == 'assistant' else message['role'] %}"
    "{{ '<start_of_turn>' + role + '\\n' + message['content'] | trim + '<end_of_turn>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<start_of_turn>model\\n' }}{% endif %}"
)


def save_qwen2(folder: Path, texts: list[str]) -> Path:
    """ChatML, byte-level BPE; the end of a turn is not the end of a text."""
    tokenizer = _byte_level(texts, ["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
    tokens = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="<|endoftext|>",
        pad_token="<|endoftext|>",
        additional_special_tokens=["<|im_start|>", "<|im_end|>"],
        chat_template=CHATML,
    )
    config = Qwen2Config(vocab_size=len(tokens), tie_word_embeddings=True, **SHAPE)
    return _save(folder, tokens, Qwen2ForCausalLM, config)


def save_llama(folder: Path, texts: list[str]) -> Path:
    """[INST], a SentencePiece-like tokenizer that marks the first word, a token that begins a text, no pad."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="first")
    special = ["<unk>", "<s>", "</s>"]
    tokenizer.train_from_iterator(
        [*texts, INST], trainers.BpeTrainer(vocab_size=600, special_tokens=special, show_progress=False)
    )
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    tokens = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
        chat_template=INST,
    )
    config = LlamaConfig(vocab_size=len(tokens), tie_word_embeddings=False, **SHAPE)
    return _save(folder, tokens, LlamaForCausalLM, config)


def save_gemma(folder: Path, texts: list[str]) -> Path:
    """Turns of user and model, sliding attention in one layer of two."""
    special = ["<pad>", "<eos>", "<bos>", "<start_of_turn>", "<end_of_turn>"]
    tokens = PreTrainedTokenizerFast(
        tokenizer_object=_byte_level(texts, special),
        bos_token="<bos>",
        eos_token="<eos>",
        pad_token="<pad>",
        additional_special_tokens=["<start_of_turn>", "<end_of_turn>"],
        chat_template=TURNS,
    )
    layers = ["sliding_attention", "full_attention"]
    config = Gemma3TextConfig(
        vocab_size=len(tokens), head_dim=16, layer_types=layers, sliding_window=16, pad_token_id=0, **SHAPE
    )
    return _save(folder, tokens, Gemma3ForCausalLM, config)


def save_bert(folder: Path, texts: list[str]) -> Path:
    """An encoder: WordPiece over lower-case words, [CLS] before each text and [SEP] behind it."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=600, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    ends = [(token, tokenizer.token_to_id(token)) for token in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    names = {"unk_token": "[UNK]", "pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    tokens = PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names)
    shape = {name: size for name, size in SHAPE.items() if name != "num_key_value_heads"}
    return _save(folder, tokens, BertModel, BertConfig(vocab_size=len(tokens), **shape))


BASES: dict[str, Callable[[Path, list[str]], Path]] = {
    "qwen2": save_qwen2,
    "llama": save_llama,
    "gemma": save_gemma,
}


def _byte_level(texts: list[str], special: list[str]) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=600, special_tokens=special, initial_alphabet=alphabet, show_progress=False
        ),
    )
    return tokenizer


def _save(folder: Path, tokens: PreTrainedTokenizerFast, kind: type, config: object) -> Path:
    torch.manual_seed(7)
    kind(config).save_pretrained(folder)  # type: ignore[call-arg]
    tokens.save_pretrained(folder)
    return folder
