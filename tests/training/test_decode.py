"""Decoding prompts of all lengths at once says what transformers' ``generate`` says, whatever the company."""

from __future__ import annotations

import gc
import json
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    AutoModelForCausalLM,
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen2ForCausalLM,
)

from training.engine import loading
from training.engine.decode import NOTHING, Decoder
from training.engine.errors import BadArtifact
from training.engine.fast_decode import fits
from training.engine.loading import base_of, load_causal_lm, open_model

# peft asks transformers for something that is called by another name by now
pytestmark = [
    pytest.mark.engine,
    pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning"),
]

WORDS, PAD = 90, 0
ENDS = [1, 20, 40, 60]
ANSWER = 12


class NumberEncoder:
    """Questions are written as token ids; answers are shown so."""

    ends, pad = frozenset(ENDS), PAD

    def prompts(self, questions: Sequence[str]) -> list[list[int]]:
        return [[int(word) for word in question.split()] for question in questions]

    def text(self, ids: list[int]) -> str:
        return " ".join(map(str, ids))


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> None:
    torch.set_num_threads(1)


def sizes(heads: int = 4, shared: int = 4) -> dict[str, int]:
    return {
        "vocab_size": WORDS,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": heads,
        "num_key_value_heads": shared,
        "max_position_embeddings": 64,
        "pad_token_id": PAD,
        "eos_token_id": ENDS[0],
        "bos_token_id": None,
    }


def qwen(*, shared: int = 4) -> PreTrainedModel:
    return Qwen2ForCausalLM(Qwen2Config(**sizes(shared=shared), tie_word_embeddings=True))


def llama() -> PreTrainedModel:
    return LlamaForCausalLM(LlamaConfig(**sizes(shared=2)))


def gemma() -> PreTrainedModel:
    return Gemma3ForCausalLM(Gemma3TextConfig(**sizes(shared=2), head_dim=8, sliding_window=16))


def lively(model: PreTrainedModel, seed: int = 1) -> PreTrainedModel:
    """Random weights large enough that every prompt gets an answer of its own."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "norm" not in name:
                weight.copy_(0.4 * torch.randn(weight.shape, generator=generator))
    return model.eval()


def with_adapter(model: PreTrainedModel) -> PreTrainedModel:
    config = LoraConfig(
        r=4, target_modules=["q_proj", "v_proj"], init_lora_weights=False, task_type="CAUSAL_LM"
    )
    return get_peft_model(model, config).eval()


def questions(count: int) -> list[str]:
    random = Random(3)
    return [
        " ".join(str(random.randrange(2, WORDS)) for _ in range(random.randrange(2, 24)))
        for _ in range(count)
    ]


def by_generate(model: PreTrainedModel, question: str) -> tuple[list[int], list[float], bool]:
    """Tokens, log-probabilities and whether the end was reached, by the library's own loop."""
    prompt = torch.tensor([[int(word) for word in question.split()]])
    said = model.generate(
        input_ids=prompt,
        attention_mask=torch.ones_like(prompt),
        max_new_tokens=ANSWER,
        do_sample=False,
        eos_token_id=ENDS,
        pad_token_id=PAD,
        output_logits=True,
        return_dict_in_generate=True,
    )
    tokens = said.sequences[0, prompt.shape[1] :].tolist()
    steps = zip(said.logits, tokens, strict=True)
    scores = [torch.log_softmax(logits[0], -1)[token].item() for logits, token in steps]
    ended = tokens[-1] in ENDS
    return tokens[:-1] if ended else tokens, scores, ended


MODELS = {
    "Qwen2": lambda: lively(qwen()),
    "Qwen2 with shared heads": lambda: lively(qwen(shared=2)),
    "Llama": lambda: lively(llama()),
    "Gemma 3": lambda: lively(gemma()),
    "Llama with an adapter": lambda: with_adapter(lively(llama())),
}


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_a_batch_says_token_for_token_what_generate_says_one_at_a_time(make):
    model, asked = make(), questions(80)
    answers = Decoder(model, NumberEncoder(), 64, ANSWER).generate(asked)
    assert len({answer.text for answer in answers}) > 30
    assert {answer.finished for answer in answers} == {True, False}
    for question, answer in zip(asked, answers, strict=True):
        tokens, scores, finished = by_generate(model, question)
        assert (answer.text, answer.finished) == (" ".join(map(str, tokens)), finished)
        mean = torch.tensor(scores, dtype=torch.float64).mean().exp().item()
        assert answer.confidence == pytest.approx(mean, rel=1e-3)
        assert answer.least == pytest.approx(torch.tensor(min(scores)).exp().item(), rel=1e-3)


@pytest.mark.parametrize("fast", [True, False])
def test_the_company_of_a_question_does_not_change_its_answer(fast):
    decoder, asked = Decoder(lively(qwen()), NumberEncoder(), 64, ANSWER, fast=fast), questions(70)
    together = decoder.generate(asked)
    alone = [decoder.generate([question])[0] for question in asked]
    backwards = decoder.generate(asked[::-1])[::-1]
    assert [answer.text for answer in together] == [answer.text for answer in alone]
    assert [answer.text for answer in together] == [answer.text for answer in backwards]


