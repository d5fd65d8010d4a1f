"""Asking a trained MEMORY on this machine."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

from training.engine.abstention import Abstention
from training.engine.artifact import Manifest, verify
from training.engine.decode import Decoder
from training.engine.encode import Encoder
from training.engine.loading import Opened, open_model
from training.memory import MemoryAnswer


class LocalMemory:
    """A MEMORY in this process; threads may share it and wait for each other."""

    def __init__(self, opened: Opened, decoder: Decoder, abstention: Abstention, manifest: Manifest) -> None:
        self.manifest = manifest
        self._opened, self._decoder, self._abstention = opened, decoder, abstention
        self._lock = threading.Lock()

    @classmethod
    def load(cls, folder: Path | str, sha256: str | None = None) -> LocalMemory:
        """The MEMORY of an artifact folder. Raises BadArtifact if it is incomplete, altered, or not ``sha256``."""
        folder = Path(folder)
        manifest = verify(folder, sha256)
        opened = open_model(folder, manifest)
        limits = manifest["limits"]
        encoder, abstention = Encoder(opened.tokenizer), Abstention.from_dict(manifest["abstention"])
        decoder = Decoder(
            opened.model,
            encoder,
            limits["question_tokens"],
            limits["answer_tokens"],
            refusal=encoder.refusal if abstention.calibration else None,
        )
        return cls(opened, decoder, abstention, manifest)

    def answer(self, questions: Sequence[str]) -> list[MemoryAnswer]:
        """One answer a question, in their order; too long a question gets “I don't know”."""
        with self._lock, self._opened.turn():
            generated = self._decoder.generate(questions)
        return [self._abstention.judge(*asked) for asked in zip(questions, generated, strict=True)]
