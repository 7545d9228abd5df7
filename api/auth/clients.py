"""Who asks: the client that a request comes from, and the address whose account it is about."""

from ipaddress import IPv6Address, ip_address
from typing import NamedTuple

from flask import request

from api.auth.account_mails import language_of
from tables.text.email_addresses import address_spellings


class Asker(NamedTuple):
    """Somebody who asks about an address from a client.

    The client ``is_known`` where the address's account signed in from there before; it ``is_shown`` by a cookie or a
    token that nobody else has.
    """

    address: str
    client: str
    is_known: bool = False
    is_shown: bool = False


def client() -> str:
    """Who sends the request."""
    return client_of(request.remote_addr)


def client_of(address: str | None) -> str:
    """The client that an address stands for: an IPv4 address, or in IPv6 the network of 64 bits that one client has."""
    try:
        known = ip_address(address or "")
    except ValueError:
        return address or ""
    if not isinstance(known, IPv6Address):
        return str(known)
    return str(known.ipv4_mapped or IPv6Address(int(known) >> 64 << 64))


def accepted_language() -> str:
    """The language of the mails that the request's browser likes best."""
    return language_of(*(tag for tag, quality in request.accept_languages if quality > 0))


def address_key(email: str) -> str:
    """One text for all spellings of an address by which PostgreSQL's lower() finds one account."""
    return address_spellings(email)[1].replace("İ", "i").casefold()
