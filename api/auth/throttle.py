"""How tries that may be guesses are slowed down, so that nobody can lock somebody else out.

A try is counted three times: for its client and address together, for its address, for its client. A client that is
new to an address gets its first try while others are guessing, unless those are very many (``new``); one from which
the account signed in before gets it always. Who shows a cookie or a token of the account waits for the own tries alone.
OWASP's device cookies are the pattern. That a client is known makes no other difference: it would tell that there is
an account.
"""

import threading
from typing import Final, NamedTuple

from api.auth.backoff import Backoff, Rule
from api.auth.clients import Asker
from api.bounded_cache import Bounded
from api.problems import retry_later

KNOWN_MAX: Final = 50_000
KNOWN_S: Final = 30 * 86_400.0
# How long ago a client's last try for an address was, if it is new to it.
NEW_AFTER_S: Final = 3_600.0


class Rules(NamedTuple):
    """How tries are slowed down: those of a client for an address, for an address, and of a client."""

    both: Rule
    address: Rule
    new: Rule
    client: Rule


def guess_rules(tries: int) -> Rules:
    """For passwords and codes that did not fit, of which ``tries`` are free for a client and an address."""
    return Rules(
        both=Rule(tries, forgiven_s=60, wait_max_s=60),
        address=Rule(tries * 30, forgiven_s=36, wait_max_s=60),
        new=Rule(tries * 300, forgiven_s=36, wait_max_s=60),
        client=Rule(tries * 20, forgiven_s=1, wait_max_s=1),
    )


def mail_rules(tries: int) -> Rules:
    """For mails that anybody can have sent, of which ``tries`` are free for a client and an address."""
    return Rules(
        both=Rule(tries, forgiven_s=600, wait_max_s=600),
        address=Rule(tries * 3, forgiven_s=360, wait_max_s=600),
        new=Rule(tries * 15, forgiven_s=360, wait_max_s=600),
        client=Rule(tries * 200, forgiven_s=0.2, wait_max_s=1),
    )


class Throttle:
    """Tries under some rules, in memory."""

    def __init__(self, rules: Rules, backoff: Backoff) -> None:
        self._rules = rules
        self._backoff = backoff

    def check(self, asker: Asker) -> None:
        """Refused: too-many-requests, with the seconds until the next try."""
        wait = self._wait(asker)
        if wait > 0:
            raise retry_later("too-many-requests", wait)

    def count(self, asker: Asker) -> None:
        """Count a try, or one that failed."""
        self._backoff.count(asker[:2], self._rules.both)
        if not asker.is_shown:
            self._backoff.count(("address", asker.address), self._rules.address)
            self._backoff.count(("client", asker.client), self._rules.client)

    def forget(self, asker: Asker) -> None:
        """What this client failed for this address before it succeeded counts no more."""
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
    """From which clients an address's account signed in; remembered for 30 days, 50,000 at most."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: Bounded[tuple[str, str], bool] = Bounded(KNOWN_MAX, KNOWN_S)

    def remember(self, asker: Asker) -> None:
        """The account of this address signed in from this client."""
        with self._lock:
            self._known.put(asker[:2], True)

    def has(self, address: str, client: str) -> bool:
        """Whether it did."""
        with self._lock:
            return self._known.get((address, client)) is not None
