"""The ledger rebuilt from the command log alone, in a scratch table, and compared with the workers' changelog.

Read-only. Commands that the ledger has not acknowledged yet are left out, and so are records that changed after that.
"""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from connect.client_options import client_options
from ops.command_log import acknowledged, carry_out, read_log
from ops.scratch import Scratch, read_changelog
from settings import Settings
from tables.ids import TicketCodes
from tables.ledger.records import WATERMARK_KEY, record_offset, same_record


@dataclass(frozen=True, slots=True)
class Comparison:
    """One partition: how many commands were decided, how many records are equal, and how the others differ."""

    partition: int
    commands: int
    same: int
    different: tuple[str, ...]


def replay(now: Settings, folder: Path) -> Iterator[Comparison]:
    """Rebuild and compare partition by partition, in sub-folders of ``folder``. Raises LogCut."""
    ends = acknowledged(now)
    for partition in range(now.partitions):
        place = folder / f"partition-{partition}"
        with closing(Scratch(place / "log")) as rebuilt, closing(Scratch(place / "changelog")) as written:
            end = ends.get(partition, 0)
            asyncio.run(read_changelog(client_options(now), partition, written))
            codes = TicketCodes.of_secret(now.ticket_key.get_secret_value())
            count, _ = carry_out(read_log(now, partition, 0, end), now.partitions, codes, rebuilt, written)
            same, different = compare(rebuilt, written, end)
            yield Comparison(partition, count, same, tuple(different))


def compare(rebuilt: Scratch, written: Scratch, end: int) -> tuple[int, list[str]]:
    """How many records are equal, and how the others differ. Those changed at offset ``end`` or later don't count."""
    same, different = 0, []
    for key, value in rebuilt.scan():
        [has] = written.load([key])
        if has is not None and same_record(key, has, value):
            same += 1
        elif has is None:
            different.append(f"{key.hex()} is not in the changelog")
        elif record_offset(has) < end:
            different.append(
                f"{key.hex()} is of offset {record_offset(has)}, the log makes it of offset {record_offset(value)}"
                if record_offset(has) != record_offset(value)
                else f"{key.hex()} differs at offset {record_offset(has)}"
            )
    for key, value in written.scan():
        if key != WATERMARK_KEY and rebuilt.load([key]) == [None] and record_offset(value) < end:
            different.append(f"{key.hex()} does not follow from the log")
    return same, different
