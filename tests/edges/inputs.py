"""What a broker accepts, row by row: how to make it for a topic, and what has to become of it there."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import Any, Final
from uuid import UUID, uuid4

from connect.topics import ACCOUNT_ROWS, COMMANDS, EVENT_ROWS, JOBS, RECORD_MAX_BYTES, RESENDS, RETRIES
from lab.chaos.record_batch import CODECS, CONTROL, TRANSACTIONAL, RawRecord, record_batch
from tests.edges.targets import FAR, HUGE, REQUESTS, TARGETS, Target, World

DAY_MS: Final = 86_400_000
KB: Final = 1_000
MB: Final = 1_000_000
COMPACT: Final = (EVENT_ROWS, ACCOUNT_ROWS)
# Their records are decided on whatever partition they lie.
FORWARDED: Final = (COMMANDS, REQUESTS)
PRODUCERS_TIME: Final = tuple(target.topic for target in TARGETS if target.topic not in FORWARDED)
Header = tuple[bytes, bytes | None]
MISSING: Final = object()
ID_FIELDS: Final = ("id", "event", "purchase", "account", "organizer_id")
OTHER_CONTENT: Final = {
    "at": "2027-01-01T00:00:00Z",
    "amount": "99",
    "lines": [],
    "title": "another",
    "email": "b@c.example",
}
# What every field of every record is at some time.
FIELD_VALUES: Final[dict[str, Any]] = {
    "missing": MISSING,
    "null": None,
    "true": True,
    "a list": [],
    "an object": {"a": {}},
    "below zero": -1,
    "a float": 1.5,
    "beyond 64 bits": HUGE,
    "its number as a text": "1",
    "an empty text": "",
    "a zero byte": "a\0b",
    "10,000 characters": "x" * 10_000,
    "an unknown word": "of-tomorrow",
    "a currency": "XAU",
    **{f"the time {name}": at for name, at in FAR.items()},
}


class Result(StrEnum):
    """What becomes of an input. In each case its consumers live, and the next good record is taken."""

    TAKEN = "taken"  # it has its effect, and is no dead letter
    LETTER = "dead letter"  # of every consumer of the topic
    SEEN = "seen"  # the one or the other
    PASSED = "passed"  # neither an effect nor a dead letter
    ANY = "any"  # one of these
    REFUSED = "refused"  # the broker does not accept it


@dataclass(frozen=True, slots=True)
class Input:
    """One row: ``records`` makes a batch for a topic, packed with ``codec``, with attributes ``flags``.

    Its time is ``at_ms`` (since 1970), or ``shifted_ms`` from now.

    ``but`` are the topics where something else becomes of it, ``only`` those that it is for; ``away`` says how many
    partitions from its home it lies. What is ``alike`` is large to make, and the same for all topics.
    """

    name: str
    records: Callable[[Target, World, UUID], Sequence[RawRecord]]
    result: Result
    codec: str = "none"
    but: Mapping[str, Result] = field(default_factory=dict)
    only: tuple[str, ...] = ()
    away: int = 0
    shifted_ms: int = 0
    at_ms: int | None = None
    flags: int = 0
    alike: bool = False

    def on(self, target: Target) -> Result:
        """What has to become of it on that topic."""
        return self.but.get(target.topic, self.result)

    def batch(self, target: Target, world: World, mark: UUID) -> tuple[int, bytes]:
        """How many records it is on that topic, and their batch."""
        if self.name in _alike:
            return _alike[self.name]
        records = self.records(target, world, mark)
        if self.alike:
            records = [record._replace(key=self.name.encode()) for record in records]
        at_ms = round(time.time() * 1000) + self.shifted_ms if self.at_ms is None else self.at_ms
        made = len(records), record_batch(records, at_ms=at_ms, codec=self.codec, flags=self.flags)
        if self.alike:
            _alike[self.name] = made
        return made


_alike: Final[dict[str, tuple[int, bytes]]] = {}


def good(target: Target, world: World, mark: UUID, **changes: Any) -> list[RawRecord]:
    """The good record of the topic, with some fields of its value changed."""
    return [RawRecord(target.key(world, mark), target.value(world, mark, **changes))]


def _headers(headers: Sequence[Header], target: Target, world: World, mark: UUID) -> list[RawRecord]:
    return [record._replace(headers=headers) for record in good(target, world, mark)]


def _value(value: bytes | None, target: Target, world: World, mark: UUID) -> list[RawRecord]:
    return [RawRecord(target.key(world, mark), value)]


def _marked(pattern: bytes, target: Target, world: World, mark: UUID) -> list[RawRecord]:
    return [RawRecord(target.key(world, mark), pattern.replace(b"%", str(mark).encode()))]


def _text(encoding: str, target: Target, world: World, mark: UUID) -> list[RawRecord]:
    return [RawRecord(target.key(world, mark), target.value(world, mark).decode().encode(encoding))]


def _with_field(json_text: bytes, target: Target, world: World, mark: UUID) -> list[RawRecord]:
    """A good value with one field more, of which nobody knows."""
    return [RawRecord(target.key(world, mark), target.value(world, mark)[:-1] + b',"unknown":' + json_text + b"}")]


def _around(pattern: bytes, target: Target, world: World, mark: UUID) -> list[RawRecord]:
    """A good value with something around it; ``*`` stands for its fields, without the braces."""
    return [RawRecord(target.key(world, mark), pattern.replace(b"*", target.value(world, mark)[1:-1]))]


def _ids(write: Callable[[str], str], target: Target, world: World, mark: UUID) -> list[RawRecord]:
    """A good record whose ids are written in another way."""
    body = target.good(world, mark)
    return good(target, world, mark, **{name: write(body[name]) for name in ID_FIELDS if name in body})


def _told_again(target: Target, world: World, mark: UUID) -> list[RawRecord]:
    """A good record, and another one with its id that says something else."""
    body = target.good(world, mark)
    other = {name: value for name, value in OTHER_CONTENT.items() if name in body}
    return [*good(target, world, mark), *good(target, world, mark, **other)]


def _each_field(value: Any, target: Target, world: World, mark: UUID) -> list[RawRecord]:
    """By each of its fields a good record in which that has another value, or is missing."""
    body = target.good(world, mark)
    changed = [
        {other: value if other == name else body[other] for other in body if other != name or value is not MISSING}
        for name in body
    ]
    return [RawRecord(target.key(world, uuid4()), json.dumps(each).encode()) for each in changed]


def _of_bytes(size: int, target: Target, world: World, mark: UUID) -> list[RawRecord]:
    """A record whose batch has so many bytes."""
    [made] = _large(size - KB, target, world, mark)
    missing = size - len(record_batch([made], at_ms=0))
    return [made._replace(value=(made.value or b"") + b"x" * missing)]


def _key(key: bytes | None, target: Target, world: World, mark: UUID) -> list[RawRecord]:
    return [record._replace(key=key) for record in good(target, world, mark)]


def _of_another(target: Target, world: World, mark: UUID) -> list[RawRecord]:
    """A good record, but of another topic: an account row, or a command where those are at home."""
    other = TARGETS[0] if target.topic in COMPACT else TARGETS[2]
    return [RawRecord(target.key(world, mark), other.value(world, mark))]


def _bad(headers: Sequence[Header], target: Target, world: World, mark: UUID) -> list[RawRecord]:
    return [RawRecord(target.key(world, mark), b"not JSON %s" % str(mark).encode(), headers)]


def _large(size: int, target: Target, world: World, mark: UUID) -> list[RawRecord]:
    return [RawRecord(target.key(world, mark), str(mark).encode() + b"x" * size)]


def _many(count: int, size: int, target: Target, world: World, mark: UUID) -> list[RawRecord]:
    return [RawRecord(target.key(world, mark), str(mark).encode() + b"x" * size)] * count


def _among_bad(target: Target, world: World, mark: UUID) -> list[RawRecord]:
    """A good record in one batch with some that can't be read; in a compacted topic under other keys."""
    first, second, last = (
        record._replace(key=target.key(world, uuid4())) for record in _bad((), target, world, mark) * 3
    )
    return [first, second, *good(target, world, mark), last]


