"""Trained models from their folders: whole models, and adapters on a base that they share."""

from __future__ import annotations

import json
import threading
import weakref
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerFast

from memosite.errors import MemoError
from training.engine.artifact import FOLDER, HUB, Manifest, is_from_scratch, source_of
from training.engine.errors import BadArtifact

ADAPTER = "adapter_config.json"
_bases: weakref.WeakValueDictionary[tuple[str, str | None], SharedBase] = weakref.WeakValueDictionary()
_loading = threading.Lock()
_names = count(1)


def device() -> torch.device:
    """Where models answer: the accelerator if there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def load_causal_lm(folder: Path, manifest: Manifest) -> tuple[PreTrainedModel, Any]:
    """The model and tokenizer of an artifact, an adapter with a base of its own. Raises BadArtifact."""
    if not is_adapter(folder):
        return _pretrained(folder, None, is_small=is_from_scratch(manifest)), load_tokenizer(folder, manifest)
    base = _pretrained(*base_of(folder, manifest))
    with _told(f"adapter {folder}"):
        adapted: Any = PeftModel.from_pretrained(base, folder).eval()
    return adapted, load_tokenizer(folder, manifest)


def is_adapter(folder: Path) -> bool:
    return (folder / ADAPTER).exists()


def base_of(folder: Path, manifest: Manifest) -> tuple[str, str | None]:
    """Location and revision of an adapter's base: the manifest says, or else the adapter's own file."""
    told = manifest.get("base_model") or {}
    if (source := source_of(manifest)) in (HUB, FOLDER) and told.get("location"):
        return str(told["location"]), (told.get("revision") or None) if source == HUB else None
    try:
        own = json.loads((folder / ADAPTER).read_text(encoding="utf-8"))
        return str(own["base_model_name_or_path"]), own.get("revision")
    except (OSError, ValueError, KeyError) as error:
        raise BadArtifact(f"{folder} does not say which base its adapter belongs to.") from error


def load_tokenizer(folder: Path, manifest: Manifest) -> Any:
    """The tokenizer in an artifact's folder. Raises BadArtifact."""
    family: Any = PreTrainedTokenizerFast if is_from_scratch(manifest) else AutoTokenizer
    with _told(f"tokenizer of {folder}"):
        return family.from_pretrained(folder)


@contextmanager
def _told(what: str) -> Iterator[None]:
    """Whatever goes wrong inside is raised as BadArtifact: the libraries raise errors of many kinds."""
    try:
        yield
    except MemoError:
        raise
    except Exception as error:
        raise BadArtifact(f"The {what} cannot be loaded: {error}") from error


@dataclass(frozen=True)
class Opened:
    """A model ready to answer. Use it within ``turn``, which makes others that share its weights wait."""

    model: PreTrainedModel
    tokenizer: Any
    adapter: Adapter | None = None

    def turn(self) -> AbstractContextManager[None]:
        return self.adapter.in_use() if self.adapter else nullcontext()


def open_model(folder: Path, manifest: Manifest) -> Opened:
    """As ``load_causal_lm``, but adapters of one base share its weights in memory. Raises BadArtifact."""
    if not is_adapter(folder):
        return Opened(*load_causal_lm(folder, manifest))
    with _loading:
        where = base_of(folder, manifest)
        base = _bases.get(where)
        if base is None:
            base = SharedBase(_pretrained(*where))
        adapter = Adapter(base, folder)  # the first one wraps the base's model
        _bases[where] = base  # not before: what an adapter failed to wrap is no base for others
    return Opened(base.model, load_tokenizer(folder, manifest), adapter)


class SharedBase:
    """A base in memory with the adapters of those who use it; it goes when the last of them does."""

    def __init__(self, base: PreTrainedModel) -> None:
        self.model: Any = base
        self.lock = threading.RLock()

    def attach(self, folder: Path, name: str) -> None:
        """Put an adapter on the base. Raises BadArtifact; then the others are as they were."""
        with self.lock, _told(f"adapter {folder}"):
            if isinstance(self.model, PeftModel):
                try:
                    self.model.load_adapter(folder, adapter_name=name)
                except BaseException:
                    self.detach(name)
                    raise
            else:
                self.model = PeftModel.from_pretrained(self.model, folder, adapter_name=name)
            self.model.eval()

    def detach(self, name: str) -> None:
        with self.lock:
            if name not in self.model.peft_config:
                return
            others = [other for other in self.model.peft_config if other != name]
            if others:  # the last one goes with the base
                self.model.set_adapter(others[0])  # peft warns when the active one is deleted
                self.model.delete_adapter(name)


class Adapter:
    """One adapter on a shared base, taken off when nobody holds this any more."""

    def __init__(self, base: SharedBase, folder: Path) -> None:
        self._base, self._name = base, f"adapter{next(_names)}"
        base.attach(folder, self._name)
        weakref.finalize(self, base.detach, self._name)

    @contextmanager
    def in_use(self) -> Iterator[None]:
        with self._base.lock:
            self._base.model.set_adapter(self._name)
            yield


def _pretrained(where: Path | str, revision: str | None = None, *, is_small: bool = False) -> PreTrainedModel:
    """A model for answering: bf16 on an accelerator, but for the small ones of our own; fp32 on the processor."""
    torch.set_num_threads(1)  # small models lose time to a second thread, and requests share the machine
    target = device()
    dtype = torch.bfloat16 if target.type == "cuda" and not is_small else torch.float32
    with _told(f"model {where}"):
        model: Any = AutoModelForCausalLM.from_pretrained(where, revision=revision, dtype=dtype)
        placed: PreTrainedModel = model.to(target).eval()
    return placed
