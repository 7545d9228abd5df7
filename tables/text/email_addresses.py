"""E-mail addresses: one form to keep them in, and one to send them to.

Kept is the local part in NFC with the domain in Unicode, by IDNA 2008 and in lower case. To be sent, the domain is in
ASCII. Python's own codec "idna" is the older IDNA 2003, which makes another domain of straße.example.
"""

import re
import unicodedata
from typing import Final

from email_validator import EmailNotValidError, validate_email

from tables.text.sanitize import plain

# One mailbox without quoting: nothing that ends a header, begins another address, or is not seen.
_CHARACTER: Final = r"[^\s<>()\[\]\\,;:@\"\x00-\x1f\x7f-\x9f]"
_MAILBOX: Final = re.compile(rf"{_CHARACTER}{{1,64}}@{_CHARACTER}{{1,253}}")


def normal_address(text: str) -> str:
    """The address as it is kept. Raises ValueError with what is wrong with it.

    Addresses under .test are allowed: one can try the system without a real one.
    """
    return validate_email(text, check_deliverability=False, test_environment=True).normalized


def address_spellings(text: str) -> tuple[str, str]:
    """What an account is looked up by: the address as given, and as it is kept. Rows may be older than that form."""
    try:
        return text, normal_address(text)
    except EmailNotValidError:
        return text, text


def smtp_address(address: str) -> str:
    """The address as mail servers get it, in envelope and header. Raises ValueError unless it is exactly one."""
    if not _MAILBOX.fullmatch(address) or address != plain(address):
        raise ValueError("this is not exactly one e-mail address")
    local, _, domain = address.partition("@")
    return f"{unicodedata.normalize('NFC', local)}@{_ascii_domain(domain)}"


def _ascii_domain(domain: str) -> str:
    if domain.isascii():
        return domain.lower().encode("idna").decode()  # as it is; labels that are empty or too long are refused
    return validate_email(f"x@{domain}", check_deliverability=False, test_environment=True).ascii_domain
