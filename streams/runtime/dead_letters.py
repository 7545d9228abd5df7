"""Dead letters: a record that no retry can help goes to ``dlq.<consumer>`` as it came, and the next ones go on."""

import hashlib
import logging
import re
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from connect.topics import DEAD_LETTER_MAX_BYTES
from connect.topics import dead_letters as dead_letter_topic
from streams.runtime.app import App
from streams.runtime.fitting import fit
from streams.runtime.headers import headers_of
from streams.runtime.kafka_types import Message
from streams.runtime.produce import Record
from streams.runtime.record_context import shown_key
from streams.runtime.retry import append
from tables.errors import MalformedRecord
from tables.messages.dead_letters import (
    INFO_MAX_BYTES,
    Cut,
    DeadLetterInfo,
    Header,
    Origin,
    RecordPart,
    decode_info,
    encode_info,
)

T = TypeVar("T")
# Further dead letters of a batch are logged as their number.
LOGGED_MAX: Final = 10
# A byte of a header's name that is not UTF-8, as connect/records/batches.py writes it.
ESCAPED: Final = re.compile(r"\\x([89a-f][0-9a-f])")

log = logging.getLogger(__name__)


def dead_letter(message: Message, error: Exception) -> Record:
    """The dead letter of a record: its key, value and headers, where it came from, and the error."""
    origin = Origin(message.topic, message.partition, message.offset)
    headers = headers_of(message)
    return dead_letter_record(origin, error, Record(message.key, message.value, headers), _escaped(headers))


def dead_letter_record(origin: Origin, error: Exception, content: Record, lost: Sequence[Cut] = ()) -> Record:
    """The record for the dead-letter topic, with as much of ``content`` as fits.

    ``lost`` are the parts that ``content`` lacks already. Where ``origin`` is a whole batch, its bytes are the value.
    """
    content, cuts = fit(content, DEAD_LETTER_MAX_BYTES - INFO_MAX_BYTES)
    known = {cut.part for cut in lost}
    cuts = (*lost, *(cut for cut in cuts if cut.part not in known))
    ours = encode_info(DeadLetterInfo(origin, f"{type(error).__name__}: {error}", cuts))
    return Record(content.key, content.value, [*content.headers, *ours])


def _escaped(headers: list[Header]) -> list[Cut]:
    """The digest of the original headers where a name is not UTF-8: a dead letter only has that name escaped."""
    if not any(ESCAPED.search(name) for name, _ in headers):
        return []
    names = [ESCAPED.sub(lambda found: chr(0xDC00 + int(found[1], 16)), name) for name, _ in headers]
    values = [value or b"" for _, value in headers]
    content = b"".join(name.encode(errors="surrogateescape") + value for name, value in zip(names, values, strict=True))
    return [Cut(RecordPart.HEADERS, len(content), hashlib.sha256(content).hexdigest())]


def decode_batch(
    messages: list[Message], decode: Callable[[bytes | None], T]
) -> tuple[list[tuple[Message, T]], list[Record]]:
    """The records with their decoded values, and dead letters of those for which ``decode`` raises MalformedRecord."""
    decoded: list[tuple[Message, T]] = []
    dead_letters: list[Record] = []
    for message in messages:
        try:
            decoded.append((message, decode(message.value)))
        except MalformedRecord as error:
            dead_letters.append(dead_letter(message, error))
    return decoded, dead_letters


async def send_to_dead_letters(app: App, consumer: str, dead_letters: list[Record]) -> None:
    """Append to the consumer's dead-letter topic; returns once they are stored. Raises as ``append`` does."""
    by_partition: dict[int, list[tuple[Record, DeadLetterInfo]]] = {}
    for record in dead_letters:
        ours = _ours(record)
        by_partition.setdefault(ours.origin.partition, []).append((record, ours))
    for partition, group in by_partition.items():
        await append(app, dead_letter_topic(consumer), partition, [record for record, _ in group])
        for record, ours in group[:LOGGED_MAX]:
            _log(consumer, record, ours)
        if len(group) > LOGGED_MAX:
            log.error("%d more dead letters of %s", len(group) - LOGGED_MAX, consumer)


def _ours(record: Record) -> DeadLetterInfo:
    found = decode_info(record.headers)
    assert found is not None, "not a dead letter"
    return found[0]


def _log(consumer: str, record: Record, ours: DeadLetterInfo) -> None:
    """One line with the error's class alone: its text may quote personal data. The dead letter has it."""
    fields = {"record": str(ours.origin), "key": shown_key(record.key), "reason": ours.error.partition(":")[0]}
    log.error("a dead letter of %s", consumer, extra=fields)
