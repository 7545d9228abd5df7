"""The headers of a dead letter: the record's own as they were, then ours, which are always the last ones.

A letter is read from its last header backwards, so no header of the record can be taken for one of ours, whatever its
name. Ours are four and end with ``dlq-error``; where the letter is not the whole record a fifth follows,
``dlq-details``, a JSON object.
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
WHOLE: Final = (TOPIC, PARTITION, OFFSET, ERROR)
DETAILED: Final = (*WHOLE, DETAILS)

ERROR_MAX_BYTES: Final = 2_000
# More than our headers ever take in a produced batch; a topic's name has at most 249 characters.
OURS_MAX_BYTES: Final = 4_096


class Part(StrEnum):
    """A part of a record."""

    KEY = "key"
    HEADERS = "headers"
    VALUE = "value"


@dataclass(frozen=True, slots=True)
class Cut:
    """A part that is not in the letter as it was, and how many bytes it had, with their SHA-256.

    For headers these are the bytes of all names and values, one after the other.
    """

    part: Part
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a record stands. ``last_offset`` is set where the letter holds a whole batch that can't be taken apart."""

    topic: str
    partition: int
    offset: int
    last_offset: int | None = None

    def __str__(self) -> str:
        until = "" if self.last_offset is None else f"-{self.last_offset}"
        return f"{self.topic}[{self.partition}]@{self.offset}{until}"


@dataclass(frozen=True, slots=True)
class Ours:
    """What our headers say: where the record stands, why it could not be used, what of it is not here."""

    origin: Origin
    error: str
    cuts: tuple[Cut, ...] = ()


def encode_ours(said: Ours) -> list[Header]:
    """The headers to put behind those of the record; at most OURS_MAX_BYTES."""
    origin = said.origin
    ours: list[Header] = [
        (TOPIC, origin.topic.encode()),
        (PARTITION, b"%d" % origin.partition),
        (OFFSET, b"%d" % origin.offset),
        (ERROR, said.error.encode(errors="backslashreplace")[:ERROR_MAX_BYTES]),
    ]
    if said.cuts or origin.last_offset is not None:
        details = {"record": str(origin), "last": origin.last_offset, "cut": [asdict(cut) for cut in said.cuts]}
        ours.append((DETAILS, json.dumps(details).encode()))
    return ours


def decode_ours(headers: Sequence[Header]) -> tuple[Ours, list[Header]] | None:
    """What our headers say, and the record's own headers; None where these are no headers of a dead letter."""
    for names in (WHOLE, DETAILED):
        own, ours = headers[: -len(names)], headers[-len(names) :]
        if tuple(name for name, _ in ours) == names:
            try:
                return _ours(*(value or b"" for _, value in ours)), list(own)
            except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
                return None
    return None


def _ours(topic: bytes, partition: bytes, offset: bytes, error: bytes, details: bytes = b"{}") -> Ours:
    more = json.loads(details)
    last = more.get("last")
    return Ours(
        Origin(topic.decode(), _natural(partition), _natural(offset), None if last is None else _natural(last)),
        error.decode(errors="replace"),
        tuple(Cut(Part(cut["part"]), _natural(cut["bytes"]), str(cut["sha256"])) for cut in more.get("cut", ())),
    )


def _natural(text: bytes | int) -> int:
    number = int(text)
    if not 0 <= number < 2**63:
        raise ValueError(f"{number} is no offset, partition or size")
    return number
