"""The agent and the table that know whom to write to: account id to name, address and language.

A record's version is the change's place in PostgreSQL's log, so a change that comes again late undoes nothing. Of
an account that was deleted only this stays; what it was is taken out of the files on disk too.
"""

import asyncio
import logging

import msgspec
from msgspec import Struct

from connect.topics import ACCOUNT_ROWS
from streams.runtime.agents import add_agent
from streams.runtime.app import App
from streams.runtime.changelog_repair import Mending
from streams.runtime.dead_letters import bury, sort_out
from streams.runtime.kafka_types import Message
from streams.runtime.row_changes import AccountRow, decode_row
from streams.runtime.table import OffsetTable
from tables.ledger.records import record_offset

CONSUMER = "contacts"
MOST = 1_000
ERASE_EVERY_S = 10.0

log = logging.getLogger(__name__)


class Contact(Struct, frozen=True, array_like=True):
    """How to reach an account; ``email`` is empty once the account is gone."""

    lsn: int
    name: str
    email: str
    locale: str


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Contact).decode


class ContactsAgent:
    """Fills the table ``contacts`` from the row changes of ``account``."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.table = OffsetTable.add(app, "contacts", app.settings.partitions, record_offset)
        self.mending = Mending(app, self.table)
        self._to_erase: set[int] = set()
        app.task(self._erase)
        add_agent(app, ACCOUNT_ROWS, self._handle, name=CONSUMER, batch_max_records=MOST)

    def find(self, partition: int, account: bytes) -> Contact | None:
        """The contact of an account of that partition, or None where it isn't known (yet)."""
        value = self.table.read(partition, account)
        return None if value is None else _decode(value)

    async def _handle(self, messages: list[Message]) -> None:
        records: dict[int, dict[bytes, bytes]] = {}
        changes = [message for message in messages if message.value is not None]
        readable, letters = sort_out(changes, lambda value: decode_row(value, AccountRow))
        for message, row in readable:
            changed = records.setdefault(message.partition, {})
            key = str(row.id).encode()
            known = changed.get(key) or self.table.read(message.partition, key)
            if known is None or _decode(known).lsn <= row.lsn:
                changed[key] = _encode(_contact(row))
            if row.is_delete:
                self._to_erase.add(message.partition)
        for partition, changed in records.items():
            self.table.store(partition, changed)
            await self.table.publish(partition, changed)
        await bury(self.app, CONSUMER, letters)

    async def _erase(self) -> None:
        """Now and then, after deletions: RocksDB itself keeps what was overwritten for as long as it likes."""
        while not self.app.should_stop:
            await asyncio.sleep(ERASE_EVERY_S)
            for partition in [each for each in self._to_erase if self.table.has_open(each)]:
                self._to_erase.discard(partition)
                self.table.compact(partition)
                log.info("contacts of partition %d: what was deleted is erased", partition)


def _contact(row: AccountRow) -> Contact:
    if row.is_delete:
        return Contact(row.lsn, "", "", "")
    return Contact(row.lsn, f"{row.first_name} {row.last_name}".strip(), row.email, row.locale or "en")
