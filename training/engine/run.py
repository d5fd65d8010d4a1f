"""A whole training from pairs to artifact, as a generator of events that can be stopped and taken up again."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import torch
from torch import nn
from transformers import GenerationConfig

from training.engine import ENGINE_VERSION, artifact
from training.engine.artifact import Manifest
from training.engine.base import choose_precision, use_training_attention
from training.engine.bases import Start, describe_environment, open_model, open_tokenizer, stored_dtype
from training.engine.batches import Curriculum, Example
from training.engine.checkpoint import Checkpoint
from training.engine.config import EngineConfig
from training.engine.crew import Crew
from training.engine.decode import Decoder
from training.engine.encode import Encoder
from training.engine.errors import BadConfig, BadPairs, Interrupted, OtherTraining
from training.engine.events import EVENT_SECONDS, Done, Event, Phase, Progress, Skipped, Started
from training.engine.measure import Measured, Stop, measure
from training.engine.pairs import Pair, Split, digest, kept_pairs, split
from training.engine.schedule import Check
from training.engine.train import Checked, Trainer, plain_examples
from training.engine.words import Lexicon

SPARE_TOKENS = 16  # an answer may be so much longer than the longest that was trained
SHORTEST_LIMIT = 64  # questions of so many tokens are understood however short the trained ones are


@dataclass(frozen=True)
class Workshop:
    """What the pairs and the configuration determine: made the same way at a start and at a resumption."""

    pairs: Sequence[Pair]
    split: Split
    config: EngineConfig
    encoder: Encoder
    curriculum: Curriculum
    question_tokens: int
    answer_tokens: int

    @property
    def facts(self) -> int:
        return len({pair.fact for pair in self.pairs})

    @property
    def longest(self) -> int:
        return self.question_tokens + self.answer_tokens


@dataclass(frozen=True)
class Training:
    """Everything at work on one training."""

    shop: Workshop
    start: Start
    trainer: Trainer
    checkpoint: Checkpoint
    crew: Crew


def train_memory(
    pairs: Sequence[Pair], output: Path, config: EngineConfig, stop: Stop = lambda: False
) -> Iterator[Event]:
    """Train a MEMORY on the pairs into the folder ``output``; yields what happens, at least every two seconds.

    A finished folder yields its manifest at once. When ``stop`` returns true a checkpoint is saved and Interrupted
    is raised; the same call later goes on from there. Raises OtherTraining if the folder holds something else,
    BadBase if the base cannot be trained, NoSpace if the disk is too full. Under ``accelerate launch`` every
    process calls it alike; the main one measures and saves.
    """
    crew = Crew()
    data = digest(pairs)
    config = config.resolved(len({pair.fact for pair in pairs}))
    config = config.model_copy(update={"precision": choose_precision(config, crew.device)})
    if artifact.is_complete(output):
        yield Done(_finished(output, data, config))
        return
    if crew.is_sharded and config.average:
        raise BadConfig("A model that is spread over processes (FSDP) keeps no average: set average to 0.")
    torch.set_num_threads(config.threads)
    yield Phase("preparing")
    training = prepare(pairs, output, config, crew, data)
    yield from _tell_start(training)
    yield from _train(training, stop)
    start = _result(training)
    if not crew.is_main:
        return
    measured = yield from _measure(training, start, stop)
    yield Phase("saving")
    manifest = _save(output, training, start, measured, data)
    training.checkpoint.remove()
    yield Done(manifest)


def _finished(output: Path, data: str, config: EngineConfig) -> Manifest:
    manifest = artifact.verify(output)
    if manifest["data_sha256"] != data or manifest["config"] != _as_json(config):
        raise OtherTraining(
            f"{output} holds a MEMORY trained on other pairs or with another configuration. Choose another folder."
        )
    return manifest


def _as_json(config: EngineConfig) -> dict[str, Any]:
    return config.model_dump(mode="json")


def _fingerprint(data: str, config: EngineConfig) -> str:
    parts = json.dumps([ENGINE_VERSION, data, _as_json(config)], sort_keys=True)
    return hashlib.sha256(parts.encode()).hexdigest()


def prepare(pairs: Sequence[Pair], output: Path, config: EngineConfig, crew: Crew, data: str) -> Training:
    """Everything that a training needs, at its start or where its checkpoint left off. ``config`` is resolved."""
    shop = _workshop(pairs, config)
    start = open_model(shop.encoder, config, shop.longest, crew.device)
    checkpoint = Checkpoint(output, _fingerprint(data, config), crew)
    checkpoint.require_space(start.parameters, sum(one.numel() for one in start.trained))
    use_training_attention(start.model, shop.longest, crew.device)
    trainer = Trainer(start.model, shop.curriculum, config, _checked(shop), crew)
    checkpoint.load_into(trainer)
    return Training(shop, start, trainer, checkpoint, crew)


def _workshop(pairs: Sequence[Pair], config: EngineConfig) -> Workshop:
    parts = split(pairs, config).after(_learned_before(config))
    encoder = Encoder(open_tokenizer(parts.trained, config))
    questions = [len(ids) for ids in encoder.prompts([pair.question for pair in pairs])]
    answers = [len(ids) for ids in encoder.answers([pair.answer for pair in pairs])]
    fits = [sum(both) <= config.max_tokens for both in zip(questions, answers, strict=True)]
    parts = parts.without([pair for pair, is_short in zip(pairs, fits, strict=True) if not is_short])
    if not parts.trained:
        raise BadPairs(f"No pair is short enough for max_tokens, {config.max_tokens}. Allow more tokens.")
    longest = (
        max(n for n, is_short in zip(part, fits, strict=True) if is_short) for part in (questions, answers)
    )
    longest_question, longest_answer = longest
    return Workshop(
        pairs,
        parts,
        config,
        encoder,
        Curriculum(parts.trained, encoder, Lexicon(parts.known), config, parts.earlier),
        question_tokens=max(SHORTEST_LIMIT, 2 * longest_question),
        answer_tokens=longest_answer + SPARE_TOKENS,
    )


def _learned_before(config: EngineConfig) -> Split:
    """What the MEMORY that is gone on from knows, as far as its pairs came with it."""
    file = Path(config.init or "") / artifact.PAIRS
    return kept_pairs(file) if config.init and file.exists() else Split((), (), ())


def _checked(shop: Workshop) -> Checked:
    """Samples of what there is to ask; the same ones each time."""
    parts = (shop.split.trained, shop.split.held_out, shop.curriculum.in_other_forms())
    return Checked(*(_sample(part, shop.config, shop.encoder) for part in parts))


def _sample(pairs: Sequence[Pair], config: EngineConfig, encoder: Encoder) -> list[Example]:
    random = Random(f"check:{config.seed}")  # noqa: S311 - not for secrets
    return plain_examples(random.sample(pairs, min(config.check_sample, len(pairs))), encoder)


def _tell_start(training: Training) -> Iterator[Event]:
    shop, trainer = training.shop, training.trainer
    yield Started(
        facts=shop.facts,
        pairs=len(shop.pairs),
        held_out=len(shop.split.held_out),
        left_out=len(shop.split.left_out),
        parameters=training.start.parameters,
        trained_parameters=sum(one.numel() for one in trainer.trained),
        steps=trainer.steps,
        processes=training.crew.world,
        base=training.start.origin.as_dict(),
        resumed_at=trainer.state.step or None,
    )
    if shop.split.too_long:
        yield Skipped(tuple(pair.id for pair in shop.split.too_long), shop.config.max_tokens)


def _train(training: Training, stop: Stop) -> Iterator[Event]:
    """Run the trainer to its end, with progress each second and checkpoints."""
    yield Phase("training")
    trainer, crew, checkpoint = training.trainer, training.crew, training.checkpoint
    state, before = trainer.state, trainer.state.seconds
    began = told = saved = time.monotonic()
    first_step, tokens = state.step, 0
    for step in trainer.run():
        now = time.monotonic()
        tokens += step.tokens
        state.seconds = before + now - began
        if step.is_best:
            checkpoint.save_best(trainer)
        is_stopped = crew.decided(stop())
        if is_stopped or step.check or crew.decided(now - saved >= trainer.config.checkpoint_seconds):
            checkpoint.save(trainer)
            saved = now
        if is_stopped:
            raise Interrupted(f"Stopped at step {state.step}; the same command goes on from there.")
        if step.check or now - told >= EVENT_SECONDS:
            told, pace = now, (now - began) / (state.step - first_step)
            yield _progress(trainer, pace, tokens / (now - began), step.check)
    checkpoint.save(trainer)


def _progress(trainer: Trainer, pace: float, tokens_per_second: float, check: Check | None) -> Progress:
    state = trainer.state
    return Progress(
        step=state.step,
        steps=trainer.steps,
        epoch=state.epoch,
        loss=round(state.loss, 5),
        seconds=round(state.seconds, 1),
        seconds_left=round(pace * (trainer.steps - state.step), 1),
        tokens_per_second=round(tokens_per_second),
        recall=check.recall if check else None,
        held_out_recall=check.held_out_recall if check else None,
        reworded_recall=check.reworded_recall if check else None,
    )


def _result(training: Training) -> Start:
    """The trained model as a plain one, out of the crew's hands. Every process must call it."""
    crew, trainer, start = training.crew, training.trainer, training.start
    if not crew.is_sharded:
        training.checkpoint.settle_on_best(trainer)
        crew.part()
        return Start(crew.plain(trainer.model), start.encoder, start.origin)
    weights = crew.weights(trainer.model)
    crew.part()
    if not crew.is_main:
        return start
    whole = open_model(start.encoder, training.shop.config, training.shop.longest, crew.device)
    best = training.checkpoint.best_of(trainer)
    whole.model.load_state_dict(best or weights, strict=False)  # tied weights are there once
    return whole


