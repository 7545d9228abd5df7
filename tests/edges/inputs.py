"""What a broker accepts, row by row: how to make it for a topic, and what has to become of it there."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import Any, Final
from uuid import UUID, uuid4

from connect.topics import ACCOUNT_ROWS, COMMANDS, EVENT_ROWS
from lab.chaos.record_batch import CODECS, RawRecord, record_batch
from tests.edges.targets import REQUESTS, TARGETS, Target, World

KB: Final = 1_000
MB: Final = 1_000_000
COMPACT: Final = (EVENT_ROWS, ACCOUNT_ROWS)
# Their records are decided on whatever partition they lie.
FORWARDED: Final = (COMMANDS, REQUESTS)
Header = tuple[bytes, bytes | None]


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
    """One row: ``records`` makes a batch for a topic, packed with ``codec``, sent ``shifted_ms`` from now.

    ``but`` are the topics where something else becomes of it, ``only`` those that it is for; ``away`` says how many
    partitions from its home it lies. What is ``alike`` is large to make, and the same for all topics with the same key.
    """

    name: str
    records: Callable[[Target, World, UUID], Sequence[RawRecord]]
    result: Result
    codec: str = "none"
    but: Mapping[str, Result] = field(default_factory=dict)
    only: tuple[str, ...] = ()
    away: int = 0
    shifted_ms: int = 0
    alike: bool = False

    def on(self, target: Target) -> Result:
        """What has to become of it on that topic."""
        return self.but.get(target.topic, self.result)

    def batch(self, target: Target, world: World, mark: UUID) -> tuple[int, bytes]:
        """How many records it is on that topic, and their batch."""
        name = self.name, b"" if target.compact else target.key(world, mark)
        if name in _alike:
            return _alike[name]
        records = self.records(target, world, mark)
        at_ms = round(time.time() * 1000) + self.shifted_ms
        made = len(records), record_batch(records, at_ms=at_ms, codec=self.codec)
        if self.alike:
            _alike[name] = made
        return made


_alike: Final[dict[tuple[str, bytes], tuple[int, bytes]]] = {}


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
    _bury("byte order mark", partial(_text, "utf-8-sig")),
    _bury("UTF-16", partial(_text, "utf-16")),
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
    _take("binary key", partial(_key, b"\xff\x00\xfe"), but=OTHER_KEY),
    _take("key of 900 KB", partial(_key, b"k" * 900 * KB), but=OTHER_KEY),
    _take("packed key of 3 MB", partial(_key, b"k" * 3 * MB), codec="gzip", but=OTHER_KEY),
    _take("wrong partition", good, only=FORWARDED, away=1),
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
    _take("time of 1970", good, shifted_ms=-50 * 365 * 86_400_000),
    # batches
    _take("good among bad", _among_bad),
    # fields
    *(
        _survive(name, partial(good, **changes), only=(target.topic,))
        for target in TARGETS
        for name, changes in target.odd.items()
    ),
)


def rows() -> list[tuple[Input, Target]]:
    """Every input with each topic that it is for."""
    return [(each, target) for each in INPUTS for target in TARGETS if not each.only or target.topic in each.only]
