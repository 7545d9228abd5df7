"""Counters of answers, counted where they are sent."""

import time
from collections import Counter
from typing import Final

from telemetry.metrics.histogram import SECONDS, Histogram

# In a request's scope: its route, once the framework has found it.
ROUTE: Final = "turnstile.route"
# The routes of the fast paths (api/purchasing/service.py, api/routes/payment_fast_path.py).
PURCHASES_ROUTE: Final = "/api/v3/purchases"
PAYMENT_ROUTE: Final = f"{PURCHASES_ROUTE}/<purchaseId>/payment"
WEBHOOK_ROUTE: Final = "/api/v3/payment-webhooks/<provider>"
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
ABORTED: Final = "aborted"


def fast_route(target: bytes) -> str:
    """The route of a request that a fast path has taken."""
    if target.endswith(b"/payment"):
        return PAYMENT_ROUTE
    return WEBHOOK_ROUTE if b"/payment-webhooks/" in target else PURCHASES_ROUTE


class RequestCounters:
    """Requests of this process by method, route and status, and how long they took by method and route."""

    def __init__(self) -> None:
        self.in_flight = 0
        self.counts: Counter[tuple[str, ...]] = Counter()
        self.seconds: dict[tuple[str, ...], Histogram] = {}

    def answered(self, method: str, route: str, status: int | None, began: float) -> None:
        """Count a request that began at ``began`` (perf_counter); ``status`` is None if its client disconnected."""
        place = (method if method in METHODS else "other", route)
        self.counts[(*place, str(status) if status else ABORTED)] += 1
        seconds = self.seconds.get(place)
        if seconds is None:
            seconds = self.seconds[place] = Histogram(SECONDS)
        seconds.add(time.perf_counter() - began)
