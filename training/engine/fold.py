"""An adapter and its base as one plain model, for software that knows no adapters."""

from __future__ import annotations

import shutil
from pathlib import Path

TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "chat_template.jinja",
)
GENERATION = "generation_config.json"


def fold_adapter(adapter: Path, target: Path) -> None:
    """Add the adapter's weights to its base's (W + alpha / rank * B A) and write the whole model into ``target``.

    The base is read from where the adapter names it, and held in memory as a whole.
    """
    from peft import AutoPeftModelForCausalLM

    model = AutoPeftModelForCausalLM.from_pretrained(adapter)
    model.merge_and_unload().save_pretrained(target)
    for name in (*TOKENIZER_FILES, GENERATION):
        if (adapter / name).exists():
            shutil.copyfile(adapter / name, target / name)
