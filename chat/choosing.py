"""Which EXECUTIVE leads a conversation, and which ones people may choose: what the corpora's owners decided.

An EXECUTIVE behind an endpoint sees the questions and what memory answered, so a conversation is led only by one
that the owners of each corpus allow that is asked, or that an asked version learned from. The built-in one sends
nothing anywhere: where nothing else is allowed, it leads.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from chat.models import RULES, ChatSettings, Conversation, Turn
from knowledge.models import Corpus, Role
from memosite.errors import MemoError
from memosite.models import Endpoint, EndpointRole
from training.models import LIVE, MemoryVersion

RULES_LABEL = "Built-in rules"


def executive_label(name: str) -> str:
    """An EXECUTIVE's name as people read it."""
    return RULES_LABEL if name == RULES else name


class ExecutiveNotAllowed(MemoError):
    """The owners of the corpora do not let this EXECUTIVE lead."""

    code = "executive_not_allowed"
    status = 422


@dataclass(frozen=True)
class Choice:
    """An EXECUTIVE that people may choose; ``is_default`` is the one that leads where nobody chose."""

    name: str
    label: str
    is_default: bool


@dataclass(frozen=True)
class Offer:
    """What the owners of one corpus allow: its default among them, by name."""

    default: str
    allowed: frozenset[str]


@dataclass(frozen=True)
class Allowed:
    """What may lead questions to some corpora: ``names`` with the default first, never empty."""

    names: tuple[str, ...]
    labels: dict[str, str]

    @property
    def default(self) -> str:
        return self.names[0]


def choices_for(corpora: Iterable[Corpus]) -> list[Choice]:
    """What people may choose for a conversation about these corpora, the default first."""
    corpora = list(corpora)
    allowed = allowed_for(corpora, _live_in(corpora))
    return [Choice(name, allowed.labels[name], name == allowed.default) for name in allowed.names]


def choices_in(conversation: Conversation) -> list[Choice]:
    """What people may choose in a conversation that has begun: what was answered in it counts as well."""
    allowed = _allowed_in(conversation)
    return [Choice(name, allowed.labels[name], name == allowed.default) for name in allowed.names]


def executive_for(
    conversation: Conversation, name: str = "", versions: Sequence[MemoryVersion] | None = None
) -> str:
    """The name of the EXECUTIVE that leads the next question: ``name`` if one is given, which has to be allowed,
    or else the conversation's own choice if that is still allowed, or else the default.

    ``versions`` are those that are asked, the live ones by default. Raises ExecutiveNotAllowed.
    """
    allowed = _allowed_in(conversation, versions)
    if name:
        return _checked(name, allowed)
    return conversation.executive if conversation.executive in allowed.names else allowed.default


def checked_executive(corpora: Iterable[Corpus], name: str) -> str:
    """The name, or the default for an empty one. Raises ExecutiveNotAllowed."""
    corpora = list(corpora)
    allowed = allowed_for(corpora, _live_in(corpora))
    return _checked(name, allowed) if name else allowed.default


def _checked(name: str, allowed: Allowed) -> str:
    if name not in allowed.names:
        raise ExecutiveNotAllowed(
            f"“{name[:60]}” may not lead questions here. Choose one of: {', '.join(allowed.names)}."
        )
    return name


def choose(conversation: Conversation, name: str, person: Any) -> None:
    """Let another EXECUTIVE lead from the next question on; an empty name is the corpus's own.

    Raises NotAllowed, ExecutiveNotAllowed.
    """
    for corpus in conversation.corpora:
        corpus.require(person, Role.READER)
    if name:
        executive_for(conversation, name)
    Conversation.objects.filter(pk=conversation.pk).update(executive=name)
    conversation.executive = name


def _allowed_in(conversation: Conversation, versions: Sequence[MemoryVersion] | None = None) -> Allowed:
    """What is allowed in a conversation: its EXECUTIVE is told of the answers before, whoever led then."""
    corpora = conversation.corpora
    asked = _live_in(corpora) if versions is None else versions
    before = Turn.versions.through._default_manager.filter(turn__conversation=conversation.pk)
    earlier = MemoryVersion.objects.filter(
        pk__in=before.exclude(memoryversion__in=[version.pk for version in asked]).values("memoryversion")
    )
    return allowed_for(corpora, [*asked, *earlier.prefetch_related("corpora")])


def _live_in(corpora: Sequence[Corpus]) -> list[MemoryVersion]:
    live = MemoryVersion.objects.filter(aliases__corpus__in=corpora, aliases__name=LIVE)
    return list(live.prefetch_related("corpora"))


def allowed_for(corpora: Sequence[Corpus], versions: Iterable[MemoryVersion]) -> Allowed:
    """What the owners of all of the corpora allow, and of all that the versions learned from. The first corpus's
    default leads where all allow it.
    """
    taught = [corpus for version in versions for corpus in version.corpora.all()]
    corpora = list(dict.fromkeys([*corpora, *taught]))
    rows = ChatSettings.objects.filter(corpus__in=corpora).select_related("executive")
    decided = {row.corpus_id: row for row in rows.prefetch_related("choices")}
    labels = {RULES: RULES_LABEL}
    offers = [_offer_of(decided.get(corpus.pk), labels) for corpus in corpora]
    allowed = frozenset.intersection(*(offer.allowed for offer in offers)) or frozenset({RULES})
    default = next(name for name in (offers[0].default, RULES, *sorted(allowed)) if name in allowed)
    return Allowed((default, *sorted(allowed - {default})), labels)


def _offer_of(decided: ChatSettings | None, labels: dict[str, str]) -> Offer:
    """What one corpus allows; the labels of its endpoints are added to ``labels``."""
    if decided is None:
        return Offer(RULES, frozenset({RULES}))
    leads = decided.executive if _is_executive(decided.executive) else None
    endpoints = [endpoint for endpoint in (leads, *decided.choices.all()) if _is_executive(endpoint)]
    names = {endpoint.name: f"{endpoint.name} ({endpoint.model})" for endpoint in endpoints if endpoint}
    labels |= names
    with_rules = [RULES] if leads is None or decided.may_choose_rules else []
    return Offer(leads.name if leads else RULES, frozenset([*names, *with_rules]))


def _is_executive(endpoint: Endpoint | None) -> bool:
    """Whether the endpoint is there and still of that role."""
    return endpoint is not None and endpoint.role == EndpointRole.EXECUTIVE
