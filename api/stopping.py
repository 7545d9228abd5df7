"""How an answer that goes on for as long as somebody listens learns that the server wants to stop."""

from collections.abc import Callable, Mapping
from typing import Any, Final

# api/serving.py puts a function there, which says whether it is so.
KEY: Final = "turnstile.is_stopping"


def is_stopping(environ: Mapping[str, Any]) -> Callable[[], bool]:
    """The server's own word; another server than ours never says so."""
    found: Callable[[], bool] = environ.get(KEY, lambda: False)
    return found
