"""Mutants of the ledger's worker. Each imports what it changes: the event loop is chosen before Faust is imported."""

import asyncio
from typing import Any, Final

from lab.chaos.mutants.patching import patch

# Nearly all of a batch's time, so that a kill at any moment of the sale falls between its groups of records.
BETWEEN_GROUPS_S: Final = 1.0


def ledger_memory() -> None:
    """A purchase that is on record is decided again."""
    from tables.ledger.ledger import Ledger
    from tables.messages.commands import Buy, Hold

    decide = Ledger._decide

    def anew(ledger: Ledger, offset: int, at: int, command: Any, known: Any, *state: Any) -> Any:
        forgotten = None if isinstance(command, (Buy, Hold)) else known
        return decide(ledger, offset, at, command, forgotten, *state)

    patch(Ledger, "_decide", anew)


def hold_limits() -> None:
    """An account may hold any number of tickets."""
    import tables.ledger.decisions

    patch(tables.ledger.decisions, "hold_refusal", lambda *_: None)


def partition_check() -> None:
    """A command is decided on any partition."""
    from connect.partitioning import key_and_home
    from streams.inventory import ledger

    class Anywhere(int):
        __hash__ = int.__hash__

        def __eq__(self, other: object) -> bool:
            return True

        def __ne__(self, other: object) -> bool:
            return False

    patch(ledger, "key_and_home", lambda *event: (key_and_home(*event)[0], Anywhere()))


def offset_rule() -> None:
    """The table takes the last record of the changelog, whatever its offset."""
    from streams.runtime.table import OffsetTable

    def apply_changes(table: OffsetTable, partition: int, rows: list[tuple[bytes, bytes]]) -> None:
        table._put(partition, rows)

    patch(OffsetTable, "apply_changes", apply_changes)


def writing_over() -> None:
    """What another worker appends to the changelog stays the last record of its key."""
    from streams.runtime.table import OffsetTable

    async def repair(*_: object) -> None:
        return

    patch(OffsetTable, "_repair", repair)


def slow_writes() -> None:
    """No mechanism is missing: records are written group by group, with time between them for a crash."""
    from streams.runtime.table import OffsetTable

    publish = OffsetTable.publish

    async def slowly(table: OffsetTable, partition: int, *groups: dict[bytes, bytes]) -> None:
        for number, group in enumerate(filter(None, groups)):
            await asyncio.sleep(BETWEEN_GROUPS_S if number else 0)
            await publish(table, partition, group)

    patch(OffsetTable, "publish", slowly)


def record_order() -> None:
    """Event records are written before purchase records."""
    from streams.runtime.table import OffsetTable

    publish = OffsetTable.publish

    async def reversed_order(table: OffsetTable, partition: int, *groups: dict[bytes, bytes]) -> None:
        await publish(table, partition, *reversed(groups))

    patch(OffsetTable, "publish", reversed_order)


def input_watch() -> None:
    """A gap in the input is passed over."""
    from streams.runtime.consumer import BatchConsumer

    patch(BatchConsumer, "check_gaps", lambda *_: None)


def log_check() -> None:
    """A log that lacks records, or is another one, is read on."""
    from streams.runtime.continuity import Continuity

    async def check(*_: object) -> None:
        return

    patch(Continuity, "check", check)


def first_seek() -> None:
    """Where nothing was committed yet, what was polled is passed over."""
    from streams.runtime.consumer import BatchConsumer

    async def seek_wait(*_: object) -> None:
        return

    patch(BatchConsumer, "seek_wait", seek_wait)


def safe_recovery() -> None:
    """Tables are recovered as Faust does it."""
    from faust.tables.manager import TableManager

    import streams.runtime.recovery
    from streams.runtime.kafka_types import Message

    patch(streams.runtime.recovery, "SafeTableManager", TableManager)
    # Faust recovers from events, which have a message.
    Message.message = property(lambda message: message)  # type: ignore[attr-defined]
