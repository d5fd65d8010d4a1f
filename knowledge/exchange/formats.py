"""The table of formats, from which forms, commands, REST and docs take their choices."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import BinaryIO

from knowledge.exchange.columns import read_columns, write_columns
from knowledge.exchange.jsonlines import read_all, read_messages, write_all, write_messages
from knowledge.exchange.jsonlists import read_alpaca, read_sharegpt, write_alpaca, write_sharegpt
from knowledge.exchange.records import FIELDS, FileRefused, Line, PairRecord
from knowledge.exchange.research import read_research, write_research
from knowledge.exchange.table import read_table, write_table
from knowledge.exchange.texts import head_of

TEXTS = frozenset({"question", "answer"})
ALL = frozenset(FIELDS)


@dataclass(frozen=True)
class Format:
    """How pairs stand in a file. ``fields`` are those of a pair that come back when the file is read again."""

    label: str
    suffix: str
    media_type: str
    fields: frozenset[str]
    write: Callable[[Iterable[PairRecord]], Iterator[bytes]]
    read: Callable[[BinaryIO], Iterator[Line]]


JSON, LINES = "application/json", "application/jsonl"
FORMATS = {
    "jsonl": Format("JSONL with all metadata", ".jsonl", LINES, ALL, write_all, read_all),
    "csv": Format("CSV for table programs", ".csv", "text/csv; charset=utf-8", ALL, write_table, read_table),
    "parquet": Format(
        "Parquet", ".parquet", "application/vnd.apache.parquet", ALL, write_columns, read_columns
    ),
    "openai": Format("OpenAI messages (JSONL)", ".jsonl", LINES, TEXTS, write_messages, read_messages),
    "alpaca": Format("Alpaca (JSON)", ".json", JSON, TEXTS, write_alpaca, read_alpaca),
    "sharegpt": Format("ShareGPT (JSON)", ".json", JSON, TEXTS, write_sharegpt, read_sharegpt),
    "memo": Format("MeMo research code (JSON)", ".json", JSON, TEXTS, write_research, read_research),
}

# Names that stand in one format and in no other. A name within a text has a backslash before its closing mark.
SIGNS = {
    "messages": "openai",
    "conversations": "sharegpt",
    "instruction": "alpaca",
    "qa_pairs_cache": "memo",
    "qa_pairs": "memo",
    "doc_id": "memo",
}
SIGN = re.compile(rb'"(%s)"\s*:' % "|".join(SIGNS).encode())


def format_of(name: str, stream: BinaryIO) -> str:
    """The format of a file by the end of its name and its first bytes. Raises FileRefused."""
    suffix = PurePath(name).suffix.lower()
    if suffix in (".csv", ".parquet"):
        return suffix[1:]
    if suffix in (".tsv", ".txt"):
        return "csv"
    if suffix not in (".json", ".jsonl", ".ndjson"):
        raise FileRefused(f"“{PurePath(name).name}” does not end like a file of pairs. Choose its format.")
    sign = SIGN.search(head_of(stream))
    if sign:
        return SIGNS[sign[1].decode()]
    if suffix == ".json":
        raise FileRefused("This JSON could be in several formats. Choose the one that it is in.")
    return "jsonl"


def format_for_writing(name: str) -> str:
    """The format to write a file of this name in: the first of that ending. Raises FileRefused."""
    suffix = PurePath(name).suffix.lower()
    for known, each in FORMATS.items():
        if each.suffix == suffix and suffix != ".json":
            return known
    raise FileRefused(f"The format of “{PurePath(name).name}” is not clear. Choose one with --format.")
