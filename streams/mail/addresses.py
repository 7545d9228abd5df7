"""The address of a mail: exactly one mailbox, whatever stands in an account's row."""

from streams.mail.contacts import Contact
from tables.errors import MalformedRecord
from tables.text.email_addresses import smtp_address


def address_of(contact: Contact) -> str:
    """A contact's address as mail servers get it. Raises MalformedRecord, which does not say the address."""
    try:
        return smtp_address(contact.email)
    except ValueError as error:
        raise MalformedRecord("the account's e-mail address is none") from error
