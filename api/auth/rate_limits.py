"""How often one client may sign in and ask for mails, and how guesses are slowed down; each instance for itself.

The ceilings leave a crowd behind one address alone; what tells guessing from a crowd is what fails
(api/auth/throttle.py).
"""

import time
from collections.abc import Callable
from typing import Final, NamedTuple

from limits import parse_many
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from api.auth.backoff import Backoff
from api.auth.clients import Asker, address_key, client
from api.auth.throttle import KnownClients, Throttle, guess_rules, mail_rules
from api.problems import retry_later

# Texts that are no links of ours, by one client. A good link always gets through.
LINKS_TRIED: Final = "30 per minute"


class Tries(NamedTuple):
    """How many wrong passwords and how many mails are free for a client and an address."""

    sign_in: int = 3
    sign_up: int = 3


class Quotas:
    """Ceilings per kind of request, like ``600 per minute; 5000 per hour``, for each client; and two throttles."""

    def __init__(self, tries: Tries, clock: Callable[[], float] = time.monotonic, **limits: str) -> None:
        self._limits = {kind: parse_many(limit) for kind, limit in limits.items()}
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())
        self.guesses: Final = Throttle(guess_rules(tries.sign_in), Backoff(clock=clock))
        self.mails: Final = Throttle(mail_rules(tries.sign_up), Backoff(clock=clock))
        self.known: Final = KnownClients()

    def take(self, kind: str) -> None:
        """Count the request. Refused: too-many-requests, with the time after which it may be sent again."""
        for limit in self._limits[kind]:
            if not self._limiter.hit(limit, kind, client()):
                wait = self._limiter.get_window_stats(limit, kind, client()).reset_time - time.time()
                raise retry_later("too-many-requests", wait, f"{limit} for each client")

    def check_mail(self, asker: Asker) -> None:
        """Count a request for a mail to an address. Refused: too-many-requests, for the client or for the mail."""
        self.take("sign_up")
        self.mails.check(asker)

    def take_mail(self, asker: Asker) -> None:
        """Count a mail that is sent now. Refused: too-many-requests."""
        self.mails.check(asker)  # of many at once, only so many are sent
        self.mails.count(asker)

    def asker(self, email: str, device: str | None = None) -> Asker:
        """Who sends the request about an address; ``device`` is what its browser shows to be known by."""
        address, who = address_key(email), device or client()
        return Asker(address, who, self.known.has(address, who), is_shown=device is not None)
