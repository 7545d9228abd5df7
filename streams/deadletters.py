"""Dead letters: a record that no retry can help goes to ``dlq.<consumer>`` as it came, and blocks nobody."""

import logging
from collections.abc import Callable
from typing import Any, Final, TypeVar

from faust.types import Message

from connect.topics import dead_letters
from streams.app import App
from streams.append import Record
from streams.patience import append
from streams.places import key_of
from tables.errors import MalformedRecord

T = TypeVar("T")
# More dead letters of one batch are told by their number.
SHOWN: Final = 10

log = logging.getLogger(__name__)


def letter(message: Message, error: Exception) -> Record:
    """The record for the dead-letter topic: bytes, key and headers as they were, and why."""
    origin = [
        ("dlq-topic", message.topic.encode()),
        ("dlq-partition", str(message.partition).encode()),
        ("dlq-offset", str(message.offset).encode()),
        ("dlq-error", f"{type(error).__name__}: {error}".encode()[:2000]),
    ]
    return Record(message.key, message.value, [*headers_of(message), *origin])


def sort_out(
    messages: list[Message], decode: Callable[[bytes | None], T]
) -> tuple[list[tuple[Message, T]], list[Record]]:
    """The records that ``decode`` can read, with what it read, and dead letters of the others."""
    readable: list[tuple[Message, T]] = []
    letters: list[Record] = []
    for message in messages:
        try:
            readable.append((message, decode(message.value)))
        except MalformedRecord as error:
            letters.append(letter(message, error))
    return readable, letters


async def bury(app: App, consumer: str, letters: list[Record]) -> None:
    """Append ``letters`` to the consumer's dead-letter topic; returns once they are stored."""
    by_partition: dict[int, list[Record]] = {}
    for record in letters:
        partition = int(dict(record.headers)["dlq-partition"])
        by_partition.setdefault(partition, []).append(record)
    for partition, records in by_partition.items():
        await append(app, dead_letters(consumer), partition, records)
        for record in records[:SHOWN]:
            _tell(consumer, record)
        if len(records) > SHOWN:
            log.error("%d dead letters more of %s", len(records) - SHOWN, consumer)


def _tell(consumer: str, record: Record) -> None:
    """One line. What was wrong may quote what is nobody's business here; the letter has it."""
    headers = dict(record.headers)
    topic, partition, offset, error = (
        headers[f"dlq-{name}"].decode() for name in ("topic", "partition", "offset", "error")
    )
    told = {"record": f"{topic}[{partition}]@{offset}", "key": key_of(record.key), "reason": error.partition(":")[0]}
    log.error("a dead letter of %s", consumer, extra=told)


def headers_of(message: Message) -> list[tuple[str, bytes]]:
    """A record's headers, whichever way Faust holds them."""
    headers: Any = message.headers or []
    return list(headers.items()) if isinstance(headers, dict) else list(headers)
