"""The ``qa_pairs_cache`` files of the MeMo research code: pairs in the order of their documents.

A file is an object whose ``qa_pairs_cache`` is a list of entries, or that list alone. An entry names its document
in ``doc_id`` and holds ``qa_pairs``, each a question and an answer. ``consolidated_qa_pairs`` repeats those of
them that consolidation made; entries of ``type`` ``crossdoc`` name the documents they connect. An entry with an
``error`` counts for nothing, as it does in that code. After its check for self-containment an entry is one pair:
``final_question`` and ``final_answer``, which count where ``is_self_contained`` is true. An entry that is nothing
but a ``question`` and an ``answer`` is read as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

from knowledge.exchange.jsonlines import json_line
from knowledge.exchange.jsonlists import broken, require_end
from knowledge.exchange.jsontext import BadJSON, Cursor
from knowledge.exchange.records import FileRefused, Line, PairRecord, read_pair, record_from, text_pair
from knowledge.exchange.texts import whole_text
from knowledge.pipeline.types import Kind

CACHE = "qa_pairs_cache"
LISTS = ("qa_pairs", "consolidated_qa_pairs")
Numbered = list[tuple[int, Any]]


# --- Writing -----------------------------------------------------------------------------------------------
def write_research(records: Iterable[PairRecord]) -> Iterator[bytes]:
    """The file. An entry holds all pairs of a document, so the texts of all pairs are in memory together."""
    entries, pairs = _entries(records), 0
    yield b'{"qa_pairs_cache": ['
    for place, entry in enumerate(entries):
        pairs += len(entry["qa_pairs"])
        yield (b",\n" if place else b"\n") + json_line(entry).removesuffix(b"\n")
    yield f'\n], "total_entries": {len(entries)}, "total_qa_pairs": {pairs}}}\n'.encode()


def _entries(records: Iterable[PairRecord]) -> list[dict[str, Any]]:
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for record in records:
        documents = tuple(sorted({source.document for source in record.sources}))
        crosses = record.kind == Kind.CROSS_DOCUMENT
        name = documents[0] if documents else record.generator or "no document"
        place = ("crossdoc", *documents) if crosses else (name,)
        if place not in found:
            found[place] = {"doc_id": name, **(_crossing(documents, len(found)) if crosses else {})}
            found[place]["qa_pairs"] = []
        pair = {"question": record.question, "answer": record.answer}
        found[place]["qa_pairs"].append(pair)
        if record.kind == Kind.CONSOLIDATED:
            found[place].setdefault("consolidated_qa_pairs", []).append(pair)
    return list(found.values())


def _crossing(documents: tuple[str, ...], number: int) -> dict[str, Any]:
    return {"type": "crossdoc", "query_id": str(number), "source_doc_ids": list(documents)}


# --- Reading -----------------------------------------------------------------------------------------------
def read_research(stream: BinaryIO) -> Iterator[Line]:
    cursor = Cursor(whole_text(stream))
    if cursor.peek() not in ("[", "{"):
        raise FileRefused(f"The file is no JSON with “{CACHE}” in it. Choose the format that it is in.")
    try:
        yield from _read_cache(cursor) if cursor.peek() == "{" else _read_entries(cursor)
        require_end(cursor)
    except BadJSON as error:
        yield broken(error)


def _read_cache(cursor: Cursor) -> Iterator[Line]:
    names = []
    for name in cursor.members():
        names.append(name)
        if name == CACHE and cursor.peek() == "[":
            yield from _read_entries(cursor)
        else:
            cursor.value()
    if CACHE not in names:
        raise FileRefused(f"The list “{CACHE}” is not in the file. Choose the format that it is in.")


def _read_entries(cursor: Cursor) -> Iterator[Line]:
    for _ in cursor.elements():
        number = cursor.line
        if cursor.peek() != "{":
            cursor.value()
            yield Line(number, problem="An entry is an object with “doc_id” and “qa_pairs”.")
        else:
            yield from _read_entry(cursor, number)


def _read_entry(cursor: Cursor, number: int) -> Iterator[Line]:
    lists: dict[str, Numbered] = {}
    values: dict[str, Any] = {}
    for name in cursor.members():
        if name in LISTS:
            lists[name] = _pairs_in(cursor)
        else:
            values[name] = cursor.value()
    if "error" in values:
        return
    if "final_question" in values:
        if values.get("is_self_contained") is True:
            yield read_pair(number, _final_pair, values)
    elif "question" in values:
        yield _line(number, values, "")
    elif not lists:
        yield Line(number, problem="The entry has no “qa_pairs”. Add them, or take the entry out.")
    else:
        yield from _lines_of(lists, values)


def _pairs_in(cursor: Cursor) -> Numbered:
    """The numbered elements of a list of pairs; older files wrap it once more in an object."""
    if cursor.peek() == "{":
        return [pair for name in cursor.members() for pair in _wrapped(cursor, name)]
    if cursor.peek() == "[":
        return [(cursor.line, cursor.value()) for _ in cursor.elements()]
    return [(cursor.line, cursor.value())]


def _wrapped(cursor: Cursor, name: str) -> Numbered:
    if name in LISTS:
        return _pairs_in(cursor)
    cursor.value()
    return []


def _lines_of(lists: dict[str, Numbered], values: dict[str, Any]) -> Iterator[Line]:
    all_pairs, consolidated = (lists.get(name, []) for name in LISTS)
    repeated = {repr(value) for _, value in consolidated}
    seen = {repr(value) for _, value in all_pairs}
    usual = Kind.CROSS_DOCUMENT.value if values.get("type") == "crossdoc" else ""
    for number, value in all_pairs:
        yield _line(number, value, Kind.CONSOLIDATED.value if repr(value) in repeated else usual)
    for number, value in consolidated:
        if repr(value) not in seen:
            yield _line(number, value, Kind.CONSOLIDATED.value)


def _line(number: int, value: Any, kind: str) -> Line:
    if isinstance(value, dict):
        value = {"question": value.get("question"), "answer": value.get("answer"), "kind": kind}
    return read_pair(number, record_from, value)


def _final_pair(values: dict[str, Any]) -> PairRecord:
    return text_pair(values.get("final_question"), values.get("final_answer"))
