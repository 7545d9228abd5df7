"""The form of e-mail addresses for SMTP: the domain is ASCII.

Python's codec "idna" implements IDNA 2003, which turns straße.example into another domain, so it gets only ASCII.
"""

import re
import unicodedata
from typing import Final

from email_validator import validate_email

from tables.text.sanitize import sanitize

# One mailbox without quoting: no character that ends a header, begins another address, or is invisible.
_CHARACTER: Final = r"[^\s<>()\[\]\\,;:@\"\x00-\x1f\x7f-\x9f]"
_MAILBOX: Final = re.compile(rf"{_CHARACTER}{{1,64}}@{_CHARACTER}{{1,253}}")


def smtp_address(address: str) -> str:
    """The address for SMTP, in envelope and header. Raises ValueError unless it is exactly one address."""
    if not _MAILBOX.fullmatch(address) or address != sanitize(address):
        raise ValueError("this is not exactly one e-mail address")
    local, _, domain = address.partition("@")
    return f"{unicodedata.normalize('NFC', local)}@{_ascii_domain(domain)}"


def _ascii_domain(domain: str) -> str:
    if domain.isascii():
        return domain.lower().encode("idna").decode()  # unchanged, but raises for empty and overlong labels
    return validate_email(f"x@{domain}", check_deliverability=False, test_environment=True).ascii_domain
