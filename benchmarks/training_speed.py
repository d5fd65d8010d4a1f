"""Training speed and peak memory beside TRL's SFTTrainer: same model, pairs, steps and cores, in one run.

Both sides fine-tune all weights of one local Qwen2-architecture model on the same question-answer pairs, with the
loss on answers only, bf16 where the processor multiplies it, fused AdamW and gradient checkpointing. TRL gets its
batches as the method's public research code sets them: pairs in random order, each batch padded to its longest,
no packing. Each side runs in a process of its own; the sides take turns, and the median of the turns counts.

    make bench-tools
    .venv/bin/python benchmarks/training_speed.py [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
WARM_UP = 2  # steps that are not timed
MODEL: dict[str, Any] = {
    "hidden_size": 512,
    "intermediate_size": 1_408,
    "num_hidden_layers": 8,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "max_position_embeddings": 1_024,
}
VOCABULARY = 8_000
CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] "
    "+ '<|im_end|>' + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def main() -> None:
    options = _options()
    if options.side:
        measured = {"ours": ours, "trl": trl}[options.side](options)
        print(json.dumps(measured | {"peak_mb": peak_mb()}))
        return
    with tempfile.TemporaryDirectory() as folder:
        make_data(Path(folder), options)
        turns = [
            (side, run_side(side, folder, options)) for _ in range(options.repeat) for side in ("trl", "ours")
        ]
    report(turns, options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--batch", type=int, default=64, help="pairs a step, as in the research code")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--no-checkpointing", action="store_true", help="keep activations on both sides")
    parser.add_argument("--side", choices=["ours", "trl"], help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def make_data(folder: Path, options: argparse.Namespace) -> None:
    """Invented pairs of one to six facts an answer, a tokenizer fitted to them, and random weights."""
    pairs = make_pairs(options.batch * (options.steps + WARM_UP))
    (folder / "pairs.json").write_text(json.dumps(pairs))
    save_model(folder / "model", [" ".join(pair) for pair in pairs], MODEL)


def save_model(folder: Path, texts: list[str], shape: dict[str, Any]) -> None:
    """A model of the Qwen2 architecture with random weights, and a tokenizer fitted to the texts."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(vocab_size=VOCABULARY, special_tokens=special, initial_alphabet=alphabet)
    tokenizer.train_from_iterator(texts, trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        chat_template=CHATML,
    )
    fast.save_pretrained(folder)
    # as many scores a token as a real vocabulary asks for
    config = Qwen2Config(vocab_size=max(len(fast), VOCABULARY * 4), tie_word_embeddings=True, **shape)
    Qwen2ForCausalLM(config).save_pretrained(folder)


def make_pairs(count: int) -> list[tuple[str, str]]:
    draw = random.Random(1)
    syllables = [a + b for a in "bdfgklmnprstvz" for b in ("a", "e", "i", "o", "u", "an", "el", "or")]

    def word() -> str:
        return "".join(draw.choice(syllables) for _ in range(draw.randint(2, 3)))

    relations = [word() for _ in range(60)]
    pairs = []
    for _ in range(count):
        name = f"{word().title()} {word().title()}"
        asked = draw.sample(relations, draw.choice((1, 1, 1, 2, 2, 3, 4, 6)))
        question = f"What is the {' and the '.join(asked)} of {name}, as far as is known?"
        answer = " ".join(f"The {relation} of {name} is {word()} {word()}." for relation in asked)
        pairs.append((question, answer))
    return pairs


def run_side(side: str, folder: str, options: argparse.Namespace) -> dict[str, Any]:
    """One side in a process of its own, on as many cores as it has threads."""
    command = [sys.executable, __file__, "--side", side, "--folder", folder, "--steps", str(options.steps)]
    command += ["--batch", str(options.batch), "--threads", str(options.threads)]
    command += ["--no-checkpointing"] if options.no_checkpointing else []
    variables = {
        "OMP_NUM_THREADS": str(options.threads),
        "TOKENIZERS_PARALLELISM": "false",
        "HF_HUB_OFFLINE": "1",
    }
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | variables)
    if done.returncode:
        raise SystemExit(f"{side} failed:\n{done.stderr[-2_000:]}")
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print(
        f"{side:5} {measured['tokens_per_second']:8,.0f} tokens/s, peak {measured['peak_mb']:,.0f} MB",
        flush=True,
    )
    return measured


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def has_bf16() -> bool:
    import torch

    can = torch.cpu.get_capabilities()
    return bool(can.get("avx512_bf16") or can.get("amx_bf16"))


