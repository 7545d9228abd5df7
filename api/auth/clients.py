"""The client that sends a request, and the e-mail address that the request is about."""

from ipaddress import IPv6Address, ip_address
from typing import NamedTuple

from flask import request

from tables.text.email_addresses import address_spellings
from translations.catalogues import first_language


class Asker(NamedTuple):
    """A client that asks about an e-mail address.

    ``is_known``: the address's account signed in from this client before. ``is_shown``: a cookie or token of the
    account identifies the client.
    """

    address: str
    client: str
    is_known: bool = False
    is_shown: bool = False


def client() -> str:
    """The client that sends the request."""
    return client_of(request.remote_addr)


def client_of(address: str | None) -> str:
    """The client of an address: the address itself in IPv4, its /64 network in IPv6."""
    try:
        known = ip_address(address or "")
    except ValueError:
        return address or ""
    if not isinstance(known, IPv6Address):
        return str(known)
    return str(known.ipv4_mapped or IPv6Address(int(known) >> 64 << 64))


def accepted_language() -> str:
    """The first language of the request's browser that there are texts in."""
    return first_language(request.accept_languages)


def address_key(email: str) -> str:
    """One key for all spellings of an address that PostgreSQL's lower() maps to one account."""
    return address_spellings(email)[1].replace("İ", "i").casefold()
