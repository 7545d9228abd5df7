"""The log ``ticket-commands``, read from its beginning up to what the ledger has acknowledged."""

from collections.abc import Generator
from typing import Any, Final, NamedTuple

from kafka import TopicPartition

from connect.client_options import client_options
from connect.observe.lag import make_client
from connect.partitioning import home_of
from connect.records.consumer import make_consumer
from connect.topics import COMMANDS, group
from settings import Settings
from tables.errors import MalformedRecord, TurnstileError
from tables.messages.commands import Command, LimitHolds, decode_command

BATCH_MAX_RECORDS: Final = 2_000
POLL_MS: Final = 500


class LogCut(TurnstileError):
    """The log no longer reaches back to its beginning, so the ledger can't be rebuilt from it."""


class LogCommand(NamedTuple):
    """A command with its offset and the time (ms) at which it was appended."""

    offset: int
    at: int
    command: Command


def acknowledged(now: Settings) -> dict[int, int]:
    """By partition the ledger's committed offset."""
    admin = make_client(client_options(now))
    try:
        found = admin.list_group_offsets([group("ledger")])[group("ledger")]
    finally:
        admin.close()
    return {place.partition: max(0, entry.offset) for place, entry in found.items() if place.topic == COMMANDS}


def read_log(now: Settings, partition: int, end: int) -> Generator[list[Any], None, None]:
    """The records of a partition below ``end``, in batches. Raises LogCut."""
    consumer = make_consumer(client_options(now))
    try:
        place = TopicPartition(COMMANDS, partition)
        [begin] = consumer.beginning_offsets([place]).values()
        if begin > 0:
            raise LogCut(
                f"{COMMANDS}[{partition}] begins at offset {begin}: what came before is no longer kept. "
                "`turnstile verify` audits the changelog, which is"
            )
        consumer.assign([place])
        consumer.seek(place, begin)
        while consumer.position(place) < end:
            for batch in consumer.poll(timeout_ms=POLL_MS, max_records=BATCH_MAX_RECORDS).values():
                yield [record for record in batch if record.offset < end]
    finally:
        consumer.close()


def read_commands(now: Settings, partition: int, end: int) -> Generator[LogCommand, None, None]:
    """The commands that are decided in a partition, below ``end``; unreadable records are left out. Raises LogCut."""
    for batch in read_log(now, partition, end):
        for record in batch:
            try:
                command = decode_command(record.value)
            except MalformedRecord:
                continue
            if is_at_home(command, partition, now.partitions):
                yield LogCommand(record.offset, record.timestamp, command)


def is_at_home(command: Command, partition: int, partitions: int) -> bool:
    """Whether a command is on the partition that decides it."""
    return isinstance(command, LimitHolds) or home_of(command.event, partitions) == partition
