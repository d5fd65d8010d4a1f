"""The form that starts an evaluation: what can be chosen, and what was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Count
from django.http import QueryDict

from knowledge.models import Corpus, Role
from memosite.models import Endpoint, EndpointRole
from training.audience import open_versions
from training.lab.runs.executives import offered
from training.lab.runs.lineup import baselines, hindrance
from training.lab.runs.wishes import NOISE_LEVELS, Wishes, level_of

VERSIONS_SHOWN = 50


@dataclass(frozen=True)
class Choice:
    """Something to tick or to select."""

    value: str
    label: str
    is_chosen: bool
    hint: str = ""
    options: str = ""
    """Of a baseline: the options that were typed in."""
    defaults: str = ""
    hindrance: str = ""
    """Of a baseline: why it cannot take part without options."""


def wishes_from_post(post: QueryDict) -> Wishes:
    """What a form that was sent asks for. Raises BadEvaluation for a level of noise that is no number."""
    levels = [level_of(text) for text in post.getlist("noise")]
    noisy = {level: post.get(f"noisy_{level:g}", "") for level in levels if level}
    return Wishes(
        evaluation_set=post.get("evaluation_set", ""),
        versions=[int(number) for number in post.getlist("versions") if number.isdecimal()],
        executives=post.getlist("executives"),
        against=[text for kind in post.getlist("against") for text in _variants(kind, post)],
        noise=[0.0, *levels],
        distractors=post.get("distractors", "") if levels else "",
        noisy={level: int(number) for level, number in noisy.items() if number.isdecimal()},
        judge=post.get("judge", ""),
        is_fresh="is_fresh" in post,
        title=post.get("title", ""),
    )


def _variants(kind: str, post: QueryDict) -> list[str]:
    """A baseline once for each set of options that was typed in, which semicolons part."""
    typed = [text.strip() for text in post.get(f"options_{kind}", "").split(";") if text.strip()]
    return [f"{kind}:{text}" for text in typed] or [kind]


class FormPage:
    """What the template of the form asks for."""

    def __init__(self, corpus: Corpus, person: Any, wishes: Wishes) -> None:
        self.corpus, self.person, self.wishes = corpus, person, wishes
        self.rows = list(open_versions(corpus, person)[:VERSIONS_SHOWN])

    def sets(self) -> list[Choice]:
        rows = self.corpus.evaluation_sets.annotate(n=Count("questions"))
        return [
            Choice(
                row.name,
                f"{row.name} ({row.n:,} question{'' if row.n == 1 else 's'}{', golden' if row.is_golden else ''})",
                row.name == self.wishes.evaluation_set,
            )
            for row in rows
        ]

    def versions(self) -> list[Choice]:
        chosen = self.wishes.versions or ()
        live = set(self.corpus.aliases.values_list("version_id", "name"))
        return [
            Choice(
                str(row.number),
                f"Version {row.number}",
                row.number in chosen,
                ", ".join(sorted(name for version, name in live if version == row.pk)),
            )
            for row in self.rows
        ]

    def executives(self) -> list[Choice]:
        return [
            Choice(one.name, one.label, one.name in self.wishes.executives)
            for one in offered([self.corpus], self.rows[:1])
        ]

    def baselines(self) -> Iterator[Choice]:
        chosen: dict[str, list[str]] = {}
        for text in self.wishes.against:
            name, _, options = text.partition(":")
            chosen.setdefault(name, []).append(options)
        for kind in baselines():
            typed = "; ".join(filter(None, chosen.get(kind.name, ())))
            defaults = ", ".join(f"{name}={value}" for name, value in kind.options.items())
            yield Choice(
                kind.name,
                kind.label,
                kind.name in chosen,
                kind.description,
                typed,
                defaults,
                hindrance(kind),
            )

    def levels(self) -> Iterator[tuple[Choice, list[Choice]]]:
        """Each level of noise, with the versions of which one may have learned its distractors."""
        for level in sorted({*NOISE_LEVELS, *(level for level in self.wishes.noise if level)}):
            learned = self.wishes.noisy.get(level)
            versions = [
                Choice(str(row.number), f"Version {row.number}", row.number == learned) for row in self.rows
            ]
            yield Choice(f"{level:g}", f"×{level:g}", level in self.wishes.noise), versions

    def corpora(self) -> list[Choice]:
        readable = Corpus.objects.for_role(self.person, Role.READER).exclude(pk=self.corpus.pk)
        return [Choice(row.slug, row.name, row.slug == self.wishes.distractors) for row in readable]

    def judges(self) -> list[Choice]:
        rows = Endpoint.objects.filter(role=EndpointRole.JUDGE)
        return [Choice(row.name, f"{row.name} ({row.model})", row.name == self.wishes.judge) for row in rows]
