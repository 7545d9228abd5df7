"""The agent that decides: commands in, records to the table, outcomes to ``ticket-purchase``.

A batch is handled in this order, each step acknowledged before the next: purchase records, event records, outcomes,
commands that follow, dead letters, misrouted commands; then its input is committed. Partitions are handled in parallel.

The commands of each event are decided together: otherwise the processor would have to fetch the data of an event again
for each of them.
"""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Final

from connect.partitioning import key_and_home
from connect.topics import COMMANDS, OUTCOMES
from streams.inventory.hold_expiry import HoldExpiry
from streams.inventory.stock_gauges import StockGauges
from streams.runtime.agents import by_partition, in_parallel
from streams.runtime.app import App
from streams.runtime.assignment import next_readable_offset, start_offset
from streams.runtime.changelog_repair import ChangelogRepair
from streams.runtime.counters import Verdict, verdict
from streams.runtime.failures import dead_letter, decode_batch
from streams.runtime.headers import forwarded_headers, origin_header
from streams.runtime.kafka_types import Headers, Message, Record
from streams.runtime.produce import append, send_to_dead_letters
from streams.runtime.record_context import timestamp_ms, trace_headers
from streams.runtime.table import OffsetTable
from tables.errors import MalformedCommand
from tables.ids import TicketCodes
from tables.ledger.deadlines import index_change
from tables.ledger.ledger import Ledger
from tables.ledger.records import (
    WATERMARK_KEY,
    Watermark,
    decode_watermark,
    digest_of,
    encode_watermark,
    record_offset,
    same_record,
)
from tables.messages.commands import Command, LimitHolds, decode_command, encode_command
from tables.messages.request_origins import ORIGIN

CONSUMER = "ledger"
TABLE = "ledger"
BATCH_MAX_RECORDS = 2_000

_OFFSET: Final = itemgetter(0)

# A record of the log and what it says.
Readable = tuple[Message, Command]

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Decided:
    """What the commands of a batch led to, beside what the ledger changed.

    ``told`` has the outcomes with the offsets of their commands, ``misrouted`` commands by their right partition.
    """

    dead_letters: list[Record]
    told: list[tuple[int, Record]] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    following: list[Record] = field(default_factory=list)
    misrouted: dict[int, list[Record]] = field(default_factory=dict)

    def outcomes(self) -> list[Record]:
        """The outcomes in the order of their commands."""
        return [outcome for _, outcome in sorted(self.told, key=_OFFSET)]


