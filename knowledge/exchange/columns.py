"""Parquet. Its library is loaded when it is needed."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, BinaryIO

from knowledge.exchange.records import (
    FIELDS,
    FileRefused,
    Line,
    PairRecord,
    as_mapping,
    read_pair,
    record_from,
)

ROWS_AT_A_TIME = 1000
MOST_UNPACKED_BYTES = 500 * 1024 * 1024
LISTS = ("flags", "sources")


class _Sink(io.RawIOBase):
    """A file that gives away what has been written to it."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []
        self._written = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        self._written += len(self._parts[-1])
        return len(self._parts[-1])

    def tell(self) -> int:
        return self._written

    def take(self) -> bytes:
        taken, self._parts = b"".join(self._parts), []
        return taken


def _schema() -> Any:
    import pyarrow as pa

    numbers = ("version", "passage", "start", "end")
    source = [("document", pa.string()), ("title", pa.string()), *((name, pa.int64()) for name in numbers)]
    types = {
        "id": pa.int64(),
        "retired": pa.bool_(),
        "reviewed_at": pa.timestamp("us", tz="UTC"),
        "flags": pa.list_(pa.string()),
        "sources": pa.list_(pa.struct([*source, ("text", pa.string())])),
    }
    return pa.schema([(name, types.get(name, pa.string())) for name in FIELDS])


def write_columns(records: Iterable[PairRecord]) -> Iterator[bytes]:
    import pyarrow as pa
    from pyarrow import parquet

    schema, sink, remaining = _schema(), _Sink(), iter(records)
    with parquet.ParquetWriter(sink, schema) as writer:
        while rows := list(islice(remaining, ROWS_AT_A_TIME)):
            values = [{**as_mapping(row), "reviewed_at": row.reviewed_at} for row in rows]
            writer.write_batch(pa.RecordBatch.from_pylist(values, schema=schema))
            yield sink.take()
    yield sink.take()


def read_columns(stream: BinaryIO) -> Iterator[Line]:
    """The rows; their numbers count from 1. Raises FileRefused."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(stream)
        names = [name for name in file.schema_arrow.names if name in FIELDS]
        _require_fit(file.metadata, names)
        batches = file.iter_batches(ROWS_AT_A_TIME, columns=names)
        rows = (row for batch in batches for row in batch.to_pylist())
        for number, row in enumerate(rows, start=1):
            yield read_pair(number, record_from, row)
    except (pa.ArrowException, OSError, ValueError, ArithmeticError, LookupError) as error:
        # A damaged file shows itself in any of these: bad pages, times out of range, time zones that are none.
        raise FileRefused("The file is no Parquet, or damaged. Write it again.") from error


def _require_fit(metadata: Any, names: list[str]) -> None:
    if not {"question", "answer"} <= set(names):
        raise FileRefused("The file has no columns “question” and “answer”. Name its columns so.")
    unpacked = sum(metadata.row_group(place).total_byte_size for place in range(metadata.num_row_groups))
    if unpacked > MOST_UNPACKED_BYTES:
        raise FileRefused("The file unpacks to more than 500 MB. Split it.")
