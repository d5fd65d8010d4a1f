"""Storing the pairs that a GENERATOR made: new ones are added, known ones refreshed, none is there twice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from simple_history.utils import bulk_create_with_history

from knowledge.models import GenerationRun, LLMCall, Reflection, ReflectionSet, ReflectionSource
from knowledge.pipeline.types import Pair

BATCH = 500


def store_pairs(run: GenerationRun, pairs: Iterable[Pair]) -> None:
    """Add new pairs and refresh known ones: the same question and answer is one row, with all its sources.

    Where a known pair was revised, the revision is refreshed in its place, and the pair does not come back.
    """
    by_key: dict[str, Pair] = {}
    for pair in pairs:
        known_as = by_key.get(pair.key)
        by_key[pair.key] = replace(known_as, spans=(*known_as.spans, *pair.spans)) if known_as else pair
    reflection_set, _ = ReflectionSet.objects.get_or_create(corpus_id=run.corpus_id, generator=run.generator)
    known = {row.key: row.latest_revision() for row in reflection_set.reflections.filter(key__in=by_key)}
    outdated = [row.pk for row in known.values() if row.last_run_id != run.pk]
    ReflectionSource.objects.filter(reflection__in=outdated).delete()
    Reflection.objects.filter(pk__in=[row.pk for row in known.values()]).update(last_run=run, retired=False)
    calls = _calls_of(run, by_key.values())
    new = [_as_row(run, reflection_set, pair, calls) for key, pair in by_key.items() if key not in known]
    bulk_create_with_history(new, Reflection, batch_size=BATCH)
    made = reflection_set.reflections.filter(key__in=by_key.keys() - known.keys())
    rows = {**known, **{row.key: row for row in made}}
    add_sources(
        (rows[key].pk, span.passage_id, span.start, span.end)
        for key, pair in by_key.items()
        for span in pair.spans
    )


def add_sources(sources: Iterable[tuple[int, int, int, int]]) -> None:
    """Add sources (pair, passage, start, end); those that a pair has already are not added again."""
    wanted = list(dict.fromkeys(sources))
    for start in range(0, len(wanted), BATCH):
        batch = wanted[start : start + BATCH]
        rows = ReflectionSource.objects.filter(reflection__in={reflection for reflection, *_ in batch})
        there = set(rows.values_list("reflection_id", "chunk_id", "start", "end"))
        ReflectionSource.objects.bulk_create(
            ReflectionSource(reflection_id=reflection, chunk_id=chunk, start=first, end=end)
            for reflection, chunk, first, end in batch
            if (reflection, chunk, first, end) not in there
        )


def _calls_of(run: GenerationRun, pairs: Iterable[Pair]) -> dict[str, int]:
    """The rows of the calls that the pairs come from, by the calls' keys."""
    wanted = {pair.origin.call for pair in pairs if pair.origin.call}
    return dict(LLMCall.objects.filter(corpus=run.corpus_id, key__in=wanted).values_list("key", "pk"))


def _as_row(
    run: GenerationRun, reflection_set: ReflectionSet, pair: Pair, calls: Mapping[str, int]
) -> Reflection:
    return Reflection(
        corpus_id=run.corpus_id,
        reflection_set=reflection_set,
        key=pair.key,
        question=pair.question,
        answer=pair.answer,
        kind=pair.kind.value,
        fact=pair.fact[:64],
        entity=pair.entity[:200],
        last_run=run,
        step=pair.origin.step,
        prompt_version=pair.origin.prompt_version,
        model=pair.origin.model,
        call_id=calls.get(pair.origin.call),
    )


def retire(run: GenerationRun, keys: Sequence[str]) -> None:
    """Retire pairs of the run's GENERATOR that it made once and does not make any more."""
    rows = Reflection.objects.filter(reflection_set__generator=run.generator, corpus=run.corpus_id)
    for start in range(0, len(keys), BATCH):
        rows.filter(key__in=keys[start : start + BATCH]).update(retired=True)
