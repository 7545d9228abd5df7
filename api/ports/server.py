"""The servers that are probed, and the loop that requests are answered in."""

from collections.abc import Coroutine
from typing import Any, Protocol, TypeVar

Result = TypeVar("Result")


class Probe(Protocol):
    """Asks one server whether it answers; raises anything at all when it does not."""

    def __call__(self) -> object: ...


class InLoop(Protocol):
    """Has the server's loop carry out a coroutine, for a thread that waits for it. Refused: busy."""

    def __call__(self, coroutine: Coroutine[Any, Any, Result], /) -> Result: ...
