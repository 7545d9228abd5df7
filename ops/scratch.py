"""A scratch table: the ledger's records of one partition in a folder that no worker uses."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import rocksdict

from connect.client_options import ClientOptions
from streams.runtime.changelog import changes
from tables.ledger.records import record_offset


class Scratch:
    """Records by key, in the order of the keys."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._database: Any = rocksdict.Rdict(str(folder), rocksdict.Options(raw_mode=True))

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
        self._database.write(batch)

    def take_over(self, rows: list[tuple[bytes, bytes]]) -> None:
        """Write changelog records; an older one never replaces a newer one."""
        newest = dict(zip([key for key, _ in rows], self.load([key for key, _ in rows]), strict=True))
        for key, value in rows:
            has = newest[key]
            if has is None or record_offset(value) >= record_offset(has):
                newest[key] = value
        self.write((key, value) for key, value in newest.items() if value is not None)


async def read_changelog(kafka: ClientOptions, topic: str, partition: int, into: Scratch) -> None:
    """Read a changelog's partition up to its present end."""
    async for _, rows, _ in changes(kafka, topic, {partition: 0}):
        into.take_over(rows)
