"""A dead letter as operators see it, and how it is read from its record.

A resolved dead letter is followed by a record of its fate on the same partition, so the topic alone says which ones are
open. Anybody may write to the topic: a record that is neither is a foreign one, which can only be discarded.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from connect.topics import dead_letters, is_input
from tables.messages.dead_letters import DeadLetterInfo, Header, decode_info
from tables.messages.encoding import from_milliseconds

FATE_HEADER: Final = "dlq-done"


class Fate(StrEnum):
    """How a dead letter was resolved. SUPERSEDED: its row has changed since, so a replay would be wrong."""

    REPLAYED = "replayed"
    SUPERSEDED = "superseded"
    DISCARDED = "discarded"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """The record as it was, and the info of our headers, which is None for a foreign record."""

    consumer: str
    partition: int
    offset: int
    at: datetime
    info: DeadLetterInfo | None
    key: bytes | None = None
    value: bytes | None = None
    headers: tuple[Header, ...] = ()
    fate: Fate | None = None

    @property
    def id(self) -> str:
        """Its id for operators: consumer, partition and offset on the dead-letter topic."""
        return f"{self.consumer}:{self.partition}:{self.offset}"

    @property
    def record(self) -> str:
        """The position of the original record, or of a foreign record itself."""
        return str(self.info.origin) if self.info else f"{dead_letters(self.consumer)}[{self.partition}]@{self.offset}"

    @property
    def error(self) -> str:
        """Why the consumer could not use the record."""
        return self.info.error if self.info else "foreign: not one of our dead letters, somebody else wrote it"

    @property
    def obstacle(self) -> str | None:
        """Why it can't be replayed; None if it can."""
        if self.info is None:
            return "it is not one of our dead letters"
        if self.info.origin.last_offset is not None:
            return f"it holds the bytes of the whole batch {self.record}"
        if self.info.cuts:
            cuts = " and ".join(f"{cut.part} ({cut.bytes:,} bytes, SHA-256 {cut.sha256})" for cut in self.info.cuts)
            return f"it lacks some of the record's {cuts}; the whole record stands at {self.record} while that is kept"
        return None


def decode_fate(record: Any) -> tuple[Fate, int] | None:
    """The fate in a record, and the offset of its dead letter; None for other records.

    Such a record has no value, and that header alone.
    """
    headers: list[Header] = list(record.headers or ())
    if record.value is not None or [name for name, _ in headers] != [FATE_HEADER]:
        return None
    fate, _, offset = (headers[0][1] or b"").decode(errors="replace").partition(" ")
    try:
        return Fate(fate), int(offset)
    except ValueError:
        return None


def encode_fate(dead_letter: DeadLetter, fate: Fate) -> list[Header]:
    """The headers of the record that says how a dead letter was resolved."""
    return [(FATE_HEADER, f"{fate} {dead_letter.offset}".encode())]


def decode_dead_letter(consumer: str, record: Any) -> DeadLetter:
    """The dead letter in a record of the consumer's dead-letter topic."""
    headers = list(record.headers or ())
    found = decode_info(headers)
    # A replay must not write to another topic than the consumer's input.
    info, own = found if found and is_input(consumer, found[0].origin.topic) else (None, headers)
    return DeadLetter(
        consumer=consumer,
        partition=record.partition,
        offset=record.offset,
        at=from_milliseconds(max(record.timestamp, 0)),
        info=info,
        key=record.key,
        value=record.value,
        headers=tuple(own),
    )
