"""What the API counts of requests, whichever way they were answered, and the page that tells it."""

import time
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from flask.testing import FlaskClient
from prometheus_client import CollectorRegistry, generate_latest

from api.http_application import ABORTED, PURCHASES_ROUTE, HttpApplication
from api.purchasing.service import PATH, PurchaseFastPath
from api.roles import Role
from api.telemetry.endpoint import registry_of
from api.telemetry.request_metrics import NO_ROUTE, RequestMetrics
from api.web.wsgi_threads import WsgiThreads
from telemetry.metrics.api import PURCHASES_WAITING
from tests.unit.api.asgi import ask
from tests.unit.api.fakes.world import World

BASE = "/api/v3"


def value(metrics: RequestMetrics, name: str, **labels: str) -> float | None:
    registry = CollectorRegistry()
    registry.register(metrics)
    return registry.get_sample_value(name, labels)


class Server:
    """Hands each request to the application as the HTTP server does, and keeps the metrics."""

    def __init__(self, world: World) -> None:
        self.metrics = RequestMetrics({PURCHASES_WAITING: lambda: 3})
        application: Any = world.app.wsgi_app
        threads = WsgiThreads(application.inner)
        self.application = HttpApplication(
            PurchaseFastPath(world.app.extensions["turnstile"]), threads, self.metrics.counters
        )
        token, _ = world.tokens.issue(UUID(int=0), frozenset(Role))
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def ask(self, method: str, target: str, body: str = "", **headers: str) -> list[dict[str, Any]]:
        """What the application sends."""
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        return ask(self.application, method, target, body, self._headers | more)


@pytest.fixture
def server(world: World) -> Server:
    return Server(world)


def test_an_answer_is_counted_under_its_route_whatever_the_address_says(server: Server, ticket: dict[str, Any]) -> None:
    for key in (ticket["id"], str(uuid4()), str(uuid4())):
        server.ask("GET", f"{BASE}/tickets/{key}")
    name, labels = "turnstile_http_requests_total", {"method": "GET", "route": f"{BASE}/tickets/<uuid:ticketId>"}
    assert value(server.metrics, name, **labels, status="200") == 1
    assert value(server.metrics, name, **labels, status="404") == 2


def test_what_has_no_route_and_what_has_no_method_are_one_each(server: Server) -> None:
    for path in ("/wp-login.php", "/x" * 99):
        server.ask("GET", path)
    server.ask("BREW", "/x")
    name = "turnstile_http_requests_total"
    assert value(server.metrics, name, method="GET", route=NO_ROUTE, status="404") == 2
    assert value(server.metrics, name, method="other", route=NO_ROUTE, status="404") == 1


def test_a_purchase_counts_the_same_the_quick_way_and_the_other(
    server: Server, account: dict[str, Any], ticket: dict[str, Any]
) -> None:
    lines = [{"ticketTypeId": ticket["id"], "quantity": 2}]
    body = {"eventId": ticket["eventId"], "accountId": account["id"], "lines": lines}
    text = msgspec.json.encode(body).decode()
    quick = server.ask("POST", f"{BASE}/purchases", text, Idempotency_Key="a")
    slow = server.ask("POST", f"{BASE}/purchases?x", text, Idempotency_Key="b")
    assert (quick[0]["status"], slow[0]["status"]) == (202, 202)
    labels = {"method": "POST", "route": f"{BASE}/purchases"}
    assert value(server.metrics, "turnstile_http_requests_total", **labels, status="202") == 2
    assert value(server.metrics, "turnstile_http_request_seconds_count", **labels) == 2


def test_a_client_that_went_away_is_counted_as_that(server: Server) -> None:
    server.application._count("GET", "/docs", None, time.perf_counter() - 0.3)
    labels = {"method": "GET", "route": "/docs"}
    assert value(server.metrics, "turnstile_http_requests_total", **labels, status=ABORTED) == 1
    assert value(server.metrics, "turnstile_http_request_seconds_bucket", **labels, le="0.25") == 0


def test_the_page_tells_requests_gauges_and_the_process(server: Server) -> None:
    server.ask("GET", "/health/live")
    server.ask("GET", "/health/ready")
    page = generate_latest(registry_of(server.metrics)).decode()
    assert 'turnstile_http_requests_total{method="GET",route="/health/live",status="200"} 1.0' in page
    assert 'turnstile_http_requests_total{method="GET",route="/health/ready",status="200"} 1.0' in page
    assert "turnstile_purchases_waiting 3.0" in page
    assert "process_resident_memory_bytes" in page


def test_an_answer_that_fails_is_counted_as_that(server: Server, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(environ: Any, start_response: Any) -> Any:
        raise RuntimeError("no")

    application = HttpApplication(
        PurchaseFastPath(world.app.extensions["turnstile"]), WsgiThreads(broken), server.metrics.counters
    )
    with pytest.raises(RuntimeError):
        ask(application, "GET", "/x")
    labels = {"method": "GET", "route": PURCHASES_ROUTE, "status": "500"}
    assert value(server.metrics, "turnstile_http_requests_total", **labels) == 1
    assert server.metrics.counters.in_flight == 0


def test_customers_find_no_metrics(client: FlaskClient) -> None:
    assert client.get("/metrics").status_code == 404
    assert client.get(f"{BASE}/metrics").status_code == 404


def test_the_quick_way_is_counted_under_its_route() -> None:
    assert PURCHASES_ROUTE == PATH
