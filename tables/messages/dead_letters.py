"""The headers of a dead letter: the record's own, unchanged, followed by four or five of ours.

They are read from the end, so no header of the record can pass for one of ours, whatever its name. Ours end with
``dlq-error``; if the dead letter doesn't hold the whole record, ``dlq-details`` (a JSON object) follows.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Final

Header = tuple[str, bytes | None]

TOPIC: Final = "dlq-topic"
PARTITION: Final = "dlq-partition"
OFFSET: Final = "dlq-offset"
ERROR: Final = "dlq-error"
DETAILS: Final = "dlq-details"
INFO_HEADERS: Final = (TOPIC, PARTITION, OFFSET, ERROR)
DETAILED_INFO_HEADERS: Final = (*INFO_HEADERS, DETAILS)

ERROR_MAX_BYTES: Final = 2_000
# Upper bound of the size of our headers in a produced batch; a topic's name has at most 249 characters.
INFO_MAX_BYTES: Final = 4_096


class RecordPart(StrEnum):
    """A part of a record."""

    KEY = "key"
    HEADERS = "headers"
    VALUE = "value"


@dataclass(frozen=True, slots=True)
class Cut:
    """A part of the record that the dead letter lacks or shortens: its size in bytes and its SHA-256.

    For headers these are the bytes of all names and values, concatenated.
    """

    part: RecordPart
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Origin:
    """The position of a record. ``last_offset`` is set if the dead letter holds an entire undecodable batch."""

    topic: str
    partition: int
    offset: int
    last_offset: int | None = None

    def __str__(self) -> str:
        until = "" if self.last_offset is None else f"-{self.last_offset}"
        return f"{self.topic}[{self.partition}]@{self.offset}{until}"


@dataclass(frozen=True, slots=True)
class DeadLetterInfo:
    """What our headers say: the record's position, the error, and the parts that were cut."""

    origin: Origin
    error: str
    cuts: tuple[Cut, ...] = ()


def encode_info(info: DeadLetterInfo) -> list[Header]:
    """Encode the headers that follow those of the record; at most INFO_MAX_BYTES."""
    origin = info.origin
    headers: list[Header] = [
        (TOPIC, origin.topic.encode()),
        (PARTITION, b"%d" % origin.partition),
        (OFFSET, b"%d" % origin.offset),
        (ERROR, info.error.encode(errors="backslashreplace")[:ERROR_MAX_BYTES].decode(errors="ignore").encode()),
    ]
    if info.cuts or origin.last_offset is not None:
        details = {"record": str(origin), "last": origin.last_offset, "cut": [asdict(cut) for cut in info.cuts]}
        headers.append((DETAILS, json.dumps(details).encode()))
    return headers


def decode_info(headers: Sequence[Header]) -> tuple[DeadLetterInfo, list[Header]] | None:
    """Split a dead letter's headers into our info and the record's own headers; None if the info is missing."""
    for names in (INFO_HEADERS, DETAILED_INFO_HEADERS):
        own, ours = headers[: -len(names)], headers[-len(names) :]
        if tuple(name for name, _ in ours) == names:
            try:
                return _info(*(value or b"" for _, value in ours)), list(own)
            except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError):
                return None
    return None


def _info(topic: bytes, partition: bytes, offset: bytes, error: bytes, details: bytes = b"{}") -> DeadLetterInfo:
    more = json.loads(details)
    last = more.get("last")
    return DeadLetterInfo(
        Origin(topic.decode(), _natural(partition), _natural(offset), None if last is None else _natural(last)),
        error.decode(errors="replace"),
        tuple(Cut(RecordPart(cut["part"]), _natural(cut["bytes"]), str(cut["sha256"])) for cut in more.get("cut", ())),
    )


def _natural(text: bytes | int) -> int:
    number = int(text)
    if not 0 <= number < 2**63:
        raise ValueError(f"{number} is not an offset, a partition or a size")
    return number