_take = partial(Input, result=Result.TAKEN)
_bury = partial(Input, result=Result.LETTER)
_see = partial(Input, result=Result.SEEN)
_survive = partial(Input, result=Result.ANY)

OUR_MARKS: Final[tuple[Header, ...]] = (
    (b"dlq-topic", b"another"),
    (b"dlq-partition", b"99"),
    (b"dlq-offset", b"x"),
    (b"dlq-error", b"none at all"),
    (b"dlq-done", b"x"),
    (b"dlq-replayed", b"1"),
    (b"first-seen", b"x"),
    (b"traceparent", b"00-zz"),
)

# A producer has to write its event's id as the key.
OTHER_KEY: Final = {REQUESTS: Result.LETTER}
INPUTS: Final[tuple[Input, ...]] = (
    # codecs
    *(_take(f"{codec} batch", good, codec=codec) for codec in CODECS),
    # headers
    _take("header without a value", partial(_headers, ((b"empty", None),))),
    _take("header without a name", partial(_headers, ((b"", b"x"),))),
    _take("header twice", partial(_headers, ((b"a", b"1"), (b"a", b"2"), (b"a", None)))),
    _take("10,000 headers", partial(_headers, tuple((b"h%d" % number, b"v") for number in range(10_000)))),
    _take("traceparent of bytes", partial(_headers, ((b"traceparent", b"\xff\xfe"),))),
    _take("traceparent without a value", partial(_headers, ((b"traceparent", None),))),
    _take("10,000 headers of one name", partial(_headers, ((b"a", b"v"),) * 10_000)),
    _take("header of 900 KB", partial(_headers, ((b"large", b"x" * 900 * KB),))),
    _take("header name of 60 KB", partial(_headers, ((b"n" * 60 * KB, b"x"),))),
    _take("marks of dead letters", partial(_headers, OUR_MARKS)),
    _take("marks of dead letters twice", partial(_headers, OUR_MARKS * 2)),
    _see("header name that is no UTF-8", partial(_headers, ((b"\xe9t\xe9", b"x"),))),
    _see("packed header name that is no UTF-8", partial(_headers, ((b"\xe9t\xe9", None),)), codec="zstd"),
    _bury("bad value, header name that is no UTF-8", partial(_bad, ((b"\xff", b"x"),))),
    _bury("bad value, header of 900 KB", partial(_bad, ((b"large", b"x" * 900 * KB),))),
    _bury("bad value, 10,000 headers", partial(_bad, tuple((b"h%d" % number, b"v") for number in range(10_000)))),
    _bury("bad value, marks of dead letters", partial(_bad, OUR_MARKS)),
    # sizes
    _bury("value of 900 KB", partial(_large, 900 * KB)),
    _bury("largest batch", partial(_of_bytes, RECORD_MAX_BYTES)),
    Input("batch that is a byte too large", partial(_of_bytes, RECORD_MAX_BYTES + 1), Result.REFUSED),
    *(_bury(f"{codec} of 3 MB", partial(_large, 3 * MB), codec=codec) for codec in ("gzip", "lz4", "zstd")),
    _bury("gzip bomb of 64 MB", partial(_large, 64 * MB), codec="gzip", alike=True),
    _bury("zstd bomb of 128 MB", partial(_large, 128 * MB), codec="zstd", alike=True),
    _bury("thousand records of 100 KB", partial(_many, 1_000, 100 * KB), codec="zstd", alike=True),
    _take("packed header of 3 MB", partial(_headers, ((b"large", b"x" * 3 * MB),)), codec="gzip"),
    # texts
    _bury("empty value", partial(_value, b"")),
    _bury("null value", partial(_value, None), but=dict.fromkeys(COMPACT, Result.PASSED)),
    _bury("no JSON", partial(_marked, b"not JSON %")),
    _bury("half a JSON", partial(_marked, b'{"id": "%"')),
    _bury("JSON null", partial(_value, b"null")),
    _bury("JSON list", partial(_marked, b'["%"]')),
    _bury("JSON number", partial(_value, b"1e400")),
    _bury("JSON with NaN", partial(_marked, b'{"id": NaN, "event": "%"}')),
    _bury("JSON 50,000 deep", partial(_value, b"[" * 50_000 + b"]" * 50_000)),
    _bury("zero bytes", partial(_marked, b"\0\0%")),
    _bury("JSON with infinity", partial(_marked, b'{"id": -Infinity, "event": "%"}')),
    _bury("two JSONs", partial(_around, b"{*}{*}")),
    _bury("envelope with a schema", partial(_around, b'{"schema": {"type": "struct"}, "payload": {*}}')),
    _take("JSON with every field twice", partial(_around, b"{*,*}")),
    _take("JSON between spaces", partial(_around, b" \r\n\t{ * } \n")),
    _bury("byte order mark", partial(_text, "utf-8-sig")),
    *(_bury(encoding.upper(), partial(_text, encoding)) for encoding in ("utf-16", "utf-16-be", "utf-32")),
    _bury("record of another topic", _of_another),
    _bury("bad header, bad value", partial(_bad, ((b"a", None), (b"a", b"\xff")))),
    _take("unknown field", partial(_with_field, b'{"a": [1, null, "\\u0000"]}')),
    _survive("unknown field 50,000 deep", partial(_with_field, b"[" * 50_000 + b"]" * 50_000)),
    _survive("unknown lone surrogate", partial(_with_field, b'"\\ud800"')),
    _survive("unknown bytes that are no UTF-8", partial(_with_field, b'"\xff\xfe"')),
    _survive("unknown NaN", partial(_with_field, b"NaN")),
    _survive("unknown number of 100,000 digits", partial(_with_field, b"9" * 100_000)),
    # keys and places
    _take("no key", partial(_key, None), but=dict.fromkeys(COMPACT, Result.REFUSED) | OTHER_KEY),
    _take("empty key", partial(_key, b""), but=OTHER_KEY),
    _take("binary key", partial(_key, b"\xff\x00\xfe"), but=OTHER_KEY),
    _take("key of 900 KB", partial(_key, b"k" * 900 * KB), but=OTHER_KEY),
    _take("packed key of 3 MB", partial(_key, b"k" * 3 * MB), codec="gzip", but=OTHER_KEY),
    # Those who know an account or a purchase look on the partition of its mails.
    _take("wrong partition", good, away=1, but=dict.fromkeys((JOBS, RETRIES, RESENDS), Result.ANY)),
    _take(
        "wrong partition, header of 900 KB",
        partial(_headers, ((b"large", b"x" * 900 * KB),)),
        only=FORWARDED,
        away=2,
    ),
    _take(
        "wrong partition, packed header of 2 MB",
        partial(_headers, ((b"large", b"x" * 2 * MB),)),
        codec="gzip",
        only=FORWARDED,
        away=3,
    ),
    # times
    _take("time of 1976", good, shifted_ms=-50 * 365 * DAY_MS),
    _take("time zero", good, at_ms=0),
    _take("no time", good, at_ms=-1),
    # The broker sets the time itself where nobody else may.
    _take("time of tomorrow", good, shifted_ms=DAY_MS, but=dict.fromkeys(PRODUCERS_TIME, Result.REFUSED)),
    # batches
    Input("control batch", good, Result.REFUSED, flags=TRANSACTIONAL | CONTROL),
    _take("good among bad", _among_bad),
    _take("id again with another content", _told_again),
    # fields
    _take("ids in capitals", partial(_ids, str.upper)),
    _see("ids without dashes", partial(_ids, lambda text: text.replace("-", ""))),
    *(_survive(f"each field {name}", partial(_each_field, value)) for name, value in FIELD_VALUES.items()),
    *(
        _survive(name, partial(good, **changes), only=(target.topic,))
        for target in TARGETS
        for name, changes in target.odd.items()
    ),
)


def rows() -> list[tuple[Input, Target]]:
    """Every input with each topic that it is for."""
    return [(each, target) for each in INPUTS for target in TARGETS if not each.only or target.topic in each.only]
