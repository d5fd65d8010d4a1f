"""The form on which a training is planned: every number of the recipe as an entry, made of the engine's fields.

The form shows the values of a preset (a recipe, or the settings of a version to go on from) and says which one it
shows, so that what a person changed is told from what another preset brings along.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Union, get_args, get_origin

from knowledge.models import Corpus
from training.choices import AUTO, base_named, continuable, offered_bases, version_numbered, with_named_base
from training.engine.config import EngineConfig, read_value, read_yaml
from training.engine.recipes import RECIPES
from training.models import BaseModel
from training.plans import DECIDED, REPLAY_SHARE, BadPlan, Wishes, differing

FRONT = ("learning_rate", "epochs", "batch_size", "max_tokens", "held_out_share", "seed")
CHOICES = ("base", "recipe", "continues")
MOST_YAML = 100_000  # characters of a recipe that is pasted or uploaded
Problems = Mapping[str, list[str]]


@dataclass(frozen=True)
class Entry:
    """One thing to fill in: ``kind`` is text, check or select. ``options`` are values with their labels."""

    name: str
    label: str
    hint: str
    kind: str
    value: str
    options: tuple[tuple[str, str], ...] = ()
    errors: tuple[str, ...] = ()

    @property
    def is_checked(self) -> bool:
        return self.value == "true"

    @property
    def described_by(self) -> str:
        ids = [f"{self.name}-hint"] if self.hint else []
        return " ".join([*ids, *([f"{self.name}-errors"] if self.errors else [])])


def keys() -> list[str]:
    """The numbers of a recipe that people fill in: all but those that base and version decide."""
    return [key for key in EngineConfig.model_fields if key not in DECIDED]


def entries(wishes: Wishes, problems: Problems) -> tuple[list[Entry], list[Entry]]:
    """The numbers as they are to be shown: those that matter most, and all others."""
    values = {**wishes.preset(), **wishes.config}
    made = {key: _entry(key, values.get(key), tuple(problems.get(key, ()))) for key in keys()}
    return [made[key] for key in FRONT], [made[key] for key in keys() if key not in FRONT]


def _entry(key: str, value: Any, errors: tuple[str, ...]) -> Entry:
    hint = EngineConfig.model_fields[key].description or ""
    options = _options(key)
    kind = "select" if options else "check" if _types(key) == {bool} else "text"
    return Entry(key, labelled(key), hint, kind, as_text(value), options, errors)


def labelled(key: str) -> str:
    return key.replace("_", " ").capitalize()


def as_text(value: Any) -> str:
    """A value as people type it in."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _types(key: str) -> set[Any]:
    """The types that a key's value may have, unions taken apart."""
    annotation = EngineConfig.model_fields[key].annotation
    is_union = get_origin(annotation) in (Union, types.UnionType)
    return set(get_args(annotation)) if is_union else {annotation}


def _options(key: str) -> tuple[tuple[str, str], ...]:
    (only, *others) = _types(key)
    if others or get_origin(only) is not Literal:
        return ()
    return tuple((str(value), str(value)) for value in get_args(only))


def _parsed(key: str, text: str) -> Any:
    """What was typed in, as a value that the configuration is then checked with."""
    if any(get_origin(one) is tuple for one in _types(key)):
        return [part.strip() for part in text.split(",") if part.strip()]
    return read_value(text.strip())


def wishes_from_post(corpus: Corpus, person: Any, posted: Mapping[str, Any]) -> Wishes:
    """What a filled-in form asks for. What is not in it is as in the preset. Raises BadPlan, by field."""
    chosen = _chosen(corpus, person, {name: str(posted.get(name, "")) for name in CHOICES}, posted)
    if "shown_base" not in posted:
        shown = chosen
    else:
        shown = _chosen(corpus, person, {name: str(posted.get(f"shown_{name}", "")) for name in CHOICES}, {})
    if chosen.is_from_scratch != shown.is_from_scratch and chosen.recipe == shown.recipe:
        chosen = replace(chosen, recipe="")  # the recipe of the other kind of base
    config = differing(dict(_filled_in(posted, shown.preset(), "shown_base" in posted)), shown.preset())
    return Wishes(chosen.base_model, chosen.recipe, config, chosen.continues, chosen.replay_share)


def _chosen(corpus: Corpus, person: Any, names: Mapping[str, str], posted: Mapping[str, Any]) -> Wishes:
    number = names["continues"]
    version = version_numbered(corpus, person, int(number)) if number.isdecimal() else None
    share = read_value(str(posted.get("replay_share", "")).strip())
    if share is None:
        share = REPLAY_SHARE
    if isinstance(share, bool) or not isinstance(share, int | float):
        raise BadPlan({"replay_share": ["A share between 0 and 1 is expected, such as 0.3."]})
    if version:  # base and recipe are the version's own
        return Wishes(continues=version, replay_share=share)
    recipe = names["recipe"]
    if recipe and recipe not in RECIPES:
        raise BadPlan({"recipe": [f"There is no recipe “{recipe}”. Choose one of {', '.join(RECIPES)}."]})
    return Wishes(base_named(names["base"]), recipe, replay_share=share)


def _filled_in(
    posted: Mapping[str, Any], preset: Mapping[str, Any], is_whole: bool
) -> Iterator[tuple[str, Any]]:
    for key in keys():
        if _types(key) == {bool}:
            if key in posted or is_whole:
                yield key, key in posted
        elif key in posted:
            text = str(posted[key])
            # An empty entry means nothing where the key may be empty, and else the value of the preset.
            yield key, _parsed(key, text) if text.strip() or type(None) in _types(key) else preset[key]


def wishes_from_yaml(wishes: Wishes, text: str) -> Wishes:
    """The wishes with a whole recipe in place of their numbers. Raises BadPlan and BadConfig."""
    if len(text) > MOST_YAML:
        raise BadPlan({"yaml": [f"A recipe has no more than {MOST_YAML:,} characters."]})
    if not text.strip():
        raise BadPlan({"yaml": ["Paste a recipe, or choose a file."]})
    values = read_yaml(text)
    base: BaseModel | None = wishes.base_model
    if wishes.continues is None:
        base, values = with_named_base(base, values)
    recipe = wishes.recipe if base == wishes.base_model else ""
    return Wishes(base, recipe, values, wishes.continues, wishes.replay_share)


def choices(corpus: Corpus, person: Any, wishes: Wishes, problems: Problems) -> list[Entry]:
    """Base, recipe and version, with what there is to choose from."""
    bases = [(AUTO, "Built in, size by the number of facts")]
    bases += [(base.name, f"{base.name} ({base.licence})") for base in offered_bases()]
    recipes = [("", "What suits the base")] + [(name, recipe.title) for name, recipe in RECIPES.items()]
    numbers = continuable(corpus, person).values_list("number", flat=True)
    versions = [("", "No: train anew")] + [
        (str(number), f"Go on from version {number}") for number in numbers
    ]
    recipe = RECIPES.get(wishes.preset_name)
    base = wishes.base_model.name if wishes.base_model else AUTO
    version = str(wishes.continues.number) if wishes.continues else ""
    made = [
        ("continues", "Continue", "Learn what is new from the weights of a version.", version, versions),
        ("base", "Base", "The model that training starts from, with its licence.", base, bases),
        ("recipe", "Recipe", recipe.about if recipe else "", wishes.recipe, recipes),
    ]
    return [
        Entry(name, label, hint, "select", value, tuple(options), tuple(problems.get(name, ())))
        for name, label, hint, value, options in made
        if (name == "continues" and len(versions) > 1) or (name != "continues" and not wishes.continues)
    ]
