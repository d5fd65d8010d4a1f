"""Training from a pretrained base: any chat template, full weights or LoRA; others can load the result."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from peft import AutoPeftModelForCausalLM
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast

from tests.once import made_once
from tests.training.bases import BASES, save_qwen2
from tests.training.test_engine import facts
from training.engine.bases import fingerprint, pin, stored_dtype
from training.engine.config import load_config
from training.engine.decode import Decoder
from training.engine.encode import Encoder, frame_of
from training.engine.errors import BadBase, BadConfig
from training.engine.pairs import Pair
from training.engine.run import train_memory

pytestmark = pytest.mark.engine

PAIRS = [Pair(**pair) for pair in facts(8)]
TEXTS = [f"{pair.question} {pair.answer}" for pair in PAIRS]
OPTIONS = ["epochs=400", "accumulate=1", "batch_size=16", "check_every=40", "precision=fp32", "check_below=9"]


def train(base: Path, output: Path, recipe: str, *options: str) -> dict:
    config = load_config(None, [*OPTIONS, f"base={base}", *options], recipe)
    events = list(train_memory(PAIRS, output, config))
    return events[-1].as_dict()["manifest"]


@pytest.fixture(scope="module", params=list(BASES))
def base(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    kind = request.param
    return made_once(tmp_path_factory, f"base-{kind}", lambda folder: BASES[kind](folder, TEXTS))


@pytest.fixture(scope="module")
def full(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    options = ("learning_rate=4e-3", "max_steps=220")
    return made_once(tmp_path_factory, f"full-{base.name}", lambda out: train(base, out, "full", *options))


@pytest.fixture(scope="module")
def adapter(full: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LoRA on a base that can speak already: the full fine-tune."""
    options = ("learning_rate=5e-3", "max_steps=60")
    return made_once(tmp_path_factory, f"lora-{full.name}", lambda out: train(full, out, "lora", *options))


def answers_of(model: torch.nn.Module, tokenizer: PreTrainedTokenizerFast) -> list[str]:
    """What plain transformers says, with nothing set by hand."""
    said = []
    for pair in PAIRS[::4]:
        prompt = tokenizer.apply_chat_template(
            [{"role": "user", "content": pair.question}],
            add_generation_prompt=True,
            return_tensors="pt",
            return_dict=True,
        )
        ids = model.generate(**prompt)
        said.append(
            tokenizer.decode(ids[0, prompt["input_ids"].shape[1] :], skip_special_tokens=True).strip()
        )
    return said


def test_a_full_fine_tune_recalls_what_it_was_trained_on(full):
    model = AutoModelForCausalLM.from_pretrained(full).eval()
    right = [
        said == pair.answer for said, pair in zip(answers_of(model, _tokens(full)), PAIRS[::4], strict=True)
    ]
    assert sum(right) >= 7


def test_plain_transformers_gives_the_answers_that_the_engine_gives(full):
    tokenizer, model = _tokens(full), AutoModelForCausalLM.from_pretrained(full).eval()
    decoder = Decoder(model, Encoder(tokenizer), 128, 60)
    said = [generated.text for generated in decoder.generate([pair.question for pair in PAIRS[::4]])]
    assert said == answers_of(model, tokenizer)


def test_the_adapter_folder_loads_in_plain_peft_and_merged_it_says_the_same(adapter, tmp_path):
    tokenizer, model = _tokens(adapter), AutoPeftModelForCausalLM.from_pretrained(adapter).eval()
    said = answers_of(model, tokenizer)
    assert sum(one == pair.answer for one, pair in zip(said, PAIRS[::4], strict=True)) >= 6
    model.merge_and_unload().save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    merged = AutoModelForCausalLM.from_pretrained(tmp_path).eval()
    assert answers_of(merged, AutoTokenizer.from_pretrained(tmp_path)) == said


def test_an_adapter_trains_few_weights_and_leaves_its_base_as_it_was(base, tmp_path):
    before = fingerprint(base)
    manifest = train(base, tmp_path, "paper-lora", "max_steps=2")
    assert manifest["metrics"]["trained_parameters"] < manifest["metrics"]["parameters"] / 2
    assert manifest["base_model"] == {"source": "folder", "location": str(base), "revision": before}
    assert fingerprint(base) == before
    stored = sum(path.stat().st_size for path in tmp_path.glob("adapter_model.safetensors"))
    assert stored < (base / "model.safetensors").stat().st_size


def test_loss_falls_on_the_answer_and_its_end_alone(base):
    encoder = Encoder(AutoTokenizer.from_pretrained(base))
    (prompt,), (answer,) = encoder.prompts(["Who is it?"]), encoder.answers(["Eva."])
    assert "Who is it?" in encoder.tokenizer.decode(prompt)
    assert encoder.text(answer) == "Eva."
    assert answer[-1] == encoder.end
    whole = encoder.tokenizer.apply_chat_template(
        [{"role": "user", "content": "Who is it?"}, {"role": "assistant", "content": "Eva."}],
        return_dict=True,
    )["input_ids"]
    assert whole[: len(prompt) + len(answer)] == prompt + answer


