"""Snapshots of the ledger's table: folders of RocksDB, each with a partition's records after the command at one offset.

`turnstile ledger snapshot` makes them. They are read only, and each block that is read is compared with its checksum.
"""

import re
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, Final, NamedTuple
from uuid import UUID

import rocksdict

from tables.errors import TurnstileError
from tables.ledger.as_of import AsOf
from tables.ledger.hold_limits import HOLD_LIMITS_KEY
from tables.ledger.records import PURCHASE_MARK

NAME: Final = re.compile(r"ledger-(\d{1,3})-(\d{1,18})-(\d{1,15})")

Row = tuple[bytes, bytes]


class SnapshotDamaged(TurnstileError):
    """A snapshot can't be read."""


class Snapshot(NamedTuple):
    """A partition after the command at ``offset``, which was appended at ``at`` (ms)."""

    folder: Path
    partition: int
    offset: int
    at: int

    @property
    def path(self) -> Path:
        """The snapshot's own folder."""
        return self.folder / f"ledger-{self.partition}-{self.offset}-{self.at}"

    def continues(self, begin: int, as_of: AsOf) -> bool:
        """Whether snapshot and log tell the state at a moment, if the log begins at the offset ``begin``."""
        return as_of.includes(self.offset, self.at) and (self.offset + 1 >= begin or self.offset == as_of.offset)

    def rows(self, event: UUID) -> Iterator[Row]:
        """The event's records, and the limits on holds. Raises SnapshotDamaged."""
        yield from self._rows(HOLD_LIMITS_KEY)
        yield from self._rows(event.bytes)

    def all_rows(self) -> Iterator[Row]:
        """All records, in the order of their keys. Raises SnapshotDamaged."""
        yield from self._rows(b"")

    def event_of(self, purchase: UUID) -> UUID | None:
        """The event of a purchase; looks at every record. Raises SnapshotDamaged."""
        end = PURCHASE_MARK + purchase.bytes
        return next((UUID(bytes=key[:16]) for key, _ in self._rows(b"") if key[16:] == end), None)

    def _rows(self, prefix: bytes) -> Iterator[Row]:
        try:
            yield from _read(self.path, prefix)
        except Exception as error:
            raise SnapshotDamaged(f"the snapshot {self.path.name} can't be read: {error}") from error


def snapshots_of(folder: Path | None, partition: int) -> list[Snapshot]:
    """The snapshots of a partition, the newest first."""
    return [each for each in _snapshots(folder) if each.partition == partition]


def newest_snapshots(folder: Path) -> list[Snapshot]:
    """The newest snapshot of each partition that has one in the folder."""
    return [next(of_partition) for _, of_partition in groupby(_snapshots(folder), lambda each: each.partition)]


def _snapshots(folder: Path | None) -> list[Snapshot]:
    """All snapshots in a folder, by partition, the newest first."""
    names = [] if folder is None or not folder.is_dir() else [path.name for path in folder.iterdir()]
    matches = [match for name in names if (match := NAME.fullmatch(name))]
    snapshots = [Snapshot(Path(folder or ""), *map(int, match.groups())) for match in matches]
    return sorted(snapshots, key=lambda each: (each.partition, -each.offset))


def oldest(folder: Path | None, partition: int, begin: int, as_of: AsOf) -> Snapshot | None:
    """The oldest such snapshot as ``newest`` gives; None if the log has its beginning."""
    usable = [each for each in snapshots_of(folder, partition) if each.continues(begin, as_of)] if begin > 0 else []
    return usable[-1] if usable else None


def newest(folder: Path | None, partition: int, begin: int, as_of: AsOf) -> Snapshot | None:
    """The newest snapshot of a partition by which the state at a moment can be told, from a log that begins there."""
    return next((each for each in snapshots_of(folder, partition) if each.continues(begin, as_of)), None)


def _read(path: Path, prefix: bytes) -> Iterator[Row]:
    options = rocksdict.Options(raw_mode=True)
    database: Any = rocksdict.Rdict(str(path), options, access_type=rocksdict.AccessType.read_only())
    try:
        entries = database.iter()
        entries.seek(prefix) if prefix else entries.seek_to_first()
        while entries.valid() and entries.key().startswith(prefix):
            yield entries.key(), entries.value()
            entries.next()
        # At a block with a wrong checksum the iterator just ends; this raises.
        entries.status()
    finally:
        database.close()
