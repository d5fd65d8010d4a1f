"""What people write when they ask for a training, turned into the rows and values that a plan is made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Q, QuerySet

from knowledge.models import Corpus
from training.audience import open_versions
from training.engine.config import read_yaml
from training.engine.errors import BadConfig
from training.models import BaseModel, BaseSource, MemoryVersion
from training.plans import REPLAY_SHARE, BadPlan, Wishes

AUTO = "auto"  # a model from scratch, in a size for the facts


def offered_bases() -> QuerySet[BaseModel]:
    """The bases that people may choose."""
    return BaseModel.objects.filter(is_offered=True)


def continuable(corpus: Corpus, person: Any) -> QuerySet[MemoryVersion]:
    """The versions of a corpus that the person may go on from; None is the operator of the site."""
    versions = MemoryVersion.objects.filter(corpus=corpus)
    return versions if person is None else open_versions(corpus, person)


def wishes_from(
    corpus: Corpus,
    person: Any,
    *,
    base: str = "",
    recipe: str = "",
    config: Mapping[str, Any] | None = None,
    yaml: str = "",
    continues: int | None = None,
    replay_share: float | None = None,
) -> Wishes:
    """What is asked for. ``base`` is a name, a location or ``auto``; ``config`` counts more than ``yaml``.

    Raises BadPlan, by field.
    """
    version = version_numbered(corpus, person, continues) if continues else None
    chosen = base_named(base)
    values = {**(_read(yaml) if yaml else {}), **(config or {})}
    if version is None:
        chosen, values = with_named_base(chosen, values)
    share = REPLAY_SHARE if replay_share is None else replay_share
    return Wishes(chosen, recipe, values, version, share)


def base_named(name: str) -> BaseModel | None:
    """The offered base of that name or location; none for ``auto`` and nothing. Raises BadPlan."""
    if name in ("", AUTO):
        return None
    found = offered_bases().filter(Q(name=name) | Q(location=name)).first()
    if found is None:
        known = ", ".join(offered_bases().values_list("name", flat=True))
        raise BadPlan({"base": [f"There is no base “{name}”. Choose one of {AUTO}, {known}."]})
    return found


def pretrained_base(
    location: str, revision: str, among: QuerySet[BaseModel] | None = None
) -> BaseModel | None:
    """The base of that repository or folder: of that revision, else an unpinned one; any if none is named."""
    bases = BaseModel.objects.all() if among is None else among
    others = bases.exclude(source=BaseSource.BUILT_IN).filter(location=location)
    found = others.filter(revision=revision).first()
    return found or others.filter(revision="").first() or (None if revision else others.first())


def version_numbered(corpus: Corpus, person: Any, number: int) -> MemoryVersion:
    """The version to go on from. Raises BadPlan where the person sees none of that number."""
    found = continuable(corpus, person).filter(number=number).first()
    if found is None:
        raise BadPlan(
            {"continues": [f"There is no version {number} of this corpus that you may go on from."]}
        )
    return found


def with_named_base(
    chosen: BaseModel | None, values: dict[str, Any]
) -> tuple[BaseModel | None, dict[str, Any]]:
    """The base that a whole recipe names, where none was chosen; and its other values. Raises BadPlan."""
    location, revision = values.get("base"), values.get("revision")
    rest = {key: value for key, value in values.items() if key not in ("base", "revision")}
    if not location:
        return _with_size(chosen, rest)
    if chosen and (chosen.location, chosen.revision or None) == (
        location,
        revision or chosen.revision or None,
    ):
        return chosen, rest
    found = pretrained_base(location, revision or "", offered_bases())
    if chosen or found is None:
        raise BadPlan(
            {
                "base": [
                    f"The recipe names the base {location}, which is not the one chosen, or not offered here."
                ]
            }
        )
    return found, rest


def _with_size(chosen: BaseModel | None, values: dict[str, Any]) -> tuple[BaseModel | None, dict[str, Any]]:
    """The built-in base of the size that a recipe names."""
    if chosen or not isinstance(values.get("size"), str):
        return chosen, values
    found = offered_bases().filter(source=BaseSource.BUILT_IN, location=values["size"]).first()
    if found or values["size"] == AUTO:
        values = {key: value for key, value in values.items() if key != "size"}
    return found, values


def _read(text: str) -> dict[str, Any]:
    try:
        return read_yaml(text)
    except BadConfig as error:
        raise BadPlan({"yaml": [str(error)]}) from error
