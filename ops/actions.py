"""The record of operators' actions that skip records, send them again or end holds, on the topic ``operator-actions``.

An action is recorded before its effect, so no effect is without a record; an action may be recorded twice.
"""

import getpass
import os
import socket
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from kafka import KafkaProducer, TopicPartition

from connect.records.consumer import make_consumer
from connect.topics import OPERATOR_ACTIONS

WRITE_TIMEOUT_S: Final = 30.0
POLL_MS: Final = 1_000


class Action(msgspec.Struct, frozen=True):
    """One action: time, user, command with its arguments, and the operator's reason."""

    at: datetime
    by: str
    action: str
    reason: str
    details: dict[str, Any] = {}


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Action).decode


def record(servers: str, action: str, reason: str, **details: Any) -> Action:
    """Append an action of this moment by this process's user; returns once Kafka has it. Raises KafkaError."""
    done = Action(datetime.now(UTC), f"{_user()}@{socket.gethostname()}", action, reason, details)
    with closing(KafkaProducer(bootstrap_servers=servers.split(","), acks="all")) as producer:
        producer.send(OPERATOR_ACTIONS, value=_encode(done)).get(WRITE_TIMEOUT_S)
    return done


def read(servers: str) -> Iterator[Action]:
    """All recorded actions, the oldest first; unreadable records are left out. Raises KafkaError."""
    place = TopicPartition(OPERATOR_ACTIONS, 0)
    with closing(make_consumer(servers.split(","))) as consumer:
        consumer.assign([place])
        end = consumer.end_offsets([place])[place]
        consumer.seek_to_beginning(place)
        while consumer.position(place) < end:
            for batch in consumer.poll(timeout_ms=POLL_MS).values():
                yield from _readable(one.value for one in batch)


def _user() -> str:
    """The user of this process; its number if the system has no name for it, as in a container."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def _readable(values: Iterable[bytes | None]) -> Iterator[Action]:
    for value in values:
        try:
            yield _decode(value or b"")
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
