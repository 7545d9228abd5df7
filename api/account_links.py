"""The links in the mails about accounts: they lead to pages of api/site/confirming.py and api/site/resetting.py."""

from datetime import datetime
from typing import Final

from api.answers import ports
from tables.links import LinkKind

PATHS: Final = {LinkKind.CONFIRM_ADDRESS: "/links/confirm", LinkKind.RESET_PASSWORD: "/links/reset"}


def account_link(kind: LinkKind, subject: bytes, expires: datetime) -> str:
    """The address of the page for that kind of link, with the signed link."""
    return f"{ports().site_url}{PATHS[kind]}?link={ports().links.sign(kind, subject, expires)}"


def sign_up_address() -> str:
    """The address of the form to sign up."""
    return f"{ports().site_url}/sign-up"


def forgotten_address() -> str:
    """The address of the form for who needs a new password."""
    return f"{ports().site_url}/forgotten-password"
