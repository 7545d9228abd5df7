"""E-mail addresses: one form to keep them in, and one to send them to.

Kept is the local part in NFC with the domain in Unicode, by IDNA 2008 and in lower case. To be sent, the domain is in
ASCII. Python's own codec "idna" is the older IDNA 2003, which makes another domain of straße.example.
"""

import unicodedata

from email_validator import EmailNotValidError, validate_email


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
    """The address as mail servers get it, in envelope and header. Raises ValueError for a domain that is none."""
    local, _, domain = address.rpartition("@")
    return f"{unicodedata.normalize('NFC', local)}@{_ascii_domain(domain)}"


def _ascii_domain(domain: str) -> str:
    if domain.isascii():
        return domain.lower().encode("idna").decode()  # as it is; labels that are empty or too long are refused
    return validate_email(f"x@{domain}", check_deliverability=False, test_environment=True).ascii_domain
