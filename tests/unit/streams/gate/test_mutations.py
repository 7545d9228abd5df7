"""Mutated requests through the gate's agents: each has exactly one answer, whatever was done to its bytes."""

import json
import random
from collections import Counter
from collections.abc import Iterable
from hashlib import sha256
from typing import Any, Final

from connect.topics import COMMANDS, answers, dead_letters
from streams.runtime.kafka_types import Record
from tables.messages.commands import DefineEvent, decode_command
from tables.messages.request_origins import ORIGIN
from tests.unit.streams.gate.conftest import HOME, PARTNER, Gate, World, body, decision, message, outcome_of

REQUESTS: Final = 10_000
BATCH_REQUESTS: Final = 250
# So far apart that the quota lets each through.
APART_S: Final = 1.0
KINDS: Final = ("purchase", "hold", "confirm", "cancel", "expire", "define-event", "limit-holds", "nonsense")
VALUES: Final[tuple[Any, ...]] = (None, True, -1, 0, 10**30, 1.5, "", "x", "\0", [], {}, [[]], [None], "\U0001f4a5" * 9)
KEYS: Final = (None, b"", b"\xff\x00", b"some other key")
HEADERS: Final[tuple[Any, ...]] = (
    (),
    (("correlation-id", None),),
    (("correlation-id", b"\xff" * 1_000),),
    ((ORIGIN, b"forged"), ("\\xe9", b"\xe9")),
)

# Of all commands, and of the answers whose words are ours: what a producer reads changes by intention alone.
DIGESTS: Final = ("d2133d8247d562aa", "36011b70a8050e75")


def mutated(rng: random.Random, offset: int) -> Any:
    """A request with a field, some bytes, its key or its headers changed; one in ten is left as it is."""
    fields = body(rng.choice(KINDS))
    if rng.random() < 0.5:
        fields[rng.choice(sorted(fields))] = rng.choice(VALUES)
    good = json.dumps(fields).encode()
    value: bytes | None = good
    if rng.random() < 0.3:
        value = rng.choice((damaged(rng, good), None, b"", b"[" * 10_000, rng.randbytes(40)))
    more: dict[str, Any] = {"key": rng.choice(KEYS)} if rng.random() < 0.1 else {}
    more |= {"headers": list(rng.choice(HEADERS))} if rng.random() < 0.2 else {}
    made = message(offset, body(), timestamp=1_700_000_000 + offset * APART_S, **more)
    if rng.random() < 0.9:
        made.value = value
    return made


def damaged(rng: random.Random, value: bytes) -> bytes:
    """The value cut, or with one byte replaced."""
    at = rng.randrange(len(value))
    return value[:at] if rng.random() < 0.5 else value[:at] + rng.randbytes(1) + value[at + 1 :]


def digest(records: Iterable[Record]) -> str:
    """The first digits of a digest of every byte that was written."""
    found = sha256()
    for record in records:
        found.update(repr((record.key, record.value, [tuple(each) for each in record.headers])).encode())
    return found.hexdigest()[:16]


def test_ten_thousand_mutated_requests_have_as_many_answers(gate: Gate, world: World) -> None:
    rng, outcome = random.Random(20261128), decision()
    for begin in range(0, REQUESTS, BATCH_REQUESTS):
        gate.handle(*(mutated(rng, offset) for offset in range(begin, begin + BATCH_REQUESTS)))
    written = [record for _, record in world.records[COMMANDS]]
    forwarded = [each for each in written if not isinstance(decode_command(each.value), DefineEvent)]
    gate.decide(*(outcome_of(each, outcome, number) for number, each in enumerate(forwarded)))

    found = Counter(dict(record.headers)["request"] for _, record in world.records[answers("partner")])
    assert found == Counter(f"{PARTNER}[{HOME}]@{offset}".encode() for offset in range(REQUESTS))
    statuses = Counter(world.statuses())
    assert statuses["decided"] == len(forwarded)
    assert statuses["malformed"] + statuses["forbidden"] == len(world.records[dead_letters("gate")])
    assert all(statuses[each] > REQUESTS / 100 for each in ("decided", "malformed", "forbidden"))
    told = [record for _, record in world.records[answers("partner")] if b'"malformed"' not in (record.value or b"")]
    assert (digest(written), digest(told)) == DIGESTS
