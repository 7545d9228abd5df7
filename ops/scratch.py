"""Scratch tables: the ledger's records in a folder that no worker uses."""

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import rocksdict

from connect.client_options import ClientOptions, client_options
from connect.partitioning import home_of
from connect.topics import changelog
from settings import Settings
from streams.runtime.changelog import changes
from tables.errors import TurnstileError
from tables.ledger.inventory import definition_of
from tables.ledger.records import decode_event, event_key, record_offset
from tables.messages.commands import DefineEvent


class ScratchFailed(TurnstileError):
    """RocksDB can't use a folder: another process has it open, the disk is full. The message says which and why."""


class Scratch:
    """Records by key, in the order of the keys. What opens or writes raises ScratchFailed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        with self._named():
            self._database: Any = rocksdict.Rdict(str(folder), rocksdict.Options(raw_mode=True))

    @contextmanager
    def _named(self) -> Iterator[None]:
        """What RocksDB raises is an Exception without a class of its own."""
        try:
            yield
        except Exception as error:
            raise ScratchFailed(f"{self._folder} can't be used: {error}") from error

    def flush(self) -> None:
        """Write what is in memory to files with checksums."""
        with self._named():
            self._database.flush()

    def close(self) -> None:
        """Close the files, and keep them."""
        self._database.close()

    def load(self, keys: list[bytes]) -> list[bytes | None]:
        """The records under ``keys``, in their order; None where there is none."""
        found: list[bytes | None] = self._database.get(keys)
        return found

    def scan(self, prefix: bytes = b"", after: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """The records whose keys begin with ``prefix`` and come after ``after``."""
        for key, value in self._database.items(from_key=max(prefix, after + b"\0" if after else b"")):
            if not key.startswith(prefix):
                return
            yield key, value

    def write(self, records: Iterable[tuple[bytes, bytes]]) -> None:
        """Write records atomically."""
        batch = rocksdict.WriteBatch(raw_mode=True)
        for key, value in records:
            batch.put(key, value)
        with self._named():
            self._database.write(batch)

    def take_over(self, rows: list[tuple[bytes, bytes]]) -> None:
        """Write changelog records; an older one never replaces a newer one."""
        newest = dict(zip([key for key, _ in rows], self.load([key for key, _ in rows]), strict=True))
        for key, value in rows:
            has = newest[key]
            if has is None or record_offset(value) >= record_offset(has):
                newest[key] = value
        self.write((key, value) for key, value in newest.items() if value is not None)


async def read_changelog(kafka: ClientOptions, partition: int, into: Scratch, begin: int = 0) -> int:
    """Read a partition of the ledger's changelog from ``begin`` up to its present end; the next offset."""
    async for _, rows, next_offset in changes(kafka, changelog("ledger"), {partition: begin}):
        into.take_over(rows)
        begin = next_offset
    return begin


class LedgerCopy:
    """The ledger's changelog in scratch tables, one a partition, up to where it was read last."""

    def __init__(self, now: Settings, folder: Path) -> None:
        self._kafka = client_options(now)
        self._tables = [Scratch(folder / str(partition)) for partition in range(now.partitions)]
        self._next = [0] * now.partitions

    def catch_up(self) -> None:
        """Read what has been appended since."""
        for partition, table in enumerate(self._tables):
            read = read_changelog(self._kafka, partition, table, self._next[partition])
            self._next[partition] = asyncio.run(read)

    def scans(self) -> Iterator[Iterator[tuple[bytes, bytes]]]:
        """The records of each partition, in the order of their keys."""
        return (table.scan() for table in self._tables)

    def definitions(self, events: Iterable[UUID]) -> dict[UUID, DefineEvent]:
        """The definitions by which the ledger sells those of these events that it knows."""
        found = ((event, self._load(event)) for event in events)
        return {event: definition_of(event, decode_event(value)) for event, value in found if value is not None}

    def close(self) -> None:
        for table in self._tables:
            table.close()

    def _load(self, event: UUID) -> bytes | None:
        [value] = self._tables[home_of(event, len(self._tables))].load([event_key(event)])
        return value
