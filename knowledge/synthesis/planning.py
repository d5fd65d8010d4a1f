"""The units of work of a run: bundles of passages, then groups of documents that share a name."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from pydantic import TypeAdapter

from knowledge.models import Chunk, GenerationRun, GenerationUnit
from knowledge.pipeline.candidates import Candidate, Source
from knowledge.pipeline.estimate import GROUPS_TOGETHER
from knowledge.pipeline.groups import make_groups
from knowledge.pipeline.steps.synthesize import Group
from knowledge.pipeline.synthesis import make_bundles
from knowledge.pipeline.types import Passage
from knowledge.storing import retire

PASSAGES, GROUPS = "passages", "groups"
CANDIDATES = TypeAdapter(list[Candidate])
GROUPS_DATA = TypeAdapter(list[Group])
BATCH = 500


def sources_of(run: GenerationRun) -> list[Source]:
    """The passages that a run is about, as the pipeline's values."""
    chunks = Chunk.objects.filter(document__corpus=run.corpus_id, document__is_current=True)
    if chosen := list(run.chunks.values_list("pk", flat=True)):
        chunks = chunks.filter(pk__in=chosen)
    return as_sources(chunks)


def as_sources(chunks: Any) -> list[Source]:
    """Chunk rows as passages with the titles and dates of their documents."""
    rows = chunks.order_by("document_id", "position").values_list(
        "pk", "text", "document_id", "document__title", "document__date"
    )
    return [
        Source(document, title, date.isoformat() if date else "", Passage(pk, text))
        for pk, text, document, title, date in rows
    ]


def plan_passages(run: GenerationRun) -> None:
    """One unit for each bundle of passages. What is planned already stays as it is."""
    units = []
    for bundle in make_bundles(sources_of(run)):
        chunks = [source.passage.id for source in bundle]
        titles = list(dict.fromkeys(source.title for source in bundle))
        units.append(
            GenerationUnit(
                run=run,
                key=f"passages {chunks[0]}-{chunks[-1]}",
                step=PASSAGES,
                title="; ".join(titles)[:300],
                payload={"chunks": chunks},
            )
        )
    GenerationUnit.objects.bulk_create(units, batch_size=BATCH, ignore_conflicts=True)


def plan_groups(run: GenerationRun) -> None:
    """Units for the groups of documents that share a name, by the facts of the passages that did not fail.

    Units of groups that are no more (a document came in, after its failure was retried) go, and so do their pairs.
    """
    facts: dict[int, list[Candidate]] = {}
    document_of = dict(Chunk.objects.filter(document__corpus=run.corpus_id).values_list("pk", "document_id"))
    for payload, errors in run.units.filter(step=PASSAGES).values_list("payload", "errors"):
        failed = {passage for error in errors for passage in error["passages"]}
        for fact in CANDIDATES.validate_python(payload.get("facts", [])):
            if not failed & {span.passage_id for span in fact.spans}:
                facts.setdefault(document_of[fact.spans[0].passage_id], []).append(fact)
    groups = make_groups(facts)
    together = [groups[start : start + GROUPS_TOGETHER] for start in range(0, len(groups), GROUPS_TOGETHER)]
    units = [_group_unit(run, each) for each in together]
    with transaction.atomic():
        outdated = run.units.filter(step=GROUPS).exclude(key__in=[unit.key for unit in units])
        _retire_pairs_of(run, outdated)
        outdated.delete()
        GenerationUnit.objects.bulk_create(units, batch_size=BATCH, ignore_conflicts=True)


def _group_unit(run: GenerationRun, groups: Sequence[Group]) -> GenerationUnit:
    data = GROUPS_DATA.dump_python(list(groups), mode="json")
    digest = hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:40]
    names = "; ".join(group.names[0] for group in groups)
    return GenerationUnit(
        run=run, key=f"groups {digest}", step=GROUPS, title=names[:300], payload={"groups": data}
    )


def _retire_pairs_of(run: GenerationRun, units: Any) -> None:
    retire(
        run, [key for payload in units.values_list("payload", flat=True) for key in payload.get("keys", [])]
    )


def sources_of_groups(groups: Sequence[Group]) -> Mapping[int, Source]:
    """The passages of all facts in the groups, by their ids."""
    passages = {span.passage_id for group in groups for each in group.facts for span in each.fact.spans}
    return {source.passage.id: source for source in as_sources(Chunk.objects.filter(pk__in=passages))}
