"""The table ``gate``: what was decided about requests, and which outcomes were answered.

A check depends on the accounts and on earlier requests. It is recorded before it has any effect, so that a replay
after a crash repeats it.
"""

from collections.abc import Iterable
from typing import Final

from streams.runtime.app import App
from streams.runtime.changelog_repair import ChangelogRepair
from streams.runtime.table import OffsetTable
from tables.gate.answered import Answered
from tables.gate.records import (
    QuotaRecord,
    RequestRecord,
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

    def quota(self, partition: int, topic: str) -> QuotaRecord:
        """How far the requests of a producer's topic were checked, and its quota is used up."""
        value = self.table.read(partition, quota_key(topic))
        return QuotaRecord(-1, 0) if value is None else decode_quota(value)

    def checks(self, partition: int, quota: QuotaRecord, origins: Iterable[RequestOrigin]) -> dict[int, bytes]:
        """By offset the answers to the requests that were checked before, empty where they were let through."""
        again = [origin for origin in origins if origin.offset <= quota.offset]
        if not again:
            return {}
        answers = {origin.offset: b"" for origin in again if quota.covers(origin)}
        values = self.table.read_all(partition, [checked_key(origin) for origin in again])
        for origin, value in zip(again, values, strict=True):
            record = None if value is None else decode_request_record(value)
            if record is not None and record.is_of(origin):
                answers[origin.offset] = record.answer
        return answers

    async def record_checks(
        self, partition: int, topic: str, quota: QuotaRecord, refused: Iterable[tuple[RequestOrigin, bytes]]
    ) -> None:
        """Record the answers to refused requests, and that all up to ``quota`` were checked. Raises as ``publish``."""
        records = {
            checked_key(origin): encode_record(RequestRecord(origin.offset, origin.at_ms, answer))
            for origin, answer in refused
        }
        await self.table.save(partition, records | {quota_key(topic): encode_record(quota)})

    def answered(self, partition: int, origins: Iterable[RequestOrigin]) -> Answered:
        """Which requests were answered by outcomes on this partition."""
        return Answered(lambda keys: self.table.read_all(partition, keys), origins)

    async def record_answered(self, partition: int, answered: Answered, offset: int) -> None:
        """Record which requests were answered, up to the outcome at ``offset``. Raises as ``publish`` does."""
        await self.table.save(partition, answered.changed(offset))
