"""The fan-out of outcomes: each record of ``ticket-purchase`` goes to all who read them in this process."""

from collections.abc import Callable

# Reads a record's key and value. Raises MalformedRecord if it is no outcome.
Reader = Callable[[bytes | None, bytes | None], None]


class OutcomeFanout:
    """Calls ``readers`` in their order: first the caches, which an answer must not precede, then the requests."""

    def __init__(self, *readers: Reader) -> None:
        self._readers = readers

    def __call__(self, key: bytes | None, value: bytes | None) -> None:
        """Hand on one record. Raises MalformedRecord."""
        for read in self._readers:
            read(key, value)
