"""Reads a document sentence by sentence."""

from __future__ import annotations

import re

from knowledge.pipeline.types import SourceDocument, Span
from knowledge.rules.english import singular, split_list, split_sentences
from knowledge.rules.facts import Evidence, Property, Reading

_P = re.compile(
    r"^The (?P<noun>[a-z][\w -]*?) of (?P<subject>[A-Z][\w' .-]*?) (?P<be>is|are|was|were) (?P<value>.+?)\.$"
)


def read_document(document: SourceDocument) -> Reading:
    facts = []
    unread = []
    n = 0
    for passage in document.passages:
        pos = 0
        for line in passage.text.splitlines(keepends=True):
            if not line.startswith("#"):
                for a, b in split_sentences(line):
                    n += 1
                    span = Span(passage.id, pos + a, pos + b)
                    m = _P.match(line[a:b])
                    if m:
                        many = m["be"] in ("are", "were")
                        facts.append(
                            Property(
                                m["subject"],
                                singular(m["noun"]) if many else m["noun"],
                                tuple(split_list(m["value"], plural=many)),
                                Evidence(document.id, span),
                            )
                        )
                    else:
                        unread.append((span, line[a:b], "no pattern"))
            pos += len(line)
    return Reading(document.id, tuple(facts), n, tuple(unread))