class LedgerAgent:
    """Decides the commands of the partitions that this worker owns."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.partitions = app.settings.partitions
        self.table = OffsetTable.add(app, TABLE, self.partitions, record_offset, index_change, same_record)
        self.hold_expiry = HoldExpiry(app, self.table)
        self.changelog_repair = ChangelogRepair(app, self.table, COMMANDS)
        app.guarded[COMMANDS] = self.watermark
        self.stock_gauges = StockGauges(app, self.table)
        self._codes = TicketCodes.of_secret(app.settings.ticket_key.get_secret_value())
        self._ledgers: dict[int, Ledger] = {}
        app.on_partitions_assigned.connect(self._forget)
        app.add_agent(COMMANDS, self._handle, name=CONSUMER, batch_max_records=BATCH_MAX_RECORDS)

    async def _handle(self, messages: list[Message]) -> None:
        batches = by_partition(messages)
        await in_parallel(self._handle_partition(partition, batch) for partition, batch in batches.items())

    async def _handle_partition(self, partition: int, messages: list[Message]) -> None:
        ledger = self._ledger(partition)
        decided = self._decide(partition, ledger, messages)
        entries = await self._write(partition, ledger, decided.outcomes(), _watermark_of(messages[-1]))
        self.app.counters.decisions.update(decided.verdicts)
        self.hold_expiry.decided(partition, messages[-1].offset, entries)
        await append(self.app, COMMANDS, partition, decided.following)
        await send_to_dead_letters(self.app, CONSUMER, decided.dead_letters)
        for home, records in decided.misrouted.items():
            count = len(records)
            log.warning("%d commands of %s[%d] belong to partition %d, forwarded", count, COMMANDS, partition, home)
            await append(self.app, COMMANDS, home, records)

    def _decide(self, partition: int, ledger: Ledger, messages: list[Message]) -> Decided:
        readable, dead_letters = decode_batch(messages, decode_command)
        ledger.read_ahead([command for _, command in readable])
        decided = Decided(dead_letters)
        for commands in by_event(readable):
            message, first = commands[0]
            if isinstance(first, LimitHolds):  # applies to the partition that it lies in
                ledger.apply(message.offset, timestamp_ms(message), first)
            else:
                key, home = key_and_home(first.event.int, self.partitions)
                self._decide_event(ledger, key, None if home == partition else home, commands, decided)
        return decided

    def _decide_event(
        self, ledger: Ledger, key: bytes, right: int | None, commands: Iterable[Readable], decided: Decided
    ) -> None:
        """Decide the commands of one event, or forward them to the partition that is the ``right`` one."""
        told, verdicts, following = decided.told, decided.verdicts, decided.following
        for message, command in commands:
            try:
                ledger.check(message.offset, command)
            except MalformedCommand as error:
                decided.dead_letters.append(dead_letter(message, error))
                continue
            if right is not None:
                forwarded = Record(key, message.value, forwarded_headers(message))
                decided.misrouted.setdefault(right, []).append(forwarded)
                continue
            headers = _outcome_headers(message) if message.headers else ()
            answer = ledger.apply_encoded(message.offset, timestamp_ms(message), command)
            for outcome in answer.outcomes:
                verdicts.append(verdict(outcome))
                told.append((message.offset, Record(key, outcome.value, headers)))
            for further in answer.commands:
                following.append(Record(key, encode_command(further), headers))

    async def _write(self, partition: int, ledger: Ledger, outcomes: list[Record], watermark: Watermark) -> list[bytes]:
        """Store and publish what a batch changed, then its outcomes. Gives the entries added to the index of holds."""
        self.stock_gauges.changed(partition, ledger.changed_events)
        purchases, events = ledger.take_purchases(), ledger.take_events()
        known = self.watermark(partition)
        if known is None or known.offset <= watermark.offset:  # a replay is behind it
            events[WATERMARK_KEY] = encode_watermark(watermark)
        entries: list[bytes] = []
        if purchases or events:
            entries = self.table.store(partition, purchases | events)
            await self.table.publish(partition, purchases, events)
        await append(self.app, OUTCOMES, partition, outcomes)
        return entries

    def next_offset(self, partition: int) -> int | None:
        """The next command of a partition to decide; None where it is not read."""
        start = start_offset(self.app, COMMANDS, partition)
        if start is None:
            return None
        last = self.watermark(partition)
        decided = start if last is None else max(start, last.offset + 1)
        return next_readable_offset(self.app, COMMANDS, partition, decided)

    def watermark(self, partition: int) -> Watermark | None:
        """The last command of a partition that any worker has decided."""
        value = self.table.read(partition, WATERMARK_KEY)
        return None if value is None else decode_watermark(value)

    def _ledger(self, partition: int) -> Ledger:
        ledger = self._ledgers.get(partition)
        if ledger is None:
            ledger = self._ledgers[partition] = Ledger(
                lambda keys: self.table.read_all(partition, keys),
                lambda prefix, after: self.table.scan(partition, prefix, after + b"\0"),
                self._codes,
            )
        return ledger

    async def _forget(self, *_: object, **__: object) -> None:
        self._ledgers.clear()


def by_event(readable: Iterable[Readable]) -> Iterator[list[Readable]]:
    """The commands of each event, in their order.

    A limit on holds, which has no event, keeps its place in the log among all of them.
    """
    events: dict[int, list[Readable]] = {}
    for each in readable:
        command = each[1]
        if isinstance(command, LimitHolds):
            yield from events.values()
            events = {}
            yield [each]
        else:
            events.setdefault(command.event.int, []).append(each)
    yield from events.values()


def _outcome_headers(message: Message) -> Headers:
    """The trace of a command, and the request that it came from, whose answer its outcome becomes."""
    origin = origin_header(message)
    return trace_headers(message) if origin is None else (*trace_headers(message), (ORIGIN, origin))


def _watermark_of(message: Message) -> Watermark:
    return Watermark(message.offset, digest_of(message.key, message.value, timestamp_ms(message)))
