"""A whole training from pairs to artifact, as a generator of events that can be stopped and taken up again."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import torch

from training.engine import ENGINE_VERSION, artifact
from training.engine.artifact import Manifest
from training.engine.base import build_model, build_tokenizer, choose_precision, parameters_of
from training.engine.batches import Curriculum, Example
from training.engine.checkpoint import Checkpoint
from training.engine.config import EngineConfig
from training.engine.decode import Decoder
from training.engine.echo import fit_echo
from training.engine.encode import Encoder
from training.engine.errors import Interrupted, OtherTraining
from training.engine.evaluate import (
    FEWEST,
    Asked,
    Question,
    ask,
    cross_fitted,
    fit_threshold,
    is_answered,
    known_questions,
    reworded_questions,
    share,
    unknown_questions,
)
from training.engine.events import Done, Event, Phase, Progress, Started
from training.engine.pairs import Pair, Split, digest, split
from training.engine.recall import Abstention
from training.engine.train import Check, Trainer, plain_examples
from training.engine.words import Lexicon

METHOD = "from-scratch"
BASE = "none (Qwen2 architecture, random weights)"
EVENT_SECONDS = 1.0
SPARE_TOKENS = 16  # an answer may be so much longer than the longest that was trained
Stop = Callable[[], bool]


@dataclass(frozen=True)
class Workshop:
    """What the pairs and the configuration determine: made the same way at a start and at a resumption."""

    pairs: Sequence[Pair]
    split: Split
    config: EngineConfig
    encoder: Encoder
    lexicon: Lexicon
    curriculum: Curriculum
    question_tokens: int
    answer_tokens: int

    @property
    def facts(self) -> int:
        return len({pair.fact for pair in self.pairs})


@dataclass(frozen=True)
class Measured:
    """What the evaluation of a trained model found."""

    abstention: Abstention
    metrics: dict[str, Any]


def train_memory(
    pairs: Sequence[Pair], output: Path, config: EngineConfig, stop: Stop = lambda: False
) -> Iterator[Event]:
    """Train a MEMORY on the pairs into the folder ``output``; yields what happens, at least every two seconds.

    A finished folder yields its manifest at once. When ``stop`` returns true a checkpoint is saved and Interrupted
    is raised; the same call later goes on from there. Raises OtherTraining if the folder holds something else.
    """
    data = digest(pairs)
    config = config.resolved(len({pair.fact for pair in pairs}))
    config = config.model_copy(update={"precision": choose_precision(config)})
    if artifact.is_complete(output):
        yield Done(_finished(output, data, config))
        return
    torch.set_num_threads(config.threads)
    yield Phase("preparing")
    shop = _workshop(pairs, config)
    checkpoint = Checkpoint(output, _fingerprint(data, config))
    trainer = _trainer(shop, checkpoint.load())
    yield _started(shop, trainer)
    yield from _train(trainer, checkpoint, stop)
    measured = yield from _measure(shop, trainer, stop)
    yield Phase("saving")
    manifest = _save(output, shop, trainer, measured, data)
    checkpoint.remove()
    yield Done(manifest)


def _finished(output: Path, data: str, config: EngineConfig) -> Manifest:
    manifest = artifact.verify(output)
    if manifest["data_sha256"] != data or manifest["config"] != config.model_dump():
        raise OtherTraining(
            f"{output} holds a MEMORY trained on other pairs or with another configuration. Choose another folder."
        )
    return manifest


def _fingerprint(data: str, config: EngineConfig) -> str:
    parts = json.dumps([ENGINE_VERSION, data, config.model_dump()], sort_keys=True)
    return hashlib.sha256(parts.encode()).hexdigest()


def _workshop(pairs: Sequence[Pair], config: EngineConfig) -> Workshop:
    parts = split(pairs, config)
    encoder = Encoder(build_tokenizer(parts.trained, config))
    lexicon = Lexicon(parts.trained)
    questions = max(map(len, encoder.prompts([pair.question for pair in pairs])))
    answers = max(map(len, encoder.answers([pair.answer for pair in pairs])))
    return Workshop(
        pairs,
        parts,
        config,
        encoder,
        lexicon,
        Curriculum(parts.trained, encoder, lexicon, config),
        question_tokens=max(64, 2 * questions),
        answer_tokens=answers + SPARE_TOKENS,
    )


def _trainer(shop: Workshop, saved: dict[str, Any] | None) -> Trainer:
    config, parts = shop.config, shop.split
    model = build_model(config, shop.encoder.tokenizer, shop.question_tokens + shop.answer_tokens)
    trainer = Trainer(
        model,
        shop.curriculum,
        config,
        _sample(parts.trained, config, shop.encoder),
        _sample(parts.held_out, config, shop.encoder),
    )
    if saved:
        trainer.load_state_dict(saved)
    return trainer


def _sample(pairs: Sequence[Pair], config: EngineConfig, encoder: Encoder) -> list[Example]:
    random = Random(f"check:{config.seed}")  # noqa: S311 - not for secrets
    return plain_examples(random.sample(pairs, min(config.check_sample, len(pairs))), encoder)


def _started(shop: Workshop, trainer: Trainer) -> Started:
    return Started(
        facts=shop.facts,
        pairs=len(shop.pairs),
        held_out=len(shop.split.held_out),
        left_out=len(shop.split.left_out),
        parameters=parameters_of(trainer.model),
        steps=trainer.steps,
        resumed_at=trainer.state.step or None,
    )


def _train(trainer: Trainer, checkpoint: Checkpoint, stop: Stop) -> Iterator[Event]:
    """Run the trainer to its end, with progress each second and checkpoints."""
    yield Phase("training")
    state, before = trainer.state, trainer.state.seconds
    began = told = saved = time.monotonic()
    first_step, tokens = state.step, 0
    for step in trainer.run():
        now = time.monotonic()
        tokens += step.tokens
        state.seconds = before + now - began
        if stop() or step.check or now - saved >= trainer.config.checkpoint_seconds:
            checkpoint.save(trainer.state_dict())
            saved = now
        if stop():
            raise Interrupted(f"Stopped at step {state.step}; the same command goes on from there.")
        if step.check or now - told >= EVENT_SECONDS:
            told, pace = now, (now - began) / (state.step - first_step)
            yield _progress(trainer, pace, tokens / (now - began), step.check)
    checkpoint.save(trainer.state_dict())


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
    )


def _measure(shop: Workshop, trainer: Trainer, stop: Stop) -> Generator[Event, None, Measured]:
    """Fit the abstention, then measure everything that the manifest states."""
    decoder = _decoder(shop, trainer)
    random = Random(f"evaluation:{shop.config.seed}")  # noqa: S311 - not for secrets
    trained, limit = shop.split.trained, shop.config.false_refusals
    held_out = known_questions(shop.split.held_out)
    reworded = reworded_questions(trained, shop.lexicon, max(0, FEWEST - len(held_out)), random)
    questions = {"held_out": held_out, "reworded": reworded, **unknown_questions(shop.curriculum, random)}
    flat = [(kind, question) for kind, group in questions.items() for question in group]

    asked = yield from _ask("calibrating", decoder, [question for _, question in flat], stop)
    bare = Abstention(0.0, fit_echo(trained, shop.lexicon))
    abstention = Abstention(fit_threshold(bare, asked, limit), bare.echo)
    answered = [
        (kind, one, known)
        for (kind, _), one, known in zip(flat, asked, cross_fitted(bare, asked, limit), strict=True)
    ]
    sample = random.sample(trained, min(len(trained), shop.config.evaluation_sample))
    again = yield from _ask("evaluating", decoder, known_questions(sample), stop)
    unknown = [(kind, known) for kind, one, known in answered if one.expected is None]
    return Measured(
        abstention,
        {
            "trained_recall": share(one.is_exact and is_answered(abstention, one) for one in again),
            "trained_questions": len(again),
            "held_out_recall": share(
                one.is_exact and known for kind, one, known in answered if kind == "held_out"
            ),
            "held_out_questions": len(held_out),
            "false_refusal_rate": share(not known for kind, _, known in answered if kind == "held_out"),
            "false_answer_rate": share(known for _, known in unknown),
            "false_answer_rate_by_kind": {
                kind: share(known for other, known in unknown if other == kind)
                for kind in sorted({kind for kind, _ in unknown})
            },
            "unknown_questions": len(unknown),
            "threshold": abstention.threshold,
        },
    )


def _decoder(shop: Workshop, trainer: Trainer) -> Decoder:
    model = trainer.average.eval()
    model.set_attn_implementation("sdpa")
    return Decoder(model, shop.encoder, shop.question_tokens, shop.answer_tokens)


def _ask(
    phase: str, decoder: Decoder, questions: Sequence[Question], stop: Stop
) -> Generator[Event, None, list[Asked]]:
    """Put questions to the model, saying each second that the phase goes on. Answers in the questions' order."""
    yield Phase(phase)
    told = time.monotonic()
    asked = {}
    for place, one in ask(decoder, questions):
        asked[place] = one
        if stop():
            raise Interrupted(f"Stopped while {phase}; the same command goes on from there.")
        if time.monotonic() - told >= EVENT_SECONDS:
            told = time.monotonic()
            yield Phase(phase)
    return [asked[place] for place in range(len(questions))]


def _save(output: Path, shop: Workshop, trainer: Trainer, measured: Measured, data: str) -> Manifest:
    """Write the artifact; its completion marker is the last thing written."""
    trainer.average.save_pretrained(output)
    shop.encoder.tokenizer.save_pretrained(output)
    artifact.write_pairs(output, shop.split.trained, shop.split.held_out)
    state = trainer.state
    return artifact.complete(
        output,
        {
            "engine": ENGINE_VERSION,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "method": METHOD,
            "base": BASE,
            "config": shop.config.model_dump(),
            "counts": {
                "facts": shop.facts,
                "pairs": len(shop.pairs),
                "trained": len(shop.split.trained),
                "held_out": len(shop.split.held_out),
                "left_out": len(shop.split.left_out),
            },
            "metrics": {
                **measured.metrics,
                "loss": state.loss,
                "steps": state.step,
                "epochs": state.epoch + 1,
                "seconds": round(state.seconds, 1),
                "parameters": parameters_of(trainer.model),
            },
            "limits": {"question_tokens": shop.question_tokens, "answer_tokens": shop.answer_tokens},
            "abstention": measured.abstention.as_dict(),
            "data_sha256": data,
        },
    )
