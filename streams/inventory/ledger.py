"""The agent that decides: commands in, records to the table, outcomes to ``ticket-purchase``.

Order of a batch, per partition: decide, store, purchase records acknowledged, event records
acknowledged, outcomes acknowledged, commands that follow acknowledged; then the input. Partitions wait
side by side.
"""

import asyncio
import logging
from collections.abc import Coroutine, Iterable
from typing import Any

from connect.topics import COMMANDS, OUTCOMES
from streams.inventory.hold_expiry import Holds
from streams.inventory.stock_gauges import Tallies
from streams.runtime.agents import add_agent
from streams.runtime.app import App
from streams.runtime.changelog_repair import Mending
from streams.runtime.counters import Verdict, verdict
from streams.runtime.dead_letters import bury, letter, sort_out
from streams.runtime.gap_check import InputWatch
from streams.runtime.headers import carried_headers
from streams.runtime.kafka_types import Message
from streams.runtime.partitioning import partition_of
from streams.runtime.produce import Record
from streams.runtime.retry import append
from streams.runtime.table import OffsetTable
from streams.runtime.tracing import headers_from
from tables.errors import MalformedCommand
from tables.ledger.deadlines import index_change
from tables.ledger.ledger import Ledger
from tables.ledger.records import record_offset, same_record
from tables.ledger.ticket_codes import TicketCodes
from tables.ledger.watermark import WATERMARK_KEY, Watermark, decode_watermark, digest_of, encode_watermark
from tables.messages.commands import LimitHolds, decode_command, encode_command
from tables.messages.outcomes import encode_outcome

CONSUMER = "ledger"
TABLE = "ledger"
MOST = 2_000

log = logging.getLogger(__name__)


class LedgerAgent:
    """Decides what arrives on the partitions that this worker owns."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.partitions = app.settings.partitions
        self.table = OffsetTable.add(app, TABLE, self.partitions, record_offset, index_change, same_record)
        self.holds = Holds(app, self.table)
        self.mending = Mending(app, self.table, COMMANDS)
        self.watch = InputWatch(app, COMMANDS)
        app.guarded[COMMANDS] = self.watermark
        self.tallies = Tallies(app, self.table)
        self._codes = TicketCodes(app.settings.ticket_key.get_secret_value().encode()[:64])
        self._ledgers: dict[int, Ledger] = {}
        app.on_partitions_assigned.connect(self._forget)
        add_agent(app, COMMANDS, self._handle, name=CONSUMER, batch_max_records=MOST)

    async def _handle(self, messages: list[Message]) -> None:
        by_partition: dict[int, list[Message]] = {}
        for message in messages:
            by_partition.setdefault(message.partition, []).append(message)
        await side_by_side(self._batch(partition, batch) for partition, batch in by_partition.items())

    async def _batch(self, partition: int, messages: list[Message]) -> None:
        ledger = self._ledger(partition)
        outcomes: list[Record] = []
        told: list[Verdict] = []
        following: list[Record] = []
        strays: dict[int, list[Record]] = {}
        for message in messages:
            self.watch.expect(message)
        readable, letters = sort_out(messages, decode_command)
        ledger.read_ahead(command for _, command in readable)
        for message, command in readable:
            try:
                ledger.check(message.offset, command)
            except MalformedCommand as error:
                letters.append(letter(message, error))
                continue
            if isinstance(command, LimitHolds):  # at home wherever it lies
                ledger.apply(message.offset, _milliseconds(message), command)
                continue
            key = str(command.event).encode()
            home = partition_of(key, self.partitions)
            if home != partition:
                strays.setdefault(home, []).append(Record(key, message.value, carried_headers(message)))
                continue
            headers = headers_from(message) if message.headers else ()
            answer = ledger.apply(message.offset, _milliseconds(message), command)
            told += map(verdict, answer.outcomes)
            outcomes += [Record(key, encode_outcome(outcome), headers) for outcome in answer.outcomes]
            following += [Record(key, encode_command(further), headers) for further in answer.commands]
        entries = await self._write(partition, ledger, outcomes, _watermark_of(messages[-1]))
        self.app.figures.decided(told)
        self.holds.carried_out(partition, messages[-1].offset, entries)
        await append(self.app, COMMANDS, partition, following)
        await bury(self.app, CONSUMER, letters)
        for home, records in strays.items():
            log.warning(
                "%d commands of %s[%d] belong to partition %d, forwarded", len(records), COMMANDS, partition, home
            )
            await append(self.app, COMMANDS, home, records)

    async def _write(self, partition: int, ledger: Ledger, outcomes: list[Record], watermark: Watermark) -> list[bytes]:
        """Store and publish what a batch changed, and tell it. The entries that came into the index of holds."""
        self.tallies.changed(partition, ledger.changed_events)
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

    def watermark(self, partition: int) -> Watermark | None:
        """The last command of a partition that was decided, by whichever worker."""
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


async def side_by_side(batches: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Wait for all; where one raises, none of the others goes on when that is known."""
    tasks = [asyncio.create_task(batch) for batch in batches]
    try:
        await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


def _watermark_of(message: Message) -> Watermark:
    return Watermark(message.offset, digest_of(message.key, message.value, _milliseconds(message)))


def _milliseconds(message: Message) -> int:
    return round(message.timestamp * 1000)
