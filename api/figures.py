"""What the API counts: each answer once, by the server itself, whichever way it was made; in plain numbers."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from flask import Flask, Response, request
from prometheus_client import Metric as Family

from api.express import PATH
from metrics import catalogue as metric
from metrics.definition import Metric
from metrics.histogram import Histogram

# Where a request's route stands once the framework has found it. What was answered before that came the quick way.
ROUTE: Final = "turnstile.route"
NO_ROUTE: Final = "none"
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
ABORTED: Final = "aborted"


class RequestFigures:
    """The requests of one process. ``gauges`` are read when somebody looks."""

    def __init__(self, gauges: Mapping[Metric, Callable[[], float]] | None = None) -> None:
        self.in_flight = 0
        self._gauges = gauges or {}
        self._answers: Counter[tuple[str, ...]] = Counter()
        self._seconds: dict[tuple[str, ...], Histogram] = {}

    def answered(self, environ: Mapping[str, Any], status: str | None, began: float) -> None:
        """A request that began then (by time.perf_counter) is answered, or its client has gone (None)."""
        method = environ["REQUEST_METHOD"]
        place = (method if method in METHODS else "other", environ.get(ROUTE, PATH))
        self._answers[(*place, status[:3] if status else ABORTED)] += 1
        seconds = self._seconds.get(place)
        if seconds is None:
            seconds = self._seconds[place] = Histogram(metric.HTTP_SECONDS.bounds)
        seconds.add(time.perf_counter() - began)

    def collect(self) -> Iterator[Family]:
        """The metrics."""
        yield metric.HTTP_REQUESTS.of(dict(self._answers))
        yield metric.HTTP_SECONDS.spread(dict(self._seconds))
        yield metric.HTTP_IN_FLIGHT.one(self.in_flight)
        for each, read in self._gauges.items():
            yield each.one(read())


def register_routes(app: Flask) -> None:
    """Note the pattern of each request's route where the server finds it; an address may hold anything."""

    def note(answer: Response) -> Response:
        request.environ[ROUTE] = request.url_rule.rule if request.url_rule else NO_ROUTE
        return answer

    app.after_request(note)
