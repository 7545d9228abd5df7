"""Rate limits for sign-ins and mails by client, and throttles for guesses; each process has its own.

The limits are high enough for many people behind one address. Guessing is recognized by its failures
(api/auth/throttle.py).
"""

import time
from collections.abc import Callable
from typing import Final, NamedTuple

from limits import parse_many

from api.auth.backoff import Backoff
from api.auth.clients import Asker, address_key, client
from api.auth.sliding_windows import SlidingWindows
from api.auth.throttle import KnownClients, Throttle, guess_rules, mail_rules
from api.problems import retry_later

# Invalid links by one client. A valid link is never limited.
LINKS_TRIED: Final = "30 per minute"


class FreeTries(NamedTuple):
    """Wrong passwords and mails that are free for a client and an address."""

    sign_in: int = 3
    sign_up: int = 3


class RateLimits:
    """Limits by kind of request, like ``600 per minute; 5000 per hour``, for each client; and three throttles.

    A wrong code costs no hash, so many of them could displace the counts of passwords from memory: they have their own.
    """

    def __init__(self, tries: FreeTries, clock: Callable[[], float] = time.monotonic, **limits: str) -> None:
        self._limits = {kind: parse_many(limit) for kind, limit in limits.items()}
        self._windows = SlidingWindows(clock=clock)
        self.guesses: Final = Throttle(guess_rules(tries.sign_in), Backoff(clock=clock))
        self.codes: Final = Throttle(guess_rules(tries.sign_in), Backoff(clock=clock))
        self.mails: Final = Throttle(mail_rules(tries.sign_up), Backoff(clock=clock))
        self.known: Final = KnownClients()

    def take(self, kind: str) -> None:
        """Count a request. Refused: too-many-requests, with the seconds until it may be sent again."""
        for limit in self._limits[kind]:
            wait = self._windows.take((kind, limit, client()), limit.amount, limit.get_expiry())
            if wait > 0:
                raise retry_later("too-many-requests", wait, f"{limit} for each client")

    def check_mail(self, asker: Asker) -> None:
        """Count a request for a mail to an address. Refused: too-many-requests."""
        self.take("sign_up")
        self.mails.check(asker)

    def take_mail(self, asker: Asker) -> None:
        """Count a mail that is sent now. Refused: too-many-requests."""
        self.mails.check(asker)  # again, for requests that came at once
        self.mails.count(asker)

    def asker(self, email: str, device: str | None = None) -> Asker:
        """The client that asks about an address; ``device`` is the id in its browser's cookie."""
        address, who = address_key(email), device or client()
        return Asker(address, who, self.known.has(address, who), is_shown=device is not None)
