"""What the API counts, as metrics, and the routes that it counts by."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from flask import Flask, Response, request
from prometheus_client import Metric as Family

from api.telemetry.counters import ROUTE, Answers
from telemetry.metrics import api as metric
from telemetry.metrics.definition import Metric

NO_ROUTE: Final = "none"


class RequestFigures:
    """The answers of one process, and ``gauges`` that are read when somebody looks."""

    def __init__(self, gauges: Mapping[Metric, Callable[[], float]] | None = None) -> None:
        self.answers = Answers()
        self._gauges = gauges or {}

    def collect(self) -> Iterator[Family]:
        """The metrics."""
        yield metric.HTTP_REQUESTS.of(dict(self.answers.counts))
        yield metric.HTTP_SECONDS.spread(dict(self.answers.seconds))
        yield metric.HTTP_IN_FLIGHT.one(self.answers.in_flight)
        for each, read in self._gauges.items():
            yield each.one(read())


def register_routes(app: Flask) -> None:
    """Note the pattern of each request's route where the server finds it; an address may hold anything."""

    def note(answer: Response) -> Response:
        request.environ[ROUTE] = request.url_rule.rule if request.url_rule else NO_ROUTE
        return answer

    app.after_request(note)
