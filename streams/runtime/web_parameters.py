"""The parameters of the web views. Each raises RequestProblem where its text is wrong."""

import base64
import binascii
import math
from enum import StrEnum
from typing import Final, NamedTuple
from uuid import UUID

import msgspec

from streams.runtime.web import Request
from streams.runtime.web_problems import RequestProblem, invalid_parameter

LIMIT_DEFAULT: Final = 50
LIMIT_MAX: Final = 100
CURSOR_MAX_CHARACTERS: Final = 200
WAIT_MAX_S: Final = 30.0


class ListPosition(NamedTuple):
    """Where a page of a list begins: in a partition, at a key of its table."""

    partition: int
    key: bytes

    def encode(self) -> str:
        """The cursor that leads here."""
        return base64.urlsafe_b64encode(msgspec.msgpack.encode(self)).decode().rstrip("=")


def path_id(text: str, noun: str) -> UUID:
    """An id in the path. What is no id names nothing, so the problem is not-found."""
    try:
        return UUID(text)
    except ValueError as error:
        raise RequestProblem("not-found", f"no {noun} of that id") from error


def path_partition(text: str, count: int) -> int:
    """The number of a partition, of ``count``, in the path; else the problem is not-found."""
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(count)) and int(text) < count):
        raise RequestProblem("not-found", "no partition of that number")
    return int(text)


def query_text(request: Request, name: str) -> str | None:
    """A parameter of the query, or None."""
    values: list[str] = request.query.getall(name, [])
    if len(values) > 1:
        raise invalid_parameter(name, "must be given once")
    return values[0] if values else None


def query_event(request: Request) -> UUID | None:
    """The id of an event in the query, or None."""
    text = query_text(request, "event")
    try:
        return None if text is None else UUID(text)
    except ValueError as error:
        raise invalid_parameter("event", "must be an id") from error


def query_limit(request: Request) -> int:
    """The largest number of items of a page."""
    text = query_text(request, "limit")
    if text is None:
        return LIMIT_DEFAULT
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(LIMIT_MAX)) and 1 <= int(text) <= LIMIT_MAX):
        raise invalid_parameter("limit", f"must be a number from 1 to {LIMIT_MAX}")
    return int(text)


def query_choice(request: Request, name: str, choices: type[StrEnum]) -> str | None:
    """One of the values of an enumeration, or None."""
    text = query_text(request, name)
    values = [str(choice) for choice in choices]
    if text is not None and text not in values:
        raise invalid_parameter(name, f"must be one of {', '.join(values)}")
    return text


def query_seconds(request: Request, name: str, most_s: float) -> float:
    """A time in seconds from 0 to ``most_s``; 0 where there is none."""
    text = query_text(request, name)
    try:
        seconds = float(text or 0)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= most_s:
        raise invalid_parameter(name, f"must be a number of seconds from 0 to {most_s:g}")
    return seconds


def query_position(request: Request, partitions: int) -> ListPosition | None:
    """Where the page begins, or None without a cursor."""
    text = query_text(request, "cursor")
    if text is None:
        return None
    try:
        if len(text) > CURSOR_MAX_CHARACTERS:
            raise ValueError(text)
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        position = msgspec.msgpack.decode(packed, type=ListPosition)
    except (ValueError, binascii.Error, msgspec.DecodeError) as error:
        raise invalid_parameter("cursor", "must be the `next` of a page of this list") from error
    if not 0 <= position.partition < partitions:
        raise invalid_parameter("cursor", "must be the `next` of a page of this list")
    return position
