"""What the API counts of requests, whichever way they were answered, and the page that tells it."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from flask.testing import FlaskClient
from prometheus_client import CollectorRegistry

from api.counting import ABORTED, QUICK, ROUTE
from api.express import PATH
from api.figures import NO_ROUTE, RequestFigures
from api.metrics import metrics_app
from metrics.catalogue import PURCHASES_WAITING
from tests.unit.api.fakes import World

BASE = "/api/v3"
ROOT = Path(__file__).parents[3]


def value(figures: RequestFigures, name: str, **labels: str) -> float | None:
    registry = CollectorRegistry()
    registry.register(figures)
    return registry.get_sample_value(name, labels)


class Server:
    """Hands each request to the application as the HTTP server does, and counts it."""

    def __init__(self, world: World) -> None:
        self.figures = RequestFigures({PURCHASES_WAITING: lambda: 3})
        self._inner: Any = world.app.wsgi_app
        world.app.wsgi_app = self  # type: ignore[method-assign]

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        said: list[str] = []

        def start(status: str, headers: Any, *more: Any) -> Any:
            said.append(status)
            return start_response(status, headers, *more)

        began = time.perf_counter()
        pieces = self._inner(environ, start)
        method, route = environ["REQUEST_METHOD"], environ.get(ROUTE, QUICK)
        self.figures.answers.answered(method, route, int(said[0][:3]), began)
        return pieces


@pytest.fixture
def server(world: World, client: FlaskClient) -> Server:
    return Server(world)


def test_an_answer_is_counted_under_its_route_whatever_the_address_says(
    server: Server, client: FlaskClient, ticket: dict[str, Any]
) -> None:
    for key in (ticket["id"], str(uuid4()), str(uuid4())):
        client.get(f"{BASE}/tickets/{key}")
    name, labels = "turnstile_http_requests_total", {"method": "GET", "route": f"{BASE}/tickets/<uuid:ticketId>"}
    assert value(server.figures, name, **labels, status="200") == 1
    assert value(server.figures, name, **labels, status="404") == 2


def test_what_has_no_route_and_what_has_no_method_are_one_each(server: Server, client: FlaskClient) -> None:
    for path in ("/wp-login.php", "/x" * 99):
        client.get(path)
    client.open("/x", method="BREW")
    name = "turnstile_http_requests_total"
    assert value(server.figures, name, method="GET", route=NO_ROUTE, status="404") == 2
    assert value(server.figures, name, method="other", route=NO_ROUTE, status="404") == 1


def test_a_purchase_counts_the_same_the_quick_way_and_the_other(
    server: Server, client: FlaskClient, account: dict[str, Any], ticket: dict[str, Any]
) -> None:
    lines = [{"ticketTypeId": ticket["id"], "quantity": 2}]
    body = {"eventId": ticket["eventId"], "accountId": account["id"], "lines": lines}
    quick = client.post(f"{BASE}/purchases", json=body, headers={"Idempotency-Key": "a"})
    slow = client.post(f"{BASE}/purchases?x", json=body, headers={"Idempotency-Key": "b"})
    assert (quick.status_code, slow.status_code) == (202, 202)
    labels = {"method": "POST", "route": f"{BASE}/purchases"}
    assert value(server.figures, "turnstile_http_requests_total", **labels, status="202") == 2
    assert value(server.figures, "turnstile_http_request_seconds_count", **labels) == 2


def test_a_client_that_went_away_is_counted_as_that() -> None:
    figures = RequestFigures()
    figures.answers.answered("GET", "/docs", None, time.perf_counter() - 0.3)
    labels = {"method": "GET", "route": "/docs"}
    assert value(figures, "turnstile_http_requests_total", **labels, status=ABORTED) == 1
    assert value(figures, "turnstile_http_request_seconds_bucket", **labels, le="0.25") == 0


def test_the_page_tells_requests_gauges_and_the_process(server: Server, client: FlaskClient) -> None:
    client.get("/health/live")
    transport = httpx.WSGITransport(app=metrics_app(server.figures))
    page = httpx.Client(transport=transport, base_url="http://operators").get("/metrics").text
    assert 'turnstile_http_requests_total{method="GET",route="/health/live",status="200"} 1.0' in page
    assert "turnstile_purchases_waiting 3.0" in page
    assert "process_resident_memory_bytes" in page


def test_customers_find_no_metrics(client: FlaskClient) -> None:
    assert client.get("/metrics").status_code == 404
    assert client.get(f"{BASE}/metrics").status_code == 404


def test_the_quick_way_is_counted_under_its_route() -> None:
    assert QUICK == PATH


def test_the_server_counts_without_what_must_not_be_there_before_the_library_is_patched() -> None:
    program = "import sys, api.serving; print([name for name in ('flask', 'limits', 'prometheus_client', 'kafka') "
    program += "if name in sys.modules])"
    done = subprocess.run((sys.executable, "-c", program), capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "[]\n"
