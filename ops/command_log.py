"""The log ``ticket-commands``, read up to what the ledger has acknowledged."""

from collections.abc import Generator, Iterable
from contextlib import closing
from typing import Any, Final, NamedTuple

from kafka import TopicPartition

from connect.client_options import client_options
from connect.observe.lag import make_client
from connect.partitioning import home_of
from connect.records.consumer import make_consumer, read_to
from connect.topics import COMMANDS, group
from settings import Settings
from tables.errors import MalformedRecord, TurnstileError
from tables.ids import TicketCodes
from tables.ledger.event_replay import LogCommand, ReplayTable
from tables.ledger.ledger import Ledger
from tables.messages.commands import Command, LimitHolds, decode_command

BATCH_MAX_RECORDS: Final = 2_000


class LogCut(TurnstileError):
    """The log no longer reaches back so far, so the ledger can't be rebuilt from it."""


def acknowledged(now: Settings) -> dict[int, int]:
    """By partition the ledger's committed offset."""
    with closing(make_client(client_options(now))) as admin:
        found = admin.list_group_offsets([group("ledger")])[group("ledger")]
    return {place.partition: max(0, entry.offset) for place, entry in found.items() if place.topic == COMMANDS}


def log_begin(now: Settings, partition: int) -> int:
    """The offset at which a partition of the log begins."""
    with closing(make_consumer(client_options(now))) as consumer:
        return _begin(consumer, TopicPartition(COMMANDS, partition))


def read_log(now: Settings, partition: int, begin: int, end: int) -> Generator[list[Any], None, None]:
    """The records of a partition from ``begin`` on and below ``end``, in batches. Raises LogCut, KafkaError."""
    if begin >= end:
        return
    with closing(make_consumer(client_options(now))) as consumer:
        place = TopicPartition(COMMANDS, partition)
        if (kept := _begin(consumer, place)) > begin:
            raise LogCut(
                f"{COMMANDS}[{partition}] begins at offset {kept}: what came before is no longer kept, and no snapshot "
                "goes on from there. `turnstile verify` audits the changelog, which is kept"
            )
        consumer.assign([place])
        consumer.seek(place, begin)
        for batch in read_to(consumer, {place: end}, BATCH_MAX_RECORDS):
            yield [record for record in batch if record.offset < end]


def read_commands(now: Settings, partition: int, begin: int, end: int) -> Generator[LogCommand, None, None]:
    """The commands that are decided in a partition, from ``begin`` on and below ``end``. Raises LogCut.

    Unreadable records are left out.
    """
    for batch in read_log(now, partition, begin, end):
        for record in batch:
            try:
                command = decode_command(record.value)
            except MalformedRecord:
                continue
            if is_at_home(command, partition, now.partitions):
                yield LogCommand(record.offset, record.timestamp, command)


def _begin(consumer: Any, place: TopicPartition) -> int:
    [begin] = consumer.beginning_offsets([place]).values()
    return int(begin)


class CarriedOut(NamedTuple):
    """How many commands were carried out, and the time (ms) of the last record of the log; 0 if there was none."""

    commands: int
    at: int


def carry_out(
    log: Iterable[list[Any]], partitions: int, codes: TicketCodes, into: ReplayTable, written: ReplayTable
) -> CarriedOut:
    """Decide the commands of a partition, as a worker would; there are ``partitions`` in all.

    The workers' records (``written``) show which commands were decided that are dead letters today.
    """
    ledger, workers = Ledger(into.load, into.scan, codes), Ledger(written.load, written.scan, codes)
    count = at = 0
    for batch in log:
        for record in batch:
            at = record.timestamp
            try:
                command = decode_command(record.value)
                workers.check(record.offset, command)
            except MalformedRecord:
                continue
            if is_at_home(command, record.partition, partitions):
                ledger.apply(record.offset, record.timestamp, command)
                count += 1
        into.write((ledger.take_purchases() | ledger.take_events()).items())
    return CarriedOut(count, at)


def is_at_home(command: Command, partition: int, partitions: int) -> bool:
    """Whether a command is on the partition that decides it."""
    return isinstance(command, LimitHolds) or home_of(command.event, partitions) == partition
