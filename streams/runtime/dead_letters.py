"""Dead letters: a record that no retry can help goes to ``dlq.<consumer>`` as it came, and blocks nobody."""

import hashlib
import logging
import re
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from faust.types import Message

from connect.topics import DEAD_LETTER_MAX_BYTES, dead_letters
from streams.runtime.app import App
from streams.runtime.fitting import fit
from streams.runtime.headers import headers_of
from streams.runtime.produce import Record
from streams.runtime.record_context import key_of
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
# More dead letters of one batch are told by their number.
SHOWN: Final = 10
# A byte of a header's name that is no text, as connect/records/batches.py hands it over.
ESCAPED: Final = re.compile(r"\\x([89a-f][0-9a-f])")

log = logging.getLogger(__name__)


def letter(message: Message, error: Exception) -> Record:
    """The record for the dead-letter topic: bytes, key and headers as they were, and why."""
    origin = Origin(message.topic, message.partition, message.offset)
    headers = headers_of(message)
    return dead_letter(origin, error, Record(message.key, message.value, headers), _escaped(headers))


def dead_letter(origin: Origin, error: Exception, content: Record, lost: Sequence[Cut] = ()) -> Record:
    """The record for the dead-letter topic, with as much of ``content`` as fits.

    ``lost`` are parts that ``content`` already lacks. Where ``origin`` is a whole batch, its bytes are the value.
    """
    content, cuts = fit(content, DEAD_LETTER_MAX_BYTES - INFO_MAX_BYTES)
    known = {cut.part for cut in lost}
    cuts = (*lost, *(cut for cut in cuts if cut.part not in known))
    ours = encode_info(DeadLetterInfo(origin, f"{type(error).__name__}: {error}", cuts))
    return Record(content.key, content.value, [*content.headers, *ours])


def _escaped(headers: list[Header]) -> list[Cut]:
    """The headers as they were, where the name of one is no text: a letter can only have it with escapes."""
    if not any(ESCAPED.search(name) for name, _ in headers):
        return []
    names = [ESCAPED.sub(lambda found: chr(0xDC00 + int(found[1], 16)), name) for name, _ in headers]
    values = [value or b"" for _, value in headers]
    content = b"".join(name.encode(errors="surrogateescape") + value for name, value in zip(names, values, strict=True))
    return [Cut(RecordPart.HEADERS, len(content), hashlib.sha256(content).hexdigest())]


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
    by_partition: dict[int, list[tuple[Record, DeadLetterInfo]]] = {}
    for record in letters:
        said = _said(record)
        by_partition.setdefault(said.origin.partition, []).append((record, said))
    for partition, group in by_partition.items():
        await append(app, dead_letters(consumer), partition, [record for record, _ in group])
        for record, said in group[:SHOWN]:
            _tell(consumer, record, said)
        if len(group) > SHOWN:
            log.error("%d dead letters more of %s", len(group) - SHOWN, consumer)


def _said(record: Record) -> DeadLetterInfo:
    found = decode_info(record.headers)
    assert found is not None, "a record that is no dead letter"
    return found[0]


def _tell(consumer: str, record: Record, said: DeadLetterInfo) -> None:
    """One line. What was wrong may quote what is nobody's business here; the letter has it."""
    told = {"record": str(said.origin), "key": key_of(record.key), "reason": said.error.partition(":")[0]}
    log.error("a dead letter of %s", consumer, extra=told)
