"""Snapshots of the ledger's table: each has the records of one partition after the command at one offset.

A changelog's end is a state that a crash could have left, with some effects of the last commands only. The ledger's own
rules repair it: the commands since the last acknowledged one are decided once more (docs/ledger.md).
"""

import asyncio
import shutil
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from connect.client_options import client_options
from connect.folder_lock import locked
from ops.command_log import acknowledged, carry_out, log_begin, read_log
from ops.scratch import Scratch, read_changelog
from settings import Settings
from streams.inventory.snapshots import Snapshot, snapshots_of
from tables.ids import TicketCodes
from tables.ledger.records import record_offset


def make_snapshots(now: Settings, folder: Path, keep: int) -> Iterator[Snapshot]:
    """Make a snapshot of each partition that has records, and remove all but the ``keep`` newest of the partition.

    Raises KafkaError, LogCut where the log lacks commands that the ledger has not acknowledged, BlockingIOError while
    another process makes them there, and ScratchFailed.
    """
    with locked(folder):
        yield from _make_snapshots(now, folder, keep)


def _make_snapshots(now: Settings, folder: Path, keep: int) -> Iterator[Snapshot]:
    ends = acknowledged(now)
    for partition in range(now.partitions):
        draft = folder / f"unfinished-{partition}"
        shutil.rmtree(draft, ignore_errors=True)
        with closing(Scratch(draft)) as table:
            asyncio.run(read_changelog(client_options(now), partition, table))
            made = complete(now, folder, partition, ends.get(partition, 0), table)
            table.flush()
        if made is None or made.path.exists():
            shutil.rmtree(draft)
        else:
            draft.rename(made.path)
        for each in snapshots_of(folder, partition)[keep:]:
            shutil.rmtree(each.path)
        if made is not None:
            yield made


def complete(now: Settings, folder: Path, partition: int, acknowledged_to: int, table: Scratch) -> Snapshot | None:
    """Carry out what a changelog's records may lack of the commands up to the last one that changed any.

    None where there are no records.
    """
    last = max((record_offset(value) for _, value in table.scan()), default=-1)
    if last < 0:
        return None
    at = 0
    # A partition that nobody has used since the log was cut has nothing to carry out.
    if acknowledged_to <= last or log_begin(now, partition) <= last:
        log = read_log(now, partition, min(acknowledged_to, last), last + 1)
        codes = TicketCodes.of_secret(now.ticket_key.get_secret_value())
        at = carry_out(log, now.partitions, codes, table, table).at
    return Snapshot(folder, partition, last, at or round(time.time() * 1000))
