"""The views of the table ``contacts``: a contact, and all of them in pages; never a name or an address."""

from typing import Final
from uuid import UUID

from msgspec import Struct

from streams.mail.contacts import Contact, decode_contact
from streams.runtime.app import App
from streams.runtime.partition_lists import entry_list
from streams.runtime.partition_reads import PartitionReads
from streams.runtime.record_reads import RecordRead, RecordReads
from streams.runtime.table import OffsetTable
from streams.runtime.web import Request, Response, add_page
from streams.runtime.web_parameters import path_id

CONTACTS_PATH: Final = "/api/contacts/"
KEY_BYTES: Final = 36


class ContactView(Struct, frozen=True, rename="camel"):
    """What is known of an account's contact, without name and address.

    ``lsn`` is its row's version, a position in PostgreSQL's log; ``deleted`` tells whether the account is deleted.
    """

    account: UUID
    lsn: int
    locale: str
    deleted: bool

    @property
    def revision(self) -> str:
        """Differs where anything differs."""
        return str(self.lsn)


class ContactViews:
    """Contacts by account, and in pages."""

    def __init__(self, app: App, table: OffsetTable) -> None:
        self._reads = PartitionReads(app, table)
        self._records = RecordReads(self._reads)
        add_page(app, "/api/contact/{account}/", "contact", self.contact)
        add_page(app, CONTACTS_PATH, "contacts", self.listed)

    async def contact(self, request: Request, account: str) -> Response:
        wanted = path_id(account, "account")
        record = RecordRead(
            self._reads.home_of(str(wanted)),
            str(wanted).encode(),
            lambda value: contact_view(wanted, decode_contact(value)),
        )
        return await self._records.answer(request, record)

    async def listed(self, request: Request, path: str | None = None) -> Response:
        """The page of the list; ``path`` is where another worker is asked for it, if not where we were."""
        return await entry_list(self._reads, _show).answer(request, path=path)


def contact_view(account: UUID, contact: Contact) -> ContactView:
    """A contact without name and address."""
    return ContactView(account, contact.lsn, contact.locale, deleted=not contact.email)


def _show(entry: tuple[bytes, bytes]) -> ContactView | None:
    """None for what the table keeps of itself."""
    key, value = entry
    return contact_view(UUID(key.decode()), decode_contact(value)) if len(key) == KEY_BYTES else None
