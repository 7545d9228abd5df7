"""The Prefer header (RFC 7240): how long the client wants to wait."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

WAIT_MAX_S: Final = 30.0
_WAIT: Final = re.compile(r"wait\s*=\s*\"?(\d{1,6})\"?", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Preference:
    """Seconds to wait, and the header that tells which preference was applied."""

    wait: float
    applied: Mapping[str, str] = field(default_factory=dict)


@lru_cache(maxsize=256)
def preference(header: str | None, usual: float) -> Preference:
    """``respond-async`` waits for the broker only; ``wait=N`` at most N seconds; else ``usual``."""
    words = [word.strip() for word in (header or "").split(",")]
    if any(word.lower() == "respond-async" for word in words):
        return Preference(0.0, {"Preference-Applied": "respond-async"})
    for word in words:
        if found := _WAIT.fullmatch(word):
            seconds = min(float(found[1]), WAIT_MAX_S)
            return Preference(seconds, {"Preference-Applied": f"wait={seconds:g}"})
    return Preference(usual)
