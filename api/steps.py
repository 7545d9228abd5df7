"""Work that waits in the middle, written once for whoever can wait on the spot and for whoever has better things to do.

Such work is a generator: it yields a pause where it has to wait, and goes on once that is over. Between the two it is
an object of a few hundred bytes; a greenlet that waits has a stack, which is moved each time that it gets its turn.
"""

from collections.abc import Callable, Generator
from typing import Protocol, TypeVar

Result = TypeVar("Result")
Call = Callable[[], object]


class Pause(Protocol):
    """Something that work waits for, ``seconds`` at most. ``on_over`` is called when it is over earlier."""

    seconds: float
    on_over: Call

    @property
    def is_over(self) -> bool:
        """Whether what is waited for has come, or will not come."""

    def wait(self) -> None:
        """Return when it is over, or its seconds are."""


Steps = Generator[Pause, None, Result]


def nothing() -> None:
    """What is done when a pause is over that nobody waits for."""


def carry_out(steps: Steps[Result]) -> Result:
    """Take all the steps, waiting here between them; what comes of them."""
    try:
        while True:
            next(steps).wait()
    except StopIteration as end:
        result: Result = end.value
        return result