def test_a_template_that_writes_a_thought_in_front_of_answers_has_it_in_the_prompt(tmp_path):
    tokenizer = AutoTokenizer.from_pretrained(save_qwen2(tmp_path, TEXTS))
    thinking = (
        "{% if message['role'] == 'assistant' %}{{ '<think></think>' }}{% endif %}{{ message['content'] }}"
    )
    tokenizer.chat_template = (
        "{% for message in messages %}{{ '<|im_start|>' + message['role'] + ' ' }}"
        + thinking
        + "{{ '<|im_end|>' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant ' }}{% endif %}"
    )
    frame = frame_of(tokenizer)
    assert frame.between.endswith("<think></think>")
    assert (frame.lead, frame.end) == ("", "<|im_end|>")


def test_a_base_without_a_chat_template_is_refused_with_what_to_choose(tmp_path):
    base = save_qwen2(tmp_path / "base", TEXTS)
    (base / "chat_template.jinja").unlink()
    with pytest.raises(BadBase, match="Instruct"):
        train(base, tmp_path / "out", "full", "max_steps=1")


@pytest.mark.parametrize(
    ("option", "says"),
    [
        ("base=/nowhere/at/all", "no folder"),
        ("revision=abc", "have changed"),
        ("load_in_4bit=true", "bitsandbytes"),
    ],
)
def test_a_base_that_cannot_be_loaded_is_told(tmp_path, option, says):
    base = save_qwen2(tmp_path / "base", TEXTS)
    with pytest.raises(BadBase, match=says):
        train(base, tmp_path / "out", "lora", "max_steps=1", option)


def test_layers_that_the_base_does_not_have_are_named_with_those_it_has(tmp_path):
    base = save_qwen2(tmp_path / "base", TEXTS)
    with pytest.raises(BadBase, match=r"c_attn.*q_proj"):
        train(base, tmp_path / "out", "lora", "max_steps=1", 'lora_targets=["c_attn"]')


def test_a_folder_is_pinned_by_its_contents(tmp_path):
    base = save_qwen2(tmp_path, TEXTS)
    before = pin(str(base), None).revision
    (base / "config.json").write_text((base / "config.json").read_text() + " ")
    assert pin(str(base), None).revision != before


def test_pairs_that_are_too_long_are_reported_by_id(tmp_path):
    base = save_qwen2(tmp_path / "base", TEXTS)
    long = Pair("long", "What is the home town of " + "Ada " * 200 + "?", "Oslo.", "long")
    config = load_config(None, [*OPTIONS, f"base={base}", "max_steps=2", "max_tokens=100"], "full")
    events = [event.as_dict() for event in train_memory([*PAIRS, long], tmp_path / "out", config)]
    (skipped,) = [event for event in events if event["event"] == "skipped"]
    assert skipped["ids"] == ("long",)
    assert events[-1]["manifest"]["counts"]["too_long"] == 1


def test_gradient_checkpointing_changes_memory_and_not_the_weights(base, tmp_path):
    weights = []
    for value in ("true", "false"):
        train(base, tmp_path / value, "full", "max_steps=5", f"gradient_checkpointing={value}")
        weights.append(AutoModelForCausalLM.from_pretrained(tmp_path / value).state_dict())
    for name, tensor in weights[0].items():
        assert torch.allclose(tensor, weights[1][name], atol=1e-5), name


def test_training_stops_when_held_out_recall_no_longer_rises_and_keeps_the_best(tmp_path):
    base = save_qwen2(tmp_path / "base", TEXTS)
    options = ("learning_rate=4e-3", "epochs=400", "check_every=20", "stop_after=3", "schedule=constant")
    metrics = train(base, tmp_path / "out", "full", *options)["metrics"]
    assert metrics["best_step"] <= metrics["steps"] < 400  # of 800
    assert metrics["held_out_recall"] == 1


def test_a_memory_goes_on_from_another_one_with_its_tokenizer(tmp_path):
    base = save_qwen2(tmp_path / "base", TEXTS)
    train(base, tmp_path / "old", "full", "learning_rate=4e-3", "max_steps=120")
    config = load_config(None, [*OPTIONS, f"init={tmp_path / 'old'}", "max_steps=2"], "full")
    first = next(e for e in train_memory(PAIRS, tmp_path / "new", config) if e.name == "progress")
    assert first.as_dict()["loss"] < 2  # the fresh base begins at more than six


def test_what_goes_on_from_a_memory_is_stored_in_its_precision(tmp_path):
    folder = save_qwen2(tmp_path / "old", TEXTS)
    for precision in (torch.bfloat16, torch.float32):
        AutoModelForCausalLM.from_pretrained(folder).to(precision).save_pretrained(folder)
        assert stored_dtype(load_config(None, [f"init={folder}"], "full")) == precision
    assert stored_dtype(load_config(None)) == torch.float32


@pytest.mark.parametrize("option", ["learning_rate=-1", "lora_rank=0", "schedule=fast", "epochs=none"])
def test_a_number_that_makes_no_sense_is_refused_by_name(option):
    with pytest.raises(BadConfig, match=option.split("=")[0]):
        load_config(None, [option])


def _tokens(folder: Path) -> PreTrainedTokenizerFast:
    return AutoTokenizer.from_pretrained(folder)
