"""The address of a mail: exactly one mailbox, whatever stands in an account's row."""

import re
from typing import Final

from streams.contacts import Contact
from tables.email_addresses import smtp_address
from tables.errors import MalformedRecord
from tables.plain import plain

# One mailbox without quoting: nothing that ends a header, begins another address, or is not seen.
_LETTER: Final = r"[^\s<>()\[\]\\,;:@\"\x00-\x1f\x7f-\x9f]"
_MAILBOX: Final = re.compile(rf"{_LETTER}{{1,64}}@{_LETTER}{{1,253}}")


def address_of(contact: Contact) -> str:
    """A contact's address as mail servers get it. Raises MalformedRecord, which does not say the address."""
    if not _MAILBOX.fullmatch(contact.email) or contact.email != plain(contact.email):
        raise MalformedRecord("the account's e-mail address is none")
    try:
        return smtp_address(contact.email)
    except ValueError as error:
        raise MalformedRecord("the domain of the account's e-mail address is none") from error
