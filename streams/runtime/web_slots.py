"""A bounded number of requests of a kind at a time."""

from types import TracebackType
from typing import Self

from streams.runtime.web_problems import RequestProblem


class WebSlots:
    """A context that at most ``most`` requests are in. Raises RequestProblem ``busy`` for one more."""

    def __init__(self, most: int) -> None:
        self._free = most

    def __enter__(self) -> Self:
        if not self._free:
            raise RequestProblem("busy")
        self._free -= 1
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._free += 1
