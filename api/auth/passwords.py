"""Passwords, hashed with argon2: a hash takes 100 ms and 64 MiB, so two are made at a time, and clients take turns.

argon2 lets other threads run meanwhile.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from api.auth.fair_queue import FairQueue

AT_ONCE: Final = 2
# They are threads of those that answer everybody (api/http/threads.py).
WAITING_MAX: Final = 32
PATIENCE_S: Final = 20.0


class Hasher:
    """Hashes and compares."""

    def __init__(self, argon: PasswordHasher | None = None) -> None:
        self._argon = argon or PasswordHasher()
        self._nobodys = self._argon.hash("nobody's password")

    def hash(self, password: str) -> str:
        """The hash, with its salt and costs."""
        return self._argon.hash(password)

    def fits(self, known: str | None, password: str) -> bool:
        """Whether it is the password; takes as long where no hash is known."""
        return self._verify(known or self._nobodys, password) and known is not None

    def is_outdated(self, known: str) -> bool:
        """Whether hashes are made at other costs by now."""
        return self._argon.check_needs_rehash(known)

    def _verify(self, known: str, password: str) -> bool:
        try:
            return self._argon.verify(known, password)
        except (VerificationError, InvalidHashError):
            return False


class Passwords:
    """The hasher, for a few at a time."""

    def __init__(self, hasher: Hasher | None = None, queue: FairQueue | None = None) -> None:
        self._hasher = hasher or Hasher()
        self._queue = queue or FairQueue(AT_ONCE, WAITING_MAX, PATIENCE_S)

    @contextmanager
    def turn(self, client: str, address: str) -> Iterator[Hasher]:
        """The hasher, once it is the turn of the client, which asks about an address. Refused: passwords-busy."""
        with self._queue.turn(client, address):
            yield self._hasher
