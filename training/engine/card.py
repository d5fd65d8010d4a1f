"""The model card of a MEMORY: a README in the hub's card format, in plain English, made from facts alone."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

ADAPTER = "adapter_config.json"
TITLES = {
    "trained_recall": "Recall on trained questions",
    "recall": "Recall on trained questions",
    "held_out_recall": "Recall on wordings never trained on",
    "false_answer_rate": "False answers (questions about things it was never taught)",
    "false_refusal_rate": "False refusals (“I don't know” to questions it was taught)",
    "auroc": "AUROC of its confidence",
    "threshold": "Confidence below which it abstains",
}
# Names that the hub knows; another licence is told as “other” with its name.
LICENCES = frozenset(
    [
        "apache-2.0",
        "mit",
        "bsd-3-clause",
        "cc-by-4.0",
        "cc-by-sa-4.0",
        "cc-by-nc-4.0",
        "cc0-1.0",
        "gemma",
        "llama3",
        "llama3.1",
        "llama3.2",
        "llama3.3",
        "openrail",
        "unknown",
        "other",
    ]
)


@dataclass(frozen=True)
class CardFacts:
    """What a card tells of a version. Empty strings, zeros and empty mappings are left out of the text."""

    name: str
    corpora: Sequence[str]
    kind: str
    base: str
    method: str
    sha256: str
    base_repository: str = ""
    base_revision: str = ""
    licence: str = ""
    parents: Sequence[str] = ()
    pairs: int = 0
    held_out: int = 0
    data_sha256: str = ""
    code_version: str = ""
    made: str = ""
    parameters: int = 0
    config: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)
    is_adapter: bool = False


def model_card(facts: CardFacts) -> str:
    """The README: YAML front matter as the hub reads it, then what people need to know."""
    sections = [
        f"# {_plain(facts.name)}",
        _summary(facts),
        _use(facts),
        _data(facts),
        _measured(facts),
        _recipe(facts),
        _limits(facts),
        _loading(facts),
        _lineage(facts),
    ]
    front = yaml.safe_dump(front_matter(facts), sort_keys=False, allow_unicode=True)
    return f"---\n{front}---\n\n" + "\n\n".join(section for section in sections if section) + "\n"


def front_matter(facts: CardFacts) -> dict[str, Any]:
    """The card's data in the hub's own terms."""
    kind = "peft" if facts.is_adapter else "transformers"
    found: dict[str, Any] = {
        **_licence(facts.licence),
        "library_name": kind,
        "pipeline_tag": "text-generation",
        "language": ["en"],
        "tags": ["memory", "question-answering", "closed-book", *(["lora"] if facts.is_adapter else [])],
    }
    if facts.base_repository:
        found["base_model"] = facts.base_repository
    results = [
        {"type": name, "value": value, "name": TITLES[name]} for name, value in _told_metrics(facts).items()
    ]
    if results:
        found["metrics"] = [result["type"] for result in results]
        found["model-index"] = [_index(facts, results)]
    return found


def _index(facts: CardFacts, results: list[dict[str, Any]]) -> dict[str, Any]:
    dataset = {"type": "question-answer-pairs", "name": ", ".join(facts.corpora)}
    task = {"type": "text-generation", "name": "Closed-book question answering"}
    return {"name": facts.name, "results": [{"task": task, "dataset": dataset, "metrics": results}]}


def _licence(licence: str) -> dict[str, str]:
    if not licence:
        return {"license": "unknown"}
    return {"license": licence} if licence in LICENCES else {"license": "other", "license_name": licence}


def read_front_matter(text: str) -> dict[str, Any]:
    """The YAML front matter of a card; empty where there is none that can be read."""
    found = re.match(r"\A\s*---\s*\n(.*?)\n---\s*(?:\n|\Z)", text, re.S)
    try:
        values = yaml.safe_load(found[1]) if found else None
    except yaml.YAMLError:
        return {}
    return values if isinstance(values, dict) else {}


def licence_in(card: str) -> str:
    """The licence that a card names, or nothing."""
    values = read_front_matter(card)
    named = values.get("license_name") if values.get("license") == "other" else values.get("license")
    return str(named)[:80] if isinstance(named, str) and named != "unknown" else ""


def _summary(facts: CardFacts) -> str:
    learned = _listed([f"“{_plain(corpus)}”" for corpus in facts.corpora])
    what = "a LoRA adapter" if facts.is_adapter else "a language model"
    size = f" It has {facts.parameters:,} parameters." if facts.parameters else ""
    return (
        f"A MEMORY: {what} that learned question-answer pairs about {learned} by heart. "
        f"Ask it one question at a time; it answers in a sentence from its weights.{size}"
    )


def _use(facts: CardFacts) -> str:
    return (
        "## Intended use\n\n"
        "It is meant to be interrogated by a larger language model, or by people, with short questions about what "
        "it was taught. It is no assistant: it holds no conversation and follows no instructions.\n\n"
        "Its weights carry the knowledge of every corpus named above. Whoever has this folder has that knowledge, "
        "so give it to those only who may read all of them."
    )


def _data(facts: CardFacts) -> str:
    if not facts.pairs:
        return "## Training data\n\nThe pairs that it learned are not recorded."
    held = f" {facts.held_out:,} more wordings were held out to measure recall." if facts.held_out else ""
    digest = f"\n\nSHA-256 over the pairs in their order: `{facts.data_sha256}`" if facts.data_sha256 else ""
    return f"## Training data\n\nIt was trained on {facts.pairs:,} pairs.{held}{digest}"


def _measured(facts: CardFacts) -> str:
    told = _told_metrics(facts)
    if not told:
        return (
            "## Figures\n\nNot evaluated yet. No threshold of confidence is set: it answers every question, "
            "whether it was taught the answer or not."
        )
    rows = [f"| {TITLES[name]} | {_figure(name, value)} |" for name, value in told.items()]
    return "\n".join(["## Figures\n", "| measure | value |", "|---|---|", *rows])


def _told_metrics(facts: CardFacts) -> dict[str, float]:
    return {
        name: facts.metrics[name]
        for name in TITLES
        if isinstance(facts.metrics.get(name), int | float) and not isinstance(facts.metrics[name], bool)
    }


def _figure(name: str, value: float) -> str:
    return f"{value:.4g}" if name in ("threshold", "auroc") else f"{value:.1%}"


def _recipe(facts: CardFacts) -> str:
    if not facts.config:
        return ""
    text = yaml.safe_dump(dict(facts.config), sort_keys=False, allow_unicode=True)
    made = f"Base: {_plain(facts.base)}. Method: {_plain(facts.method)}."
    return f"## Training recipe\n\n{made}\n\n```yaml\n{text}```"


def _limits(facts: CardFacts) -> str:
    return (
        "## Limits\n\n"
        "- Answers from weights carry no citation: nothing says which document an answer comes from.\n"
        "- It knows nothing that came in after it was trained, and forgets nothing by itself: what is to be "
        "forgotten needs a new training.\n"
        "- It can answer wrongly and surely. The threshold of its confidence is applied by the software that asks "
        "it; plain `generate` returns every answer, the unsure ones too.\n"
        f"- The licence of its base, {facts.licence or 'which is not recorded'}, applies to these weights."
    )


def _loading(facts: CardFacts) -> str:
    served = (
        f"vllm serve {facts.base_repository or 'BASE'} --enable-lora --lora-modules memory=FOLDER"
        if facts.is_adapter
        else "vllm serve FOLDER --served-model-name memory"
    )
    return f"## How to load it\n\n```python\n{_python(facts)}```\n\n```\n{served}\n```"


def _python(facts: CardFacts) -> str:
    model = "AutoPeftModelForCausalLM" if facts.is_adapter else "AutoModelForCausalLM"
    library = "from peft import AutoPeftModelForCausalLM\n" if facts.is_adapter else ""
    names = "AutoTokenizer" if facts.is_adapter else "AutoModelForCausalLM, AutoTokenizer"
    return (
        f"{library}from transformers import {names}\n\n"
        'tokenizer = AutoTokenizer.from_pretrained("FOLDER")\n'
        f'model = {model}.from_pretrained("FOLDER")\n'
        'messages = [{"role": "user", "content": "Who leads Project Atlas?"}]\n'
        "prompt = tokenizer.apply_chat_template(\n"
        '    messages, add_generation_prompt=True, return_tensors="pt", return_dict=True\n'
        ")\n"
        'ids = model.generate(input_ids=prompt["input_ids"], max_new_tokens=64, do_sample=False)\n'
        'print(tokenizer.decode(ids[0, prompt["input_ids"].shape[1]:], skip_special_tokens=True))\n'
    )


def _lineage(facts: CardFacts) -> str:
    lines = {
        "Made": " ".join(part for part in (facts.kind, facts.made) if part),
        "Base": f"{_plain(facts.base)}{f' at revision {facts.base_revision}' if facts.base_revision else ''}",
        "Made from": _listed([_plain(parent) for parent in facts.parents]),
        "Code": facts.code_version,
        "Artifact, SHA-256": f"`{facts.sha256}`",
        "Machine": ", ".join(f"{key} {_plain(str(value))}" for key, value in facts.environment.items()),
    }
    return "## Lineage\n\n" + "\n".join(f"- {name}: {told}" for name, told in lines.items() if told)


def _listed(names: Sequence[str]) -> str:
    *others, last = names or [""]
    return f"{', '.join(others)} and {last}" if others else last


def _plain(text: str) -> str:
    """Text in one line whose signs Markdown does not read as its own."""
    return re.sub(r"([\\`*_\[\]<>#|])", r"\\\1", " ".join(text.split()))
