"""Waiting for a condition instead of sleeping."""

import time
from collections.abc import Callable
from typing import Literal, TypeVar

T = TypeVar("T")


def eventually(condition: Callable[[], T | Literal[False] | None], *, within: float, pause: float = 0.05) -> T:
    """The first true value of ``condition``, which is repeated while it is false or raises an expected error."""
    deadline = time.monotonic() + within
    while True:
        try:
            if value := condition():
                return value
            failure: AssertionError | LookupError = AssertionError(f"still {value!r} after {within} s")
        except (AssertionError, LookupError) as error:
            failure = error
        if time.monotonic() > deadline:
            raise failure
        time.sleep(pause)
