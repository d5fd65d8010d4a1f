"""Fitting when a MEMORY abstains on pairs that it came without, where it was never evaluated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from training.engine.artifact import verify
from training.engine.decode import Decoder
from training.engine.encode import Encoder
from training.engine.events import Event, Fitted, Phase
from training.engine.loading import load_causal_lm
from training.engine.measure import Stop, measure
from training.engine.merge_exam import curriculum_of, measuring_config
from training.engine.pairs import Pair, split


def fitted(folder: Path, pairs: Sequence[Pair], stop: Stop = lambda: False) -> Iterator[Event]:
    """Ask a MEMORY what the pairs tell and what they do not; yields phases and, at the end, what came out.

    Nothing is written. Raises BadArtifact, and Interrupted when ``stop`` returns true.
    """
    yield Phase("preparing")
    manifest = verify(folder)
    config, limits = measuring_config(manifest), manifest["limits"]
    model, tokenizer = load_causal_lm(folder, manifest)
    encoder, parts = Encoder(tokenizer), split(pairs, config)
    decoder = Decoder(
        model, encoder, limits["question_tokens"], limits["answer_tokens"], refusal=encoder.refusal
    )
    measured = yield from measure(decoder, parts, curriculum_of(parts, encoder, config), config, stop)
    yield Fitted(measured.abstention.as_dict(), measured.metrics)
