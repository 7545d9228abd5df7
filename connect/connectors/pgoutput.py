"""What PostgreSQL's plugin ``pgoutput`` (protocol version 1) tells of a change: the table, the row's key, its size.

Only what is needed to name a row. A record of Kafka holds the columns as JSON, so their size is counted as JSON.
"""

import json
import struct
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

OPERATIONS: Final = {b"I": "INSERT", b"U": "UPDATE", b"D": "DELETE"}
# Names of columns, what Debezium adds, what Kafka adds.
ENVELOPE_BYTES: Final = 1_000


class Change(NamedTuple):
    """A change at ``lsn``, its place in the log; ``key`` is the row's first column, ``size`` its bytes in a record."""

    lsn: int
    operation: str
    table: str
    key: str
    size: int


def changes(messages: Iterable[tuple[int, bytes]]) -> Iterator[Change]:
    """The changes of rows among messages of the plugin, each with its place in the log."""
    tables: dict[int, str] = {}
    for lsn, message in messages:
        kind = message[:1]
        if kind == b"R":
            tables[_int(message, 1)] = _name(message)
        elif kind in OPERATIONS:
            values = _values(message)
            size = sum(len(json.dumps(value, ensure_ascii=False).encode()) for value in values if value is not None)
            key = values[0] if values else None
            yield Change(lsn, OPERATIONS[kind], tables.get(_int(message, 1), "?"), key or "?", size + ENVELOPE_BYTES)


def _name(message: bytes) -> str:
    schema, table = message[5:].split(b"\0", 2)[:2]
    return f"{schema.decode()}.{table.decode()}"


def _values(message: bytes) -> list[str | None]:
    """The columns of the last row in a message, the new one where there are two; None for NULL.

    What is stored out of line and was left as it was is not sent again: Debezium takes it from the row before.
    """
    values: list[str | None] = []
    at = 5
    while at < len(message):
        before = values
        (count,) = struct.unpack_from(">H", message, at + 1)
        at += 3  # behind N, O or K, and the number of columns
        values = []
        for number in range(count):
            kind, at = message[at : at + 1], at + 1
            if kind in (b"t", b"b"):
                length = _int(message, at)
                values.append(message[at + 4 : at + 4 + length].decode(errors="replace"))
                at += 4 + length
            else:
                values.append(before[number] if kind == b"u" and number < len(before) else None)
    return values


def _int(message: bytes, at: int) -> int:
    found: int = struct.unpack_from(">I", message, at)[0]
    return found
