"""A producer's quota of requests on a partition, by the records' own timestamps, so that a replay decides the same.

How fast requests go through does not depend on it alone: a producer takes its turn with others in small batches, and
what the quota lets through at once goes to the ledger piece by piece.
"""

from dataclasses import dataclass
from typing import Final

BURST_S: Final = 5
SECOND_US: Final = 1_000_000
MILLISECOND_US: Final = 1_000
# What was let through at once goes on to the ledger so many times as fast as the rate.
PACE: Final = 2
# A batch has about the requests of this part of a second.
BATCH_S: Final = 1 / 8
BATCH_MIN_RECORDS: Final = 50
BATCH_MAX_RECORDS: Final = 500


@dataclass(frozen=True, slots=True)
class Quota:
    """``rate`` requests a second, and up to BURST_S seconds of it at once.

    It is a token bucket, kept as one number: the time (µs) at which the bucket will be full again (GCRA).
    """

    rate: int

    @property
    def batch_max_records(self) -> int:
        """How many requests of the producer are handled at once."""
        return min(BATCH_MAX_RECORDS, max(BATCH_MIN_RECORDS, int(BATCH_S * self.rate)))

    def pause_s(self, count: int) -> float:
        """The seconds from one batch to the next, if it let so many requests of a partition through."""
        return count / (PACE * self.rate)

    def take(self, full_at_us: int, at_ms: int) -> tuple[int, int | None]:
        """Let a request through at ``at_ms``. Gives the new time, and None or when to try again (ms)."""
        at_us = at_ms * MILLISECOND_US
        # An empty bucket takes BURST_S to fill. It can take longer only if the clock was set back since.
        full_at_us = min(full_at_us, at_us + BURST_S * SECOND_US)
        next_us = max(full_at_us, at_us) + SECOND_US // self.rate
        early_us = next_us - BURST_S * SECOND_US - at_us
        if early_us > 0:
            return full_at_us, at_ms + -(-early_us // MILLISECOND_US)
        return next_us, None
