"""The table ``contacts`` and its agent: account id to name, e-mail address and language.

A contact has the version of its row, so that a late duplicate undoes nothing. Of a deleted account only the version
stays; its data are also removed from the files on disk.
"""

import asyncio
import logging

import msgspec
from msgspec import Struct

from connect.topics import ACCOUNT_ROWS
from streams.runtime.app import App
from streams.runtime.changelog_repair import ChangelogRepair
from streams.runtime.failures import decode_batch
from streams.runtime.kafka_types import Message
from streams.runtime.produce import send_to_dead_letters
from streams.runtime.table import OffsetTable
from tables.errors import MalformedRecord
from tables.ledger.records import record_offset
from tables.messages.row_changes import AccountRow, decode_row
from tables.text.email_addresses import smtp_address

CONSUMER = "contacts"
BATCH_MAX_RECORDS = 1_000
ERASE_INTERVAL_S = 10.0

log = logging.getLogger(__name__)


class Contact(Struct, frozen=True, array_like=True):
    """How to reach an account, as of its row's version ``lsn``; ``email`` is empty once the account is deleted."""

    lsn: int
    name: str
    email: str
    locale: str


_encode = msgspec.msgpack.Encoder().encode
decode_contact = msgspec.msgpack.Decoder(Contact).decode


def address_of(contact: Contact) -> str:
    """A contact's address for SMTP: exactly one mailbox. Raises MalformedRecord, which doesn't name the address."""
    try:
        return smtp_address(contact.email)
    except ValueError as error:
        raise MalformedRecord("the account's e-mail address is invalid") from error


class ContactsAgent:
    """Updates the table from the row changes of ``account``."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.table = OffsetTable.add(app, "contacts", app.settings.partitions, record_offset)
        self.changelog_repair = ChangelogRepair(app, self.table)
        self._to_erase: set[int] = set()
        app.task(self._erase)
        app.add_agent(ACCOUNT_ROWS, self._handle, name=CONSUMER, batch_max_records=BATCH_MAX_RECORDS)

    def find(self, partition: int, account: bytes) -> Contact | None:
        """The contact of an account of that partition; None where it isn't known (yet)."""
        value = self.table.read(partition, account)
        return None if value is None else decode_contact(value)

    async def _handle(self, messages: list[Message]) -> None:
        records: dict[int, dict[bytes, bytes]] = {}
        changes = [message for message in messages if message.value is not None]
        decoded, dead_letters = decode_batch(changes, lambda value: decode_row(value, AccountRow))
        for message, row in decoded:
            changed = records.setdefault(message.partition, {})
            key = str(row.id).encode()
            known = changed.get(key) or self.table.read(message.partition, key)
            if known is None or decode_contact(known).lsn <= row.version:
                changed[key] = _encode(_contact(row))
            if row.is_delete:
                self._to_erase.add(message.partition)
        for partition, changed in records.items():
            await self.table.save(partition, changed)
        await send_to_dead_letters(self.app, CONSUMER, dead_letters)

    async def _erase(self) -> None:
        """Compact after deletions: RocksDB itself keeps overwritten records for an unbounded time."""
        while not self.app.should_stop:
            await asyncio.sleep(ERASE_INTERVAL_S)
            for partition in [each for each in self._to_erase if self.table.is_open(each)]:
                self._to_erase.discard(partition)
                self.table.compact(partition)
                log.info("contacts of partition %d: deleted data are erased", partition)


def _contact(row: AccountRow) -> Contact:
    if row.is_delete:
        return Contact(row.version, "", "", "")
    return Contact(row.version, f"{row.first_name} {row.last_name}".strip(), row.email, row.locale or "en")
