"""Passwords, hashed with argon2 in a few threads of their own: a hash takes 100 ms, in which others are served."""

from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from gevent.threadpool import ThreadPool

from api.problems import Refused

THREADS: Final = 2
MOST_WAITING: Final = 32
RETRY_AFTER_S: Final = 3


class Passwords:
    """Hashes and compares, a few at a time. Refused: too-many-requests when too many wait already."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._threads = ThreadPool(THREADS)
        self._waiting = 0
        self._nobodys = self._hasher.hash("nobody's password")

    def hash(self, password: str) -> str:
        """The hash, with its salt and costs."""
        return str(self._run(self._hasher.hash, password))

    def fits(self, known: str | None, password: str) -> bool:
        """Whether it is the password; takes as long where no hash is known."""
        return bool(self._run(self._verify, known or self._nobodys, password)) and known is not None

    def is_outdated(self, known: str) -> bool:
        """Whether hashes are made at other costs by now."""
        return self._hasher.check_needs_rehash(known)

    def _verify(self, known: str, password: str) -> bool:
        try:
            return self._hasher.verify(known, password)
        except (VerificationError, InvalidHashError):
            return False

    def _run(self, work: object, *values: str) -> object:
        if self._waiting >= MOST_WAITING:
            raise Refused("too-many-requests", "", headers={"Retry-After": str(RETRY_AFTER_S)})
        self._waiting += 1
        try:
            return self._threads.apply(work, values)
        finally:
            self._waiting -= 1
