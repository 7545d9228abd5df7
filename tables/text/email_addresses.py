"""The forms of e-mail addresses.

The stored one has its local part in NFC, its domain in Unicode, by IDNA 2008 and in lower case; the one for SMTP has an
ASCII domain.
"""

import re
import unicodedata
from typing import Final

from email_validator import EmailNotValidError, validate_email

from tables.text.sanitize import sanitize

# One mailbox without quoting: no character that ends a header, begins another address, or is invisible.
_CHARACTER: Final = r"[^\s<>()\[\]\\,;:@\"\x00-\x1f\x7f-\x9f]"
_MAILBOX: Final = re.compile(rf"{_CHARACTER}{{1,64}}@{_CHARACTER}{{1,253}}")


def normal_address(text: str) -> str:
    """The stored form of an address. Raises ValueError, which says what is wrong.

    Addresses under .test are allowed, so that the system can be tried without a real one.
    """
    return validate_email(text, check_deliverability=False, test_environment=True).normalized


def address_spellings(text: str) -> tuple[str, str]:
    """The spellings to look an account up by: the given and the stored one. Old rows may have the former."""
    try:
        return text, normal_address(text)
    except EmailNotValidError:
        return text, text


def smtp_address(address: str) -> str:
    """The address for SMTP, in envelope and header. Raises ValueError unless it is exactly one address."""
    if not _MAILBOX.fullmatch(address) or address != sanitize(address):
        raise ValueError("this is not exactly one e-mail address")
    local, _, domain = address.partition("@")
    return f"{unicodedata.normalize('NFC', local)}@{_ascii_domain(domain)}"


def _ascii_domain(domain: str) -> str:
    # Python's codec is of IDNA 2003, which turns straße.example into another domain, so it gets only ASCII.
    if domain.isascii():
        return domain.lower().encode("idna").decode()  # unchanged, but raises for empty and overlong labels
    return validate_email(f"x@{domain}", check_deliverability=False, test_environment=True).ascii_domain
