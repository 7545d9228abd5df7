"""The normal form of e-mail addresses, which is stored: the local part in NFC, the domain in Unicode.

The domain is by IDNA 2008, in lower case. tables/text/smtp_addresses.py has the form for SMTP.
"""

from email_validator import EmailNotValidError, validate_email


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
