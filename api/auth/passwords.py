"""Password hashes (argon2). A hash takes 100 ms and 64 MiB, so two are made at once, and clients take turns.

argon2 releases the GIL meanwhile.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from api.auth.fair_queue import FairQueue

HASHES_AT_ONCE: Final = 2
# Each occupies a thread, of those that are for passwords alone (api/http_application.py).
WAITING_MAX: Final = 256
TURN_TIMEOUT_S: Final = 20.0


class Hasher:
    """Makes and verifies hashes."""

    def __init__(self, argon: PasswordHasher | None = None) -> None:
        self._argon = argon or PasswordHasher()
        self._dummy_hash = self._argon.hash("nobody's password")

    def hash(self, password: str) -> str:
        """The hash, with its salt and parameters."""
        return self._argon.hash(password)

    def fits(self, known: str | None, password: str) -> bool:
        """Whether the password matches; takes as long if no hash is known."""
        return self._verify(known or self._dummy_hash, password) and known is not None

    def is_outdated(self, known: str) -> bool:
        """Whether hashes are made with other parameters by now."""
        return self._argon.check_needs_rehash(known)

    def _verify(self, known: str, password: str) -> bool:
        try:
            return self._argon.verify(known, password)
        except (VerificationError, InvalidHashError):
            return False


class Passwords:
    """The hasher, for a few threads at a time."""

    def __init__(self, hasher: Hasher | None = None, queue: FairQueue | None = None) -> None:
        self._hasher = hasher or Hasher()
        self._queue = queue or FairQueue(HASHES_AT_ONCE, WAITING_MAX, TURN_TIMEOUT_S)

    @contextmanager
    def turn(self, client: str, address: str) -> Iterator[Hasher]:
        """The hasher, at the turn of a client that asks about an address. Refused: passwords-busy."""
        with self._queue.turn(client, address):
            yield self._hasher
