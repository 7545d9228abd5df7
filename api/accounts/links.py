"""Links in mails about accounts, to the pages of api/pages/address_confirmation.py and password_reset.py."""

from datetime import datetime
from typing import Final

from api.ports.ports import ports
from tables.signing.links import LANGUAGE_PARAMETER, LinkKind
from translations.catalogues import language_of

PATHS: Final = {LinkKind.CONFIRM_ADDRESS: "/links/confirm", LinkKind.RESET_PASSWORD: "/links/reset"}


def account_link(kind: LinkKind, subject: bytes, expires: datetime, locale: str) -> str:
    """The URL of the page for that kind of link, with the signed link, in the language of an account."""
    return f"{_page(PATHS[kind], locale)}&link={ports().links.sign(kind, subject, expires)}"


def sign_up_address(locale: str) -> str:
    """The URL of the form to sign up."""
    return _page("/sign-up", locale)


def forgotten_address(locale: str) -> str:
    """The URL of the form for a forgotten password."""
    return _page("/forgotten-password", locale)


def _page(path: str, locale: str) -> str:
    return f"{ports().site_url}{path}?{LANGUAGE_PARAMETER}={language_of(locale)}"
