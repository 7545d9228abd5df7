"""A producer's quota of requests on a partition, by the records' own timestamps, so that a replay decides the same."""

from dataclasses import dataclass
from typing import Final

BURST_S: Final = 5
SECOND_US: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Quota:
    """``rate`` requests a second, and up to BURST_S seconds of it at once.

    It is a token bucket, kept as one number: the time (µs) at which the bucket will be full again (GCRA).
    """

    rate: int

    def take(self, full_at_us: int, at_ms: int) -> tuple[int, int | None]:
        """Let a request through at ``at_ms``. Gives the new time, and None or when to try again (ms)."""
        at_us = at_ms * 1_000
        next_us = max(full_at_us, at_us) + SECOND_US // self.rate
        early_us = next_us - BURST_S * SECOND_US - at_us
        if early_us > 0:
            return full_at_us, at_ms + -(-early_us // 1_000)
        return next_us, None