def test_too_long_a_question_gets_no_answer_and_harms_no_other():
    decoder, asked = Decoder(lively(qwen()), NumberEncoder(), 30, ANSWER), questions(3)
    answers = decoder.generate([asked[0], " ".join(["5"] * 31), asked[1]])
    assert answers[1] == NOTHING
    assert [answers[0].text, answers[2].text] == [answer.text for answer in decoder.generate(asked[:2])]


def test_a_model_that_was_trained_on_is_read_again():
    model, asked = lively(qwen()), questions(5)
    decoder = Decoder(model, NumberEncoder(), 64, ANSWER)
    before = decoder.generate(asked)
    lively(model, seed=2)
    after = decoder.generate(asked)
    assert [answer.text for answer in after] != [answer.text for answer in before]
    assert [answer.text for answer in after] == [
        " ".join(map(str, by_generate(model, question)[0])) for question in asked
    ]


def test_only_models_whose_forward_it_knows_take_the_fast_path():
    assert fits(qwen())
    assert not fits(llama())
    assert not fits(with_adapter(qwen()))
    sliding = Qwen2Config(**sizes(), use_sliding_window=True, sliding_window=8, max_window_layers=0)
    assert not fits(Qwen2ForCausalLM(sliding))


# --- Folders -----------------------------------------------------------------------------------------------
@pytest.fixture
def base(tmp_path: Path) -> Path:
    folder = tmp_path / "base"
    lively(llama()).save_pretrained(folder)
    return folder


def adapter_folder(base: Path, name: str, seed: int) -> Path:
    """An artifact folder with an adapter on the base, and a tokenizer."""
    folder = base.parent / name
    torch.manual_seed(seed)
    adapted = with_adapter(AutoModelForCausalLM.from_pretrained(base))
    with torch.no_grad():
        for key, weight in adapted.named_parameters():
            if "lora_" in key:
                weight.normal_(std=0.5)
    adapted.save_pretrained(folder)
    tokenizer = Tokenizer(models.WordLevel({str(n): n for n in range(WORDS)}, unk_token="2"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="0", eos_token="1").save_pretrained(folder)
    return folder


def manifest_on(base: Path) -> dict:
    return {"base_model": {"source": "folder", "location": str(base), "revision": ""}}


def answers_of(model: PreTrainedModel) -> list[str]:
    return [answer.text for answer in Decoder(model, NumberEncoder(), 64, ANSWER).generate(questions(20))]


@pytest.mark.parametrize("make", [qwen, llama, gemma])
def test_a_whole_model_is_loaded_from_its_folder(tmp_path, base, make):
    adapted = adapter_folder(base, "tokenizer-of", 1)
    model = lively(make())
    model.save_pretrained(tmp_path / "whole")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (tmp_path / "whole" / name).write_bytes((adapted / name).read_bytes())
    loaded, tokenizer = load_causal_lm(tmp_path / "whole", manifest_on(base))
    assert answers_of(loaded) == answers_of(model)
    assert tokenizer("5 7")["input_ids"] == [5, 7]


def test_an_adapter_is_loaded_on_its_base_and_changes_what_it_says(base):
    folder = adapter_folder(base, "one", 1)
    loaded, _ = load_causal_lm(folder, manifest_on(base))
    plain = AutoModelForCausalLM.from_pretrained(base).eval()
    expected = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), folder).eval()
    assert answers_of(loaded) == answers_of(expected) != answers_of(plain)


def test_adapters_of_one_base_hold_its_weights_once_and_answer_as_if_alone(base):
    folders = [adapter_folder(base, name, seed) for seed, name in enumerate(("one", "two", "three"))]
    opened = [open_model(folder, manifest_on(base)) for folder in folders]
    weights = [
        {name: weight.data_ptr() for name, weight in one.model.named_parameters() if "lora_" not in name}
        for one in opened
    ]
    assert weights[0] == weights[1] == weights[2]
    assert opened[0].model is opened[1].model
    for folder, one in [*zip(folders, opened, strict=True), (folders[0], opened[0])]:
        with one.turn():
            assert answers_of(one.model) == answers_of(load_causal_lm(folder, manifest_on(base))[0])


def use_one_adapter_after_the_other(base: Path) -> None:
    one, two = (open_model(adapter_folder(base, name, 1), manifest_on(base)) for name in ("one", "two"))
    assert len(two.model.peft_config) == 2
    del one
    assert len(two.model.peft_config) == 1
    with two.turn():
        answers_of(two.model)


def test_an_adapter_that_nobody_uses_leaves_the_base_and_the_last_takes_it_along(base):
    use_one_adapter_after_the_other(base)
    gc.collect()
    assert str(base) not in [where for where, _ in loading._bases]


def test_the_adapters_own_file_names_the_base_where_the_manifest_does_not(base):
    assert base_of(adapter_folder(base, "one", 1), {})[0] == str(base)


def test_a_base_that_is_gone_is_told(base, tmp_path):
    folder = adapter_folder(base, "one", 1)
    with pytest.raises(BadArtifact, match="cannot be loaded"):
        load_causal_lm(folder, manifest_on(tmp_path / "gone"))
    (folder / "adapter_config.json").write_text(json.dumps({}))
    with pytest.raises(BadArtifact, match="which base"):
        load_causal_lm(folder, {})
