"""The metrics of the API."""

from typing import Final

from telemetry.metrics.definition import Metric, metrics_in

HTTP_REQUESTS: Final = Metric(
    "turnstile_http_requests_total",
    "counter",
    "api",
    "responses; `route` is the route's pattern, or none; `status` is `aborted` if the client had disconnected",
    ("method", "route", "status"),
)
HTTP_SECONDS: Final = Metric(
    "turnstile_http_request_seconds",
    "histogram",
    "api",
    "time from a request's head to the last byte of its response",
    ("method", "route"),
)
HTTP_IN_FLIGHT: Final = Metric("turnstile_http_requests_in_flight", "gauge", "api", "requests without a response yet")
PURCHASES_WAITING: Final = Metric(
    "turnstile_purchases_waiting", "gauge", "api", "requests that wait for the ledger's decision on a command"
)

METRICS: Final = metrics_in(vars())
