"""Restores the ledger from its snapshots where Kafka is new or has lost everything (`turnstile ledger restore`).

A snapshot's records become the changelog, and ``ticket-commands`` is filled up to its offset, so that no offset is used
twice. Every decision is published again as its outcome, for the sales projection; the role ``notifications`` begins
after these, so that nobody gets a mail twice. It may be repeated: it then writes the same records again.
"""

import asyncio
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from itertools import groupby
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import psycopg
from aiokafka import TopicPartition
from kafka.admin import OffsetSpec
from kafka.errors import NoError

from connect.client_options import client_options
from connect.observe.lag import make_client
from connect.partitioning import home_of
from connect.topics import COMMANDS, OUTCOMES, changelog, group
from ops.scratch import Scratch, read_changelog
from ops.skipping import append_all, skip
from settings import Settings
from streams.inventory.snapshots import Snapshot, newest_snapshots
from tables.errors import TurnstileError
from tables.ids import TicketCodes, id_bytes
from tables.ledger.inventory import Inventory
from tables.ledger.outcome_builder import DecisionContext, OutcomeBuilder
from tables.ledger.records import EVENT_MARK, NO_EVENT, PURCHASE_MARK, decode_event, decode_purchase
from tables.messages.outcomes import Outcome, encode_outcome

Row = tuple[bytes, bytes]
LAST_DECISIONS: Final = "SELECT event_id, max(ledger_offset) FROM purchase GROUP BY event_id"
REASON: Final = "restored from a snapshot"


class LedgerNotEmpty(TurnstileError):
    """The ledger can't be restored over what there is; the message says why."""


class WrongPartitions(TurnstileError):
    """The snapshots are of a ledger with another number of partitions, which finds an event in another of them."""


class DatabaseAhead(TurnstileError):
    """PostgreSQL has purchases that the snapshots lack, whose tickets would be sold again."""


def restore_ledger(now: Settings, folder: Path) -> Iterator[Snapshot]:
    """Restore each partition from its newest snapshot in the folder, and give that snapshot.

    Raises, before anything is written, SnapshotDamaged, WrongPartitions, LedgerNotEmpty where a changelog has other
    records, and DatabaseAhead where PostgreSQL has later purchases; SkipRefused where `ticket-commands` has commands or
    a worker runs; KafkaError, psycopg.Error.
    """
    newest = check_snapshots(now, folder)
    check_database(purchases_to(now), newest)
    for snapshot in newest:
        _check_empty(now, snapshot)
    codes = TicketCodes.of_secret(now.ticket_key.get_secret_value())
    for snapshot in newest:
        place = TopicPartition(COMMANDS, snapshot.partition)
        asyncio.run(append_all(now, TopicPartition(changelog("ledger"), snapshot.partition), snapshot.all_rows()))
        skip(now, place, 0, snapshot.offset, REASON)
        outcomes = (_row(outcome) for outcome in outcomes_of(snapshot.all_rows(), codes, snapshot.at))
        asyncio.run(append_all(now, TopicPartition(OUTCOMES, snapshot.partition), outcomes))
        yield snapshot
    _begin_mails_after(now)


def check_snapshots(now: Settings, folder: Path) -> list[Snapshot]:
    """The newest snapshot of each partition in the folder, every record of which was read.

    Raises SnapshotDamaged, and WrongPartitions where an event would be looked for in another partition.
    """
    newest = newest_snapshots(folder)
    for snapshot in newest:
        events = (UUID(bytes=key[:16]) for key, _ in snapshot.all_rows() if not key.startswith(NO_EVENT))
        homes = {home_of(event, now.partitions) for event, _ in groupby(events)}
        if snapshot.partition >= now.partitions or homes - {snapshot.partition}:
            raise WrongPartitions(
                f"{snapshot.path.name} is not of a ledger with {now.partitions} partitions (TURNSTILE_PARTITIONS)"
            )
    return newest


def outcomes_of(rows: Iterable[Row], codes: TicketCodes, at: int) -> Iterator[Outcome]:
    """The outcomes of all decisions of these records, which come in the order of their keys; ``at`` (ms) is theirs."""
    builder = OutcomeBuilder(codes)
    inventory: Inventory | None = None
    for key, value in rows:
        event, mark = UUID(bytes=key[:16]), key[16:17]
        if mark == EVENT_MARK:
            inventory = Inventory.from_record(event, decode_event(value))
            yield builder.changed(inventory, inventory.offset, at)
        elif mark == PURCHASE_MARK:
            record = decode_purchase(value)
            for decision in record.history:
                context = DecisionContext(event, UUID(bytes=key[17:]), record, decision, record.fingerprint, True)
                yield builder.build(context, inventory if inventory and inventory.id == event else None)


def purchases_to(now: Settings) -> dict[int, int]:
    """By partition the offset of the last decision that PostgreSQL has. Raises psycopg.Error."""
    found: dict[int, int] = {}
    with psycopg.connect(now.database_url.get_secret_value()) as connection:
        for event, offset in connection.execute(LAST_DECISIONS):
            partition = home_of(event, now.partitions)
            found[partition] = max(offset, found.get(partition, -1))
    return found


def check_database(known_to: Mapping[int, int], snapshots: Iterable[Snapshot]) -> None:
    """Raise DatabaseAhead where the database has later decisions, by partition, than the snapshots."""
    ends = {snapshot.partition: snapshot.offset for snapshot in snapshots}
    for partition, offset in known_to.items():
        if offset > ends.get(partition, -1):
            has = f"ends at offset {ends[partition]}" if partition in ends else "is missing"
            raise DatabaseAhead(
                f"PostgreSQL has purchases of partition {partition} up to offset {offset}, its snapshot {has}: "
                "restore an older dump of the database, or a newer snapshot"
            )


def _row(outcome: Outcome) -> Row:
    return id_bytes(outcome.event), encode_outcome(outcome)


def _check_empty(now: Settings, snapshot: Snapshot) -> None:
    with tempfile.TemporaryDirectory(prefix="turnstile-restore-") as scratch, closing(Scratch(Path(scratch))) as there:
        asyncio.run(read_changelog(client_options(now), snapshot.partition, there))
        own = dict(snapshot.all_rows()) if next(there.scan(), None) else {}
        if any(own.get(key) != value for key, value in there.scan()):
            raise LedgerNotEmpty(
                f"{changelog('ledger')}[{snapshot.partition}] has records that are not of {snapshot.path.name}"
            )


def _begin_mails_after(now: Settings) -> None:
    with closing(make_client(client_options(now))) as admin:
        places = [TopicPartition(OUTCOMES, number) for number in range(now.partitions)]
        answers: dict[Any, Any] = admin.reset_group_offsets(
            group("notifications"), dict.fromkeys(places, OffsetSpec.LATEST)
        )
    if any(answer["error"] is not NoError for answer in answers.values()):
        raise LedgerNotEmpty("stop the workers of the role notifications first, and run this again")
