"""Asking a trained MEMORY on this machine."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

from training.engine.artifact import Manifest, verify
from training.engine.decode import Decoder, Generated
from training.engine.echo import EchoCheck
from training.engine.encode import Encoder
from training.memory import DONT_KNOW, MemoryAnswer


@dataclass(frozen=True)
class Abstention:
    """When MEMORY says that it does not know: unsure, speaking of something else, or by its own words."""

    threshold: float
    echo: EchoCheck

    def judge(self, question: str, generated: Generated) -> MemoryAnswer:
        known = self.would_answer(question, generated) and generated.confidence >= self.threshold
        return MemoryAnswer(generated.text if known else DONT_KNOW, generated.confidence, known)

    def would_answer(self, question: str, generated: Generated) -> bool:
        """Whether the answer stands, its confidence apart."""
        if not generated.finished or generated.text == DONT_KNOW:
            return False
        return self.echo.accepts(question, generated.text)

    def as_dict(self) -> dict[str, Any]:
        return {"threshold": self.threshold, "echo": self.echo.as_dict()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Abstention:
        return cls(values["threshold"], EchoCheck.from_dict(values["echo"]))


class LocalMemory:
    """A MEMORY in this process; threads may share it and wait for each other."""

    def __init__(self, decoder: Decoder, abstention: Abstention, manifest: Manifest) -> None:
        self.manifest = manifest
        self._decoder, self._abstention = decoder, abstention
        self._lock = threading.Lock()

    @classmethod
    def load(cls, folder: Path | str, sha256: str | None = None) -> LocalMemory:
        """The MEMORY of an artifact folder. Raises BadArtifact if it is incomplete, altered, or not ``sha256``."""
        folder = Path(folder)
        manifest = verify(folder, sha256)
        torch.set_num_threads(1)  # small models lose time to a second thread, and requests share the machine
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
        encoder = Encoder(PreTrainedTokenizerFast.from_pretrained(folder))
        limits = manifest["limits"]
        decoder = Decoder(model, encoder, limits["question_tokens"], limits["answer_tokens"])
        return cls(decoder, Abstention.from_dict(manifest["abstention"]), manifest)

    def answer(self, questions: Sequence[str]) -> list[MemoryAnswer]:
        """One answer a question, in their order; too long a question gets “I don't know”."""
        with self._lock:
            generated = self._decoder.generate(questions)
        return [self._abstention.judge(*asked) for asked in zip(questions, generated, strict=True)]
