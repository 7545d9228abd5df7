"""Slows down tries that may be guesses, in a way that nobody can lock somebody else out.

A try is counted three times: for client and address together, for the address, for the client. A client that is new
to an address gets its first try while others guess, unless there are very many (``new``); one from which the account
signed in before gets it always. A client with a cookie or token of the account waits only for its own tries (OWASP's
device cookies). A known client is treated alike in all else, or it would learn that there is an account.
"""

from typing import Final, NamedTuple

from api.auth.backoff import Backoff, BackoffRule
from api.auth.clients import Asker
from api.bounded_cache import BoundedCache
from api.problems import retry_later

KNOWN_CLIENTS_MAX: Final = 50_000
KNOWN_S: Final = 30 * 86_400.0
# A client is new to an address if its last try was longer ago.
NEW_AFTER_S: Final = 3_600.0


class ThrottleRules(NamedTuple):
    """The rules for client and address together, for the address, for a new client's address, for the client."""

    both: BackoffRule
    address: BackoffRule
    new: BackoffRule
    client: BackoffRule


def guess_rules(tries: int) -> ThrottleRules:
    """For wrong passwords and codes; ``tries`` are free for a client and an address."""
    return ThrottleRules(
        both=BackoffRule(tries, forgiven_s=60, wait_max_s=60),
        address=BackoffRule(tries * 30, forgiven_s=36, wait_max_s=60),
        new=BackoffRule(tries * 300, forgiven_s=36, wait_max_s=60),
        client=BackoffRule(tries * 20, forgiven_s=1, wait_max_s=1),
    )


def mail_rules(tries: int) -> ThrottleRules:
    """For mails that anybody can request; ``tries`` are free for a client and an address."""
    return ThrottleRules(
        both=BackoffRule(tries, forgiven_s=600, wait_max_s=600),
        address=BackoffRule(tries * 3, forgiven_s=360, wait_max_s=600),
        new=BackoffRule(tries * 15, forgiven_s=360, wait_max_s=600),
        client=BackoffRule(tries * 200, forgiven_s=0.2, wait_max_s=1),
    )


class Throttle:
    """Tries by client and address, in memory."""

    def __init__(self, rules: ThrottleRules, backoff: Backoff) -> None:
        self._rules = rules
        self._backoff = backoff

    def check(self, asker: Asker) -> None:
        """Refused: too-many-requests, with the seconds until the next try."""
        wait = self._wait(asker)
        if wait > 0:
            raise retry_later("too-many-requests", wait)

    def count(self, asker: Asker) -> None:
        """Count a try or a failure."""
        self._backoff.count(asker[:2], self._rules.both)
        if not asker.is_shown:
            self._backoff.count(("address", asker.address), self._rules.address)
            self._backoff.count(("client", asker.client), self._rules.client)

    def forget(self, asker: Asker) -> None:
        """After a success: forget the failures of this client for this address."""
        self._backoff.forget(asker[:2])

    def _wait(self, asker: Asker) -> float:
        wait = self._backoff.wait(asker[:2], self._rules.both)
        if asker.is_shown:
            return wait
        by_client = self._backoff.wait(("client", asker.client), self._rules.client)
        return max(wait, by_client, self._wait_for_others(asker))

    def _wait_for_others(self, asker: Asker) -> float:
        is_new = self._backoff.age(asker[:2]) > NEW_AFTER_S
        if is_new and asker.is_known:
            return 0.0
        return self._backoff.wait(("address", asker.address), self._rules.new if is_new else self._rules.address)


class KnownClients:
    """The clients from which an address's account signed in, for 30 days, 50,000 at most."""

    def __init__(self) -> None:
        self._known: BoundedCache[tuple[str, str], bool] = BoundedCache(KNOWN_CLIENTS_MAX, KNOWN_S)

    def remember(self, asker: Asker) -> None:
        """Note that the address's account signed in from this client."""
        self._known.put(asker[:2], True)

    def has(self, address: str, client: str) -> bool:
        """Whether the address's account signed in from this client."""
        return self._known.get((address, client)) or False