def _measure(training: Training, start: Start, stop: Stop) -> Generator[Event, None, Measured]:
    shop = training.shop
    model = _for_recall(start.model, shop.config)
    decoder = Decoder(
        model,  # type: ignore[arg-type]
        shop.encoder,
        shop.question_tokens,
        shop.answer_tokens,
        refusal=shop.encoder.refusal,
    )
    return measure(decoder, shop.split, shop.curriculum, shop.config, stop)


def _for_recall(model: nn.Module, config: EngineConfig) -> nn.Module:
    """The model as it will be asked: without dropout, in the precision that it is stored in."""
    model.set_attn_implementation("sdpa")  # type: ignore[operator]
    if config.gradient_checkpointing:
        model.activation_checkpointing_disable()  # type: ignore[operator]
    if config.method == "full":
        model.to(stored_dtype(config))
    return model.eval()


def _save(output: Path, training: Training, start: Start, measured: Measured, data: str) -> Manifest:
    """Write the artifact; its completion marker is the last thing written."""
    shop, trainer = training.shop, training.trainer
    output.mkdir(parents=True, exist_ok=True)
    start.model.save_pretrained(output)  # type: ignore[operator]
    shop.encoder.tokenizer.save_pretrained(output)
    _generation_config(shop).save_pretrained(output)
    parts = shop.split
    artifact.write_pairs(output, parts.known, (*parts.held_out, *parts.earlier_held_out))
    return artifact.complete(
        output,
        {
            "engine": ENGINE_VERSION,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "method": "from-scratch" if shop.config.is_from_scratch else shop.config.method,
            "base": start.origin.label,
            "base_model": start.origin.as_dict(),
            "config": _as_json(shop.config),
            "environment": describe_environment(training.crew.world),
            "counts": _counts(shop),
            "metrics": {**measured.metrics, **_course(trainer), "parameters": start.parameters},
            "limits": {"question_tokens": shop.question_tokens, "answer_tokens": shop.answer_tokens},
            "abstention": measured.abstention.as_dict(),
            "data_sha256": data,
        },
    )


def _generation_config(shop: Workshop) -> GenerationConfig:
    """Greedy answers that end where the chat template ends them, for whoever loads the folder."""
    ends = sorted(shop.encoder.ends)
    return GenerationConfig(
        do_sample=False, eos_token_id=ends, pad_token_id=shop.encoder.pad, max_new_tokens=shop.answer_tokens
    )


def _counts(shop: Workshop) -> dict[str, int]:
    parts = {
        name: len(getattr(shop.split, name))
        for name in ("trained", "held_out", "left_out", "too_long", "earlier")
    }
    return {"facts": shop.facts, "pairs": len(shop.pairs), **parts}


def _course(trainer: Trainer) -> dict[str, Any]:
    state = trainer.state
    return {
        "loss": state.loss,
        "steps": state.step,
        "best_step": state.best_step,
        "epochs": state.epoch + 1,
        "seconds": round(state.seconds, 1),
        "trained_parameters": sum(one.numel() for one in trainer.trained),
    }
