"""The metrics of the API."""

from typing import Final

from telemetry.metrics.definition import Metrics

API: Final = Metrics("api")

HTTP_REQUESTS: Final = API.counter(
    "turnstile_http_requests_total",
    "responses; `route` is the route's pattern, or none; `status` is `aborted` if the client had disconnected",
    "method",
    "route",
    "status",
)
HTTP_SECONDS: Final = API.histogram(
    "turnstile_http_request_seconds", "time from a request's head to the last byte of its response", "method", "route"
)
HTTP_IN_FLIGHT: Final = API.gauge("turnstile_http_requests_in_flight", "requests without a response yet")
PURCHASES_WAITING: Final = API.gauge(
    "turnstile_purchases_waiting", "requests that wait for the ledger's decision on a command"
)
