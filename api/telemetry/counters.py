"""Answers counted in plain numbers, where they are sent."""

import time
from collections import Counter
from typing import Final

from telemetry.metrics.histogram import SECONDS, Histogram

# Where a request's route stands once the framework has found it.
ROUTE: Final = "turnstile.route"
# What was answered before that took the fast path (api/purchasing/fast_path.py), which is for this route alone.
QUICK: Final = "/api/v3/purchases"
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
ABORTED: Final = "aborted"


class Answers:
    """The requests of one process: by method, route and status; by method and route how long they took."""

    def __init__(self) -> None:
        self.in_flight = 0
        self.counts: Counter[tuple[str, ...]] = Counter()
        self.seconds: dict[tuple[str, ...], Histogram] = {}

    def answered(self, method: str, route: str, status: int | None, began: float) -> None:
        """A request that began then (by time.perf_counter) is answered, or its client has gone (None)."""
        place = (method if method in METHODS else "other", route)
        self.counts[(*place, str(status) if status else ABORTED)] += 1
        seconds = self.seconds.get(place)
        if seconds is None:
            seconds = self.seconds[place] = Histogram(SECONDS)
        seconds.add(time.perf_counter() - began)
