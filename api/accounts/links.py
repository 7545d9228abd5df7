"""Links in mails about accounts, to the pages of api/pages/address_confirmation.py and password_reset.py."""

from datetime import datetime
from typing import Final

from api.ports.ports import ports
from tables.signing.links import LinkKind

PATHS: Final = {LinkKind.CONFIRM_ADDRESS: "/links/confirm", LinkKind.RESET_PASSWORD: "/links/reset"}


def account_link(kind: LinkKind, subject: bytes, expires: datetime) -> str:
    """The URL of the page for that kind of link, with the signed link."""
    return f"{ports().site_url}{PATHS[kind]}?link={ports().links.sign(kind, subject, expires)}"


def sign_up_address() -> str:
    """The URL of the form to sign up."""
    return f"{ports().site_url}/sign-up"


def forgotten_address() -> str:
    """The URL of the form for a forgotten password."""
    return f"{ports().site_url}/forgotten-password"
