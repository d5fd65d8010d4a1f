"""Groups of documents for step 5: those that share a name, found by an inverted index over the facts.

The number of groups grows with the number of shared names, not with the square of the corpus.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from knowledge.pipeline.candidates import Candidate
from knowledge.pipeline.steps.synthesize import Group, GroupFact
from knowledge.pipeline.types import Kind

#: Documents in one group, and facts of one document in it: what fits a prompt that a model reads with care.
DOCUMENTS = 8
FACTS = 4
#: Facts of a document that a name occurs in are taken simplest first.
_ORDER = (Kind.DIRECT, Kind.INDIRECT, Kind.CONSOLIDATED)
_ARTICLE = re.compile(r"^(?:the|a|an)\s+", re.IGNORECASE)
_NAME = re.compile(r"\b[A-Z][\w'’.-]*(?:\s+(?:of\s+|the\s+|and\s+|de\s+)?[A-Z0-9][\w'’-]*)+")


def folded(name: str) -> str:
    """A name as names are compared: without article and case."""
    return _ARTICLE.sub("", " ".join(name.split())).casefold()


def make_groups(facts: Mapping[int, Sequence[Candidate]]) -> list[Group]:
    """Groups of the documents whose facts share a name; ``facts`` are by document.

    Names that share the same facts make one group. A name of many documents is dealt out to several groups.
    """
    spelling: dict[str, str] = {}
    members: dict[tuple[GroupFact, ...], list[str]] = defaultdict(list)
    for name, by_document in _index(facts, spelling).items():
        for part in _parts(by_document):
            members[part].append(spelling[name])
    return [Group(tuple(names), part) for part, names in members.items()]


def shared_names(texts: Mapping[int, str]) -> list[int]:
    """How many documents each shared name stands in, by capitals alone: enough to foresee the cost of step 5."""
    documents: dict[str, set[int]] = defaultdict(set)
    for document, text in texts.items():
        for match in _NAME.finditer(text):
            documents[folded(match.group())].add(document)
    distinct = {frozenset(those) for those in documents.values() if len(those) > 1}
    return sorted(len(those) for those in distinct)


def groups_for(documents: int) -> int:
    """How many groups a name of so many documents makes."""
    return 0 if documents < 2 else -(-documents // DOCUMENTS)


def _index(
    facts: Mapping[int, Sequence[Candidate]], spelling: dict[str, str]
) -> dict[str, dict[int, list[Candidate]]]:
    """The facts of each document by the names in them; only names of two documents or more."""
    index: dict[str, dict[int, list[Candidate]]] = defaultdict(lambda: defaultdict(list))
    for document, candidates in facts.items():
        for candidate in sorted(candidates, key=lambda each: _ORDER.index(each.kind)):
            for name in candidate.entities:
                if key := folded(name):
                    spelling.setdefault(key, name)
                    held = index[key][document]
                    if candidate not in held:
                        held.append(candidate)
    return {name: by_document for name, by_document in index.items() if len(by_document) > 1}


def _parts(by_document: Mapping[int, Sequence[Candidate]]) -> Iterator[tuple[GroupFact, ...]]:
    """A name's documents in groups of nearly equal size, the facts of each cut to the first few."""
    documents = list(by_document)
    count = groups_for(len(documents))
    for number in range(count):
        chosen: Iterable[int] = documents[number::count]
        yield tuple(
            GroupFact(document, fact) for document in chosen for fact in by_document[document][:FACTS]
        )
