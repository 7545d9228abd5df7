"""Decodes messages of PostgreSQL's plugin ``pgoutput`` (protocol version 1), as far as needed to find a large row.

Of a change it gives the table, the row's key, and the size that it will have in Kafka, where columns are JSON.
"""

import json
import struct
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

OPERATIONS: Final = {b"I": "INSERT", b"U": "UPDATE", b"D": "DELETE"}
# Upper bound of column names, Debezium's fields and Kafka's overhead.
ENVELOPE_BYTES: Final = 1_000


class WalChange(NamedTuple):
    """A change at the WAL position ``lsn``; ``key`` is the row's first column, ``size`` its bytes in a record."""

    lsn: int
    operation: str
    table: str
    key: str
    size: int


def decode_changes(messages: Iterable[tuple[int, bytes]]) -> Iterator[WalChange]:
    """The row changes among the plugin's messages, which come with their positions in the WAL."""
    tables: dict[int, str] = {}
    for lsn, message in messages:
        kind = message[:1]
        if kind == b"R":
            tables[_int(message, 1)] = _name(message)
        elif kind in OPERATIONS:
            values = _values(message)
            size = sum(len(json.dumps(value, ensure_ascii=False).encode()) for value in values if value is not None)
            key = values[0] if values else None
            yield WalChange(lsn, OPERATIONS[kind], tables.get(_int(message, 1), "?"), key or "?", size + ENVELOPE_BYTES)


def _name(message: bytes) -> str:
    schema, table = message[5:].split(b"\0", 2)[:2]
    return f"{schema.decode()}.{table.decode()}"


def _values(message: bytes) -> list[str | None]:
    """The columns of the last row in a message, which is the new one if there are two; None for NULL.

    An unchanged TOAST value is not sent: like Debezium, this takes it from the old row.
    """
    values: list[str | None] = []
    at = 5
    while at < len(message):
        before = values
        (count,) = struct.unpack_from(">H", message, at + 1)
        at += 3  # after N, O or K, and the number of columns
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
