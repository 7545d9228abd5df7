"""What becomes of a record that can't be handled: a transient error is retried in place, any other makes a dead letter.

A dead letter is the record as it came, with its origin and the error; the next records go on.
"""

import asyncio
import hashlib
import logging
import math
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

from faust.types import AppT

from connect.topics import DEAD_LETTER_MAX_BYTES
from streams.runtime.agents import Interrupted
from streams.runtime.app import App
from streams.runtime.fitting import fit
from streams.runtime.headers import headers_of
from streams.runtime.kafka_types import Message, Record
from tables.errors import MalformedRecord
from tables.messages.dead_letters import (
    INFO_MAX_BYTES,
    Cut,
    DeadLetterInfo,
    Header,
    Origin,
    RecordPart,
    encode_info,
)

T = TypeVar("T")
BACKOFF_FIRST_S = 0.2
BACKOFF_MAX_S = 5.0
INTERRUPT_CHECK_S = 0.1
# A byte of a header's name that is not UTF-8, as connect/records/batches.py writes it.
ESCAPED: Final = re.compile(r"\\x([89a-f][0-9a-f])")

log = logging.getLogger(__name__)


async def with_retries(
    app: App,
    action: Callable[[], Awaitable[T]],
    *,
    doing: str,
    transient: tuple[type[Exception], ...],
) -> T:
    """The result of ``action``, retried with exponential backoff while it raises one of ``transient``.

    ``doing`` names it in the log and the metrics. Raises Interrupted when a rebalance or the worker's end begins
    meanwhile: the records stay uncommitted.
    """
    pause_s = BACKOFF_FIRST_S
    failed = False
    try:
        while True:
            try:
                result = await action()
            except transient as error:
                if not failed and app.counters.begin_wait(doing, time.monotonic()):
                    log.warning("%s failed, retrying until it works: %r", doing, error)
                failed = True
                await interruptible_sleep(app, pause_s)
                pause_s = min(2 * pause_s, BACKOFF_MAX_S)
            else:
                if failed and app.counters.end_wait(doing):
                    log.info("%s works again", doing)
                failed = False
                return result
    finally:
        if failed:
            app.counters.end_wait(doing)


async def interruptible_sleep(app: AppT, seconds: float) -> None:
    """Sleep. Raises Interrupted when a rebalance or the worker's end begins meanwhile."""
    steps = max(1, math.ceil(seconds / INTERRUPT_CHECK_S))
    for _ in range(steps):
        await asyncio.sleep(seconds / steps)
        if is_interrupted(app):
            raise Interrupted


def is_interrupted(app: AppT) -> bool:
    """Whether a rebalance or the worker's end has begun: it waits for the batches that the agents have."""
    return bool(app.should_stop or not app.flow_control.is_active())


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
