"""Waiting for what comes true by itself, instead of sleeping for a guessed time."""

import time
from collections.abc import Callable
from typing import Literal, TypeVar

T = TypeVar("T")


def eventually(condition: Callable[[], T | Literal[False] | None], *, within: float, pause: float = 0.05) -> T:
    """The first true value of ``condition``, asked again while it is false or fails to find or to be what it says."""
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
