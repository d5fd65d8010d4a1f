"""Versions trained before there was a registry: their corpora, the digests of their pairs, their sizes; and bases."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.conf import settings
from django.db import migrations

BATCH = 2_000
#: name, source, location, licence, parameters. Revisions are pinned by the first training from them.
BASES = (
    ("Built in, small", "built-in", "small", "yours", None),
    ("Built in, medium", "built-in", "medium", "yours", None),
    ("Built in, large", "built-in", "large", "yours", None),
    ("Qwen2.5 0.5B Instruct", "hub", "Qwen/Qwen2.5-0.5B-Instruct", "apache-2.0", 494_032_768),
    ("Qwen2.5 1.5B Instruct", "hub", "Qwen/Qwen2.5-1.5B-Instruct", "apache-2.0", 1_543_714_304),
    ("Qwen2.5 3B Instruct", "hub", "Qwen/Qwen2.5-3B-Instruct", "qwen-research", 3_085_938_688),
    ("Qwen2.5 7B Instruct", "hub", "Qwen/Qwen2.5-7B-Instruct", "apache-2.0", 7_615_616_512),
    ("Qwen2.5 14B Instruct", "hub", "Qwen/Qwen2.5-14B-Instruct", "apache-2.0", 14_770_033_664),
    ("Gemma 3 1B it", "hub", "google/gemma-3-1b-it", "gemma", 999_885_952),
    ("LFM2.5 1.2B Instruct", "hub", "LiquidAI/LFM2.5-1.2B-Instruct", "lfm1.0", 1_170_340_608),
)


def fill(apps: Any, schema_editor: Any) -> None:
    base_model, version, pair = (
        apps.get_model("training", name) for name in ("BaseModel", "MemoryVersion", "TrainedPair")
    )
    for name, source, location, licence, parameters in BASES:
        base_model.objects.get_or_create(
            source=source,
            location=location,
            defaults={"name": name, "licence": licence, "parameters": parameters},
        )
    for row in version.objects.all():
        row.corpora.add(row.corpus_id)
        version.objects.filter(pk=row.pk).update(**_from_disk(row))
    batch = []
    for row in pair.objects.filter(digest="").iterator(BATCH):
        row.digest = hashlib.sha256(f"{row.question}\x1f{row.answer}".encode()).hexdigest()
        batch.append(row)
        if len(batch) == BATCH:
            pair.objects.bulk_update(batch, ["digest"])
            batch = []
    pair.objects.bulk_update(batch, ["digest"])


def _from_disk(row: Any) -> dict[str, Any]:
    """What the artifact's manifest and its files tell, as far as they are there."""
    folder = settings.MEMORY_DIR / row.path
    found: dict[str, Any] = {"parameters": row.metrics.get("parameters")}
    try:
        found["data_sha256"] = json.loads((folder / "manifest.json").read_text())["data_sha256"]
        found["size_bytes"] = sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
    except (OSError, ValueError, KeyError):
        pass
    return found


class Migration(migrations.Migration):
    dependencies = [("training", "0004_registry")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