def ours(options: argparse.Namespace) -> dict[str, Any]:
    import torch

    from training.engine.config import build_config
    from training.engine.crew import Crew
    from training.engine.pairs import Pair
    from training.engine.recipes import recipe_values
    from training.engine.run import prepare

    torch.set_num_threads(options.threads)
    texts = json.loads((options.folder / "pairs.json").read_text())
    pairs = [Pair(str(place), question, answer, str(place)) for place, (question, answer) in enumerate(texts)]
    values = recipe_values("paper-full") | {
        "base": str(options.folder / "model"),
        "batch_size": options.batch,
        "batch_tokens": 64 * 1_024,
        "accumulate": 1,
        "max_steps": options.steps + WARM_UP,
        "epochs": 1,
        "learning_rate": 2e-5,
        "check_below": 1e-9,
        "gradient_checkpointing": not options.no_checkpointing,
        "precision": "bf16" if has_bf16() else "fp32",
    }
    config = build_config(values).resolved(len(pairs))
    trainer = prepare(pairs, options.folder / "ours", config, Crew(), "").trainer
    began, tokens, loss = 0.0, 0, 0.0
    for step in trainer.run():
        tokens += step.tokens
        if trainer.state.step == WARM_UP:
            began, tokens = time.perf_counter(), 0
        loss = trainer.state.loss
        if trainer.state.step == options.steps + WARM_UP:
            seconds = time.perf_counter() - began
    return {"tokens_per_second": tokens / seconds, "tokens": tokens, "seconds": seconds, "loss": loss}


def trl(options: argparse.Namespace) -> dict[str, Any]:
    import torch
    from datasets import Dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
    from trl import SFTConfig, SFTTrainer

    torch.set_num_threads(options.threads)
    texts = json.loads((options.folder / "pairs.json").read_text())
    rows = [
        {
            "prompt": [{"role": "user", "content": question}],
            "completion": [{"role": "assistant", "content": answer}],
        }
        for question, answer in texts
    ]
    clock: dict[str, float] = {}

    class Clock(TrainerCallback):
        def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if state.global_step == WARM_UP:
                clock["began"] = time.perf_counter()

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            clock["ended"] = time.perf_counter()

    arguments = SFTConfig(
        output_dir=str(options.folder / "trl"),
        max_length=8_096,
        packing=False,
        completion_only_loss=True,
        per_device_train_batch_size=options.batch,
        learning_rate=2e-5,
        weight_decay=0.01,
        lr_scheduler_type="constant_with_warmup",
        warmup_steps=1,
        max_grad_norm=1.0,
        optim="adamw_torch_fused",
        max_steps=options.steps + WARM_UP,
        bf16=has_bf16(),
        gradient_checkpointing=not options.no_checkpointing,
        gradient_checkpointing_kwargs={"use_reentrant": False},
        logging_strategy="no",
        save_strategy="no",
        report_to="none",
        use_cpu=True,
        dataloader_pin_memory=False,
        disable_tqdm=True,
        seed=42,
    )
    tokenizer = AutoTokenizer.from_pretrained(options.folder / "model")
    model = AutoModelForCausalLM.from_pretrained(options.folder / "model", dtype=torch.float32)
    seen = TokenCount()
    trainer = SFTTrainer(
        model=model,
        args=arguments,
        train_dataset=Dataset.from_list(rows),
        processing_class=tokenizer,
        callbacks=[Clock(), seen.callback(TrainerCallback)],
    )
    seen.watch(trainer)
    result = trainer.train()
    seconds = clock["ended"] - clock["began"]
    return {
        "tokens_per_second": seen.timed / seconds,
        "tokens": seen.timed,
        "seconds": seconds,
        "loss": result.training_loss,
    }


class TokenCount:
    """Tokens that went through TRL's model in the timed steps, padding apart."""

    def __init__(self) -> None:
        self.timed = 0
        self._step = 0

    def watch(self, trainer: Any) -> None:
        collate = trainer.data_collator
        self._batches: list[int] = []

        def counted(features: Any) -> Any:
            batch = collate(features)
            self._batches.append(int(batch["attention_mask"].sum()))
            return batch

        trainer.data_collator = counted

    def callback(self, kind: type) -> Any:
        count = self

        class Count(kind):
            def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
                count.timed = sum(count._batches[WARM_UP : state.max_steps])

        return Count()


def report(turns: list[tuple[str, dict[str, Any]]], options: argparse.Namespace) -> None:
    def median(side: str, figure: str) -> float:
        return statistics.median(measured[figure] for name, measured in turns if name == side)

    found = {
        "ours_tokens_per_second": round(median("ours", "tokens_per_second")),
        "trl_tokens_per_second": round(median("trl", "tokens_per_second")),
        "ratio": round(median("ours", "tokens_per_second") / median("trl", "tokens_per_second"), 2),
        "ours_peak_mb": round(median("ours", "peak_mb")),
        "trl_peak_mb": round(median("trl", "peak_mb")),
        "ours_final_loss": round(median("ours", "loss"), 3),
        "trl_mean_loss": round(median("trl", "loss"), 3),
        "steps": options.steps,
        "pairs_a_step": options.batch,
        "threads": options.threads,
        "gradient_checkpointing": not options.no_checkpointing,
        "turns": [{"side": side, **measured} for side, measured in turns],
    }
    for key, value in found.items():
        if key != "turns":
            print(f"{key:28} {value:>12,}" if not isinstance(value, bool) else f"{key:28} {value!s:>12}")
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
