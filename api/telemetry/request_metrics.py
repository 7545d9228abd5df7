"""The counts of requests, as metrics too, and the routes that label them."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from flask import Flask, Response, request
from prometheus_client import Metric as Family

from telemetry.metrics import api as api_metrics
from telemetry.metrics.definition import SECONDS, Histogram, Metric

# In a request's scope: its route, once the framework has found it.
ROUTE: Final = "turnstile.route"
NO_ROUTE: Final = "none"


@dataclass(slots=True)
class RequestCounters:
    """Requests of this process by method, route and status, and how long they took by method and route."""

    in_flight: int = 0
    counts: Counter[tuple[str, ...]] = field(default_factory=Counter)
    seconds: defaultdict[tuple[str, ...], Histogram] = field(
        default_factory=lambda: defaultdict(lambda: Histogram(SECONDS))
    )


class RequestMetrics:
    """The counters of this process, and ``gauges`` that are read at each scrape."""

    def __init__(self, gauges: Mapping[Metric, Callable[[], float]] | None = None) -> None:
        self.counters = RequestCounters()
        self._gauges = gauges or {}

    def collect(self) -> Iterator[Family]:
        yield api_metrics.HTTP_REQUESTS.of(dict(self.counters.counts))
        yield api_metrics.HTTP_SECONDS.spread(dict(self.counters.seconds))
        yield api_metrics.HTTP_IN_FLIGHT.one(self.counters.in_flight)
        for each, read in self._gauges.items():
            yield each.one(read())


def register_routes(app: Flask) -> None:
    """Note the pattern of each request's route for the counters: a path itself may be anything."""

    def note(answer: Response) -> Response:
        request.environ[ROUTE] = request.url_rule.rule if request.url_rule else NO_ROUTE
        return answer

    app.after_request(note)
