"""The ledger's table and outcomes: rebuilt from the log alone, and as a worker left them in its folder."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import rocksdict

from lab.chaos.log_audit import LogAudit, Row
from tables.ids import TicketCodes
from tables.ledger.deadlines import HOLDS_PREFIX, index_change
from tables.ledger.ledger import Ledger
from tables.ledger.records import WATERMARK_KEY, Watermark, digest_of, encode_watermark
from tables.messages.commands import decode_command
from tables.messages.outcomes import encode_outcome
from tests.chaos.world import KEY, World

Table = dict[bytes, bytes]


@dataclass
class Rebuilt:
    """One partition: records by key, and the outcomes in their order."""

    table: Table = field(default_factory=dict)
    outcomes: list[bytes] = field(default_factory=list)

    def replay(self, log: list[Row]) -> "Rebuilt":
        """Carry out a partition's log."""
        ledger = Ledger(self._load, self._scan, TicketCodes(KEY.encode()))
        for row in log:
            answer = ledger.apply(row.offset, row.at, decode_command(row.value))
            self.outcomes += [encode_outcome(outcome) for outcome in answer.outcomes]
            self.table |= ledger.take_purchases() | ledger.take_events()
            self.table[WATERMARK_KEY] = encode_watermark(Watermark(row.offset, digest_of(row.key, row.value, row.at)))
        return self

    def _load(self, keys: list[bytes]) -> list[bytes | None]:
        return [self.table.get(key) for key in keys]

    def _scan(self, prefix: bytes, after: bytes) -> list[tuple[bytes, bytes]]:
        return sorted(item for item in self.table.items() if item[0].startswith(prefix) and item[0] > after)


def holds(table: Table) -> set[bytes]:
    """The index that belongs to a table."""
    entries = (index_change(key, value)[1] for key, value in table.items())
    return {entry for entry in entries if entry is not None}


def folder(world: World, partition: int, worker: int = 0) -> tuple[Table, set[bytes]]:
    """The table and its index in the folder of a worker that has ended."""
    [path] = world.folder(worker).rglob(f"ledger-{partition}.db")
    return _read(path)


def _read(path: Path) -> tuple[Table, set[bytes]]:
    database = rocksdict.Rdict(str(path), rocksdict.Options(raw_mode=True))
    try:
        items: Any = database.items()
        rows: Table = dict(items)
    finally:
        database.close()
    entries = {key for key in rows if key.startswith(HOLDS_PREFIX)}
    return {key: value for key, value in rows.items() if key not in entries and not key.startswith(b"__faust")}, entries


def assert_same_tables(world: World, history: LogAudit, partition: int) -> Rebuilt:
    """The folder of the world's first worker, the changelog and a replay of the log hold the same bytes; the replay."""
    replay = Rebuilt().replay([row for row in history.commands if row.partition == partition])
    changelog = {key: value for (number, key), value in history.table.items() if number == partition}
    table, index = folder(world, partition)
    assert table == changelog == replay.table
    assert index == holds(replay.table)
    return replay
