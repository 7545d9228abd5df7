"""The table ``gate``: what was decided about requests, and which outcomes were answered.

A check depends on the accounts and on earlier requests. It is recorded before it has any effect, so that a replay
after a crash repeats it.
"""

from collections.abc import Iterable
from typing import Final

from streams.runtime.app import App
from streams.runtime.changelog_repair import ChangelogRepair
from streams.runtime.table import OffsetTable
from tables.gate.records import (
    QuotaRecord,
    RequestRecord,
    answered_key,
    checked_key,
    decode_quota,
    decode_request_record,
    encode_record,
    quota_key,
)
from tables.ledger.records import record_offset
from tables.messages.request_origins import RequestOrigin

TABLE: Final = "gate"


class Journal:
    """Reads and writes the table, by the partition of a request, or of an outcome."""

    def __init__(self, app: App) -> None:
        self.table = OffsetTable.add(app, TABLE, app.settings.partitions, record_offset)
        self.changelog_repair = ChangelogRepair(app, self.table)

    def checks(self, partition: int, origins: list[RequestOrigin]) -> list[bytes | None]:
        """Of each request the answer that was recorded, empty if it was let through, None if it was not checked."""
        values = self.table.read_all(partition, [checked_key(origin) for origin in origins])
        return list(map(_answer, values, origins))

    def quota(self, partition: int, topic: str) -> QuotaRecord:
        """How far the quota of a producer's topic is used up."""
        value = self.table.read(partition, quota_key(topic))
        return QuotaRecord(-1, 0) if value is None else decode_quota(value)

    async def record_checks(
        self, partition: int, topic: str, quota: QuotaRecord, answers: Iterable[tuple[RequestOrigin, bytes]]
    ) -> None:
        """Record the answers of checked requests, empty where they are let through. Raises as ``publish`` does."""
        records = {checked_key(each): _record(each, answer) for each, answer in answers}
        await self._write(partition, records | {quota_key(topic): encode_record(quota)})

    def answered(self, partition: int, origins: list[RequestOrigin]) -> list[bool]:
        """Of each request, whether its outcome on this partition was answered."""
        values = self.table.read_all(partition, [answered_key(origin) for origin in origins])
        return [answer is not None for answer in map(_answer, values, origins)]

    async def record_answered(self, partition: int, origins: Iterable[RequestOrigin]) -> None:
        """Record that outcomes were answered. Raises as ``publish`` does."""
        await self._write(partition, {answered_key(each): _record(each) for each in origins})

    async def _write(self, partition: int, records: dict[bytes, bytes]) -> None:
        if records:
            self.table.store(partition, records)
            await self.table.publish(partition, records)


def _record(origin: RequestOrigin, answer: bytes = b"") -> bytes:
    return encode_record(RequestRecord(origin.offset, origin.at_ms, answer))


def _answer(value: bytes | None, origin: RequestOrigin) -> bytes | None:
    if value is None:
        return None
    record = decode_request_record(value)
    return record.answer if record.is_of(origin) else None
