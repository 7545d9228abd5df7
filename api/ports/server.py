"""Probes of servers, and calls into the server's loop."""

from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar

Result = TypeVar("Result")
# Asks a server whether it answers; raises any error if it doesn't.
Probe = Callable[[], object]


class InLoop(Protocol):
    """In a thread: runs a coroutine in the server's loop and waits for its result. Refused: busy."""

    def __call__(self, coroutine: Coroutine[Any, Any, Result], /) -> Result: ...
