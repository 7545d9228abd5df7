"""Health, the OpenAPI document and its page."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from api.problem_kinds import PROBLEMS, REFUSALS
from api.roles import Permission
from api.web.permissions import PERMISSIONS
from tables.messages.reasons import Reason
from tests.unit.api.fakes.world import World

DOCS = Path(__file__).parents[4] / "docs" / "api.md"


def broken() -> None:
    raise ConnectionError("10.0.0.1 refused")


def test_the_process_lives_whatever_is_down(world: World, client: FlaskClient) -> None:
    world.probes["postgres"] = broken
    assert client.get("/health/live").get_json() == {"status": "live"}


@pytest.mark.parametrize(
    ("down", "status", "code"),
    [
        (None, "ready", 200),
        ("elasticsearch", "degraded", 200),
        ("worker", "degraded", 200),
        ("kafka", "unready", 503),
        ("postgres", "unready", 503),
    ],
)
def test_readiness_names_every_server(
    world: World, client: FlaskClient, down: str | None, status: str, code: int
) -> None:
    checks = dict.fromkeys(world.probes, "up")
    if down:
        world.probes[down] = broken
        checks[down] = "down"
    for where in ("/health/ready", "/api/v3/health/ready"):
        answer = client.get(where)
        assert (answer.status_code, answer.get_json()) == (code, {"status": status, "checks": checks})


def operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for path in document["paths"].values():
        yield from path.values()


def test_the_document_describes_every_route_with_its_answers(world: World, client: FlaskClient) -> None:
    document = client.get("/openapi.json").get_json()
    assert document["openapi"] == "3.1.0"
    served = {re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule) for rule in world.app.url_map.iter_rules()}
    assert {rule for rule in served if rule.startswith("/api")} == set(document["paths"])
    names = [operation["operationId"] for operation in operations(document)]
    assert len(names) == len(set(names))
    for operation in operations(document):
        for status, described in operation["responses"].items():
            media = "application/problem+json" if int(status) >= 400 else "application/json"
            if status in ("204", "304"):
                continue
            assert media in described["content"] or operation["operationId"] in (
                "ready",
                "sales_table",
                "payment_table",
                "follow_seats",
            )


def test_a_refund_of_tickets_tells_all_for_which_they_can_not_be_given_back(client: FlaskClient) -> None:
    kinds = {
        operation["operationId"]: {
            kind for each in operation["responses"].values() for kind in re.findall("`([a-z-]+)`", each["description"])
        }
        for operation in operations(client.get("/openapi.json").get_json())
    }
    assert kinds["cancel_purchase"] <= kinds["refund_payment"]


def test_every_reference_of_the_document_leads_somewhere(client: FlaskClient) -> None:
    answer = client.get("/openapi.json")
    schemas = answer.get_json()["components"]["schemas"]
    for name in re.findall(r'"#/components/schemas/([^"]+)"', answer.get_data(as_text=True)):
        assert name in schemas


def test_the_page_is_served_with_its_scripts_from_this_process(world: World) -> None:
    client = world.app.test_client()
    page = client.get("/docs", follow_redirects=True)
    assert page.status_code == 200
    links = re.findall(r'(?:src|href)="([^"]+)"', page.get_data(as_text=True))
    assert links
    for link in links:
        with client.get(f"/docs/{link}") as found:
            assert found.status_code == 200
    assert "http://" not in page.get_data(as_text=True)
    assert "https://" not in page.get_data(as_text=True)


def test_every_reason_of_a_rejected_purchase_has_a_problem() -> None:
    later = {Reason.UNKNOWN_PURCHASE, Reason.NOT_YOURS, Reason.EVENT_CANCELED, Reason.HOLD_ENDED}
    assert set(REFUSALS) == set(Reason) - later
    assert set(REFUSALS.values()) <= set(PROBLEMS)


def test_every_problem_is_in_the_documentation() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| (\d{3}) \| (.+) \|$", DOCS.read_text(), re.MULTILINE)
    assert rows == [(name, str(kind.status), kind.when) for name, kind in PROBLEMS.items()]


def test_every_problems_type_leads_to_a_page_about_it(world: World) -> None:
    client = world.app.test_client()
    everything = client.get("/problems").get_data(as_text=True)
    for name, kind in PROBLEMS.items():
        page = client.get(f"/problems/{name}")
        assert (page.status_code, page.mimetype) == (200, "text/html")
        assert f"<h1>{kind.title}</h1>" in page.get_data(as_text=True)
        assert f'href="/problems/{name}"' in everything
    assert client.get("/problems/unheard-of").status_code == 404


def test_the_document_asks_for_a_token_where_the_api_does(client: FlaskClient) -> None:
    document = client.get("/openapi.json").get_json()
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    for operation in operations(document):
        access = PERMISSIONS[operation["operationId"]]
        wanted: Any = {Permission.NOBODY: [], Permission.ANYONE: [{}, {"token": []}]}.get(access, [{"token": []}])
        assert operation["security"] == wanted
        signs_in = operation["operationId"] == "create_session"
        assert ("401" in operation["responses"]) == (access is not Permission.NOBODY or signs_in)
