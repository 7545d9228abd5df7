"""How often one client may sign in and sign up. Each instance counts for itself, in memory."""

import math
import time
from ipaddress import IPv6Address, ip_address

from flask import request
from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from api.problems import Refused


class Quotas:
    """A limit per kind of request, like ``10 per minute``, for each client."""

    def __init__(self, **limits: str) -> None:
        self._limits = {kind: parse(limit) for kind, limit in limits.items()}
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def take(self, kind: str) -> None:
        """Count the request. Refused: too-many-requests, with the time after which it may be sent again."""
        limit, who = self._limits[kind], client()
        if self._limiter.hit(limit, kind, who):
            return
        wait = self._limiter.get_window_stats(limit, kind, who).reset_time - time.time()
        headers = {"Retry-After": str(max(1, math.ceil(wait)))}
        raise Refused("too-many-requests", f"{limit} for each client", headers=headers)


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
