"""Every operation and every role: nobody reads or changes what isn't theirs."""

from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient

from api.ports.seating import StoredPlan
from api.roles import Permission, Role
from api.schemas.purchase import Purchase, public_id
from api.web.permissions import PERMISSIONS
from tables.messages.outcomes import Outcome, OutcomeKind, OutcomeLine
from tables.messages.reasons import Reason
from tests.unit.api.fakes.ledger import outcome
from tests.unit.api.fakes.world import World
from tests.unit.api.pages.test_permissions import ROWS, make_event

BASE = "/api/v3"
PAGE = Path(__file__).parents[4] / "docs" / "security.md"
PASSWORD = "correct horse battery"
PERSON = {"firstName": "Ada", "lastName": "Lovelace"}
EVENT = {
    "title": "Winterreise",
    "startsAt": "2030-05-17T20:00:00+02:00",
    "endsAt": "2030-05-17T22:30:00+02:00",
    "timeZone": "Europe/Vienna",
}
STALLS = {"name": "Stalls", "price": {"amount": "49.9", "currency": "EUR"}, "quantity": 100}
PURCHASE = {
    "eventId": "{event}",
    "accountId": "{account}",
    "lines": [{"ticketTypeId": "{ticket}", "quantity": 1}],
}
REFUND = {"amount": {"amount": "9.90", "currency": "EUR"}, "reason": "goodwill"}
SEATING = {
    "sections": [
        {
            "name": "A",
            "category": "{seated}",
            "rows": [{"label": "1", "seats": [{"label": "1", "x": 0, "y": 0}]}],
        }
    ]
}
RECTANGLE = {"sections": [{"name": "A", "category": "{seated}", "rows": 2, "seatsPerRow": 2}]}
DRAWING = {"section": "A", "svg": '<svg><circle data-seat="1-1" r="5"/></svg>'}
NEW_EMAIL = {"email": "b@b.example", "currentPassword": PASSWORD}
PASSWORDS = {"currentPassword": PASSWORD, "newPassword": "another long one"}

REFUSALS = {401: "unauthorized", 403: "forbidden", 404: "not-found"}
# Beside operations and pages: they tell nothing of what is stored.
FOR_EVERYBODY = (
    "/docs",
    "/docs/swagger",
    "/docs/swagger/css/swagger-ui.css",
    "/docs/oauth2-redirect.html",
    "/openapi.json",
    "/asyncapi.json",
    "/schemas.json",
    "/seating.schema.json",
    "/problems",
    "/problems/sold-out",
    "/health/live",
    "/health/ready",
)
ROLES = ("nobody", "buyer", "organizer", "owner", "administrator")
EVERYBODY = (200,) * 5
SIGNED_IN = (401, 200, 200, 200, 200)
OWN = (401, 403, 403, 200, 200)
NOT_SHOWN = (401, 404, 404, 200, 200)
# A buyer lacks the role; to an organizer, what others have is not there.
ORGANIZERS_OWN = (401, 403, 404, 200, 200)
ADMINISTRATORS = (401, 403, 403, 403, 200)

# Method, path, body, and the answer that each of ROLES gets. The buyer and the organizer are strangers; the owner is
# an organizer whose account, event, ticket type and purchase it is.
OPERATIONS: dict[str, tuple[str, str, Any, tuple[int, ...]]] = {
    "create_session": ("POST", "/sessions", {"email": "ada@owner.example", "password": PASSWORD}, (201,) * 5),
    "read_session": ("GET", "/sessions/current", None, SIGNED_IN),
    "end_sessions": ("DELETE", "/sessions/current", None, (401, 204, 204, 204, 204)),
    "create_account": (
        "POST",
        "/accounts",
        PERSON | {"email": "new@buyer.example", "password": PASSWORD},
        (202, 202, 202, 202, 201),
    ),
    "confirm_address": ("POST", "/accounts/confirmations", {"code": "guess"}, (422,) * 5),
    "ask_for_password_reset": ("POST", "/password-resets", {"email": "ada@owner.example"}, (202,) * 5),
    "reset_password": (
        "POST",
        "/password-resets/confirmations",
        {"link": "guess", "newPassword": PASSWORD},
        (422,) * 5,
    ),
    "list_accounts": ("GET", "/accounts", None, ADMINISTRATORS),
    "read_account": ("GET", "/accounts/{account}", None, OWN),
    "replace_account": ("PUT", "/accounts/{account}", PERSON, OWN),
    "change_account": ("PATCH", "/accounts/{account}", {"phone": "+43 1 234567"}, OWN),
    "delete_account": ("DELETE", "/accounts/{account}", {"currentPassword": PASSWORD}, (401, 403, 403, 409, 409)),
    "read_email": ("GET", "/accounts/{account}/email", None, OWN),
    "change_email": ("PUT", "/accounts/{account}/email", NEW_EMAIL, (401, 403, 403, 202, 200)),
    "change_password": ("PUT", "/accounts/{account}/password", PASSWORDS, (401, 403, 403, 204, 204)),
    "change_roles": ("PUT", "/accounts/{account}/roles", {"roles": ["administrator"]}, ADMINISTRATORS),
    "create_event": ("POST", "/events", EVENT | {"organizerId": "{account}"}, (401, 403, 403, 201, 201)),
    "list_events": ("GET", "/events", None, EVERYBODY),
    "search_events": ("GET", "/events/search", None, EVERYBODY),
    "suggest": ("GET", "/events/suggest", None, EVERYBODY),
    "read_event": ("GET", "/events/{event}", None, EVERYBODY),
    "read_event_name": ("GET", "/events/{event}/name", None, EVERYBODY),
    "replace_event": ("PUT", "/events/{event}", EVENT, ORGANIZERS_OWN),
    "change_event": ("PATCH", "/events/{event}", {"title": "Schwanengesang"}, ORGANIZERS_OWN),
    "change_status": ("PUT", "/events/{event}/status", {"status": "CANCELED"}, ORGANIZERS_OWN),
    "delete_event": ("DELETE", "/events/{event}", None, (401, 403, 404, 204, 204)),
    "create_ticket_type": ("POST", "/events/{event}/tickets", STALLS, (401, 403, 404, 201, 201)),
    "list_ticket_types": ("GET", "/events/{event}/tickets", None, EVERYBODY),
    "create_ticket_type_at_old_path": ("POST", "/event/{event}/tickets", STALLS, (401, 403, 404, 201, 201)),
    "list_ticket_types_at_old_path": ("GET", "/event/{event}/tickets", None, EVERYBODY),
    "read_ticket_type": ("GET", "/tickets/{ticket}", None, EVERYBODY),
    "replace_ticket_type": ("PUT", "/tickets/{ticket}", STALLS, ORGANIZERS_OWN),
    "change_ticket_type": ("PATCH", "/tickets/{ticket}", {"quantity": 1}, ORGANIZERS_OWN),
    "delete_ticket_type": ("DELETE", "/tickets/{ticket}", None, (401, 403, 404, 204, 204)),
    "replace_seating": ("PUT", "/events/{hall}/seating", SEATING, ORGANIZERS_OWN),
    "generate_seating": ("POST", "/events/{hall}/seating/generate", RECTANGLE, ORGANIZERS_OWN),
    "copy_seating": ("POST", "/events/{hall}/seating/copy", {"copyFrom": "{hall}"}, ORGANIZERS_OWN),
    "draw_section": ("POST", "/events/{hall}/seating/draw", DRAWING, ORGANIZERS_OWN),
    "read_seating": ("GET", "/events/{hall}/seating", None, EVERYBODY),
    "delete_seating": ("DELETE", "/events/{hall}/seating", None, (401, 403, 404, 204, 204)),
    "read_seats": ("GET", "/events/{hall}/seats", None, EVERYBODY),
    "follow_seats": ("GET", "/events/{hall}/seats/changes", None, EVERYBODY),
    "buy": ("POST", "/purchases", PURCHASE, (401, 403, 403, 201, 201)),
    "read_purchase": ("GET", "/purchases/{purchase}", None, NOT_SHOWN),
    "confirm_purchase": ("POST", "/purchases/{purchase}/confirm", None, NOT_SHOWN),
    "cancel_purchase": ("POST", "/purchases/{purchase}/cancel", None, NOT_SHOWN),
    "exchange_seats": ("POST", "/purchases/{purchase}/exchange", {"give": ["A-1-1"], "take": ["A-1-2"]}, NOT_SHOWN),
    "start_payment": ("POST", "/purchases/{purchase}/payment", None, NOT_SHOWN),
    "read_payment": ("GET", "/purchases/{purchase}/payment", None, NOT_SHOWN),
    "refund_payment": ("POST", "/purchases/{purchase}/refunds", REFUND, (401, 403, 404, 409, 409)),
    "list_refunds": ("GET", "/purchases/{purchase}/refunds", None, ORGANIZERS_OWN),
    "read_payments": ("GET", "/payments", None, ADMINISTRATORS),
    "take_webhook": ("POST", "/payment-webhooks/paper", {}, EVERYBODY),
    "list_purchases": ("GET", "/accounts/{account}/purchases", None, OWN),
    "list_sales": ("GET", "/events/{event}/sales", None, ORGANIZERS_OWN),
    "sales_table": ("GET", "/events/{event}/sales.csv", None, ORGANIZERS_OWN),
    "payment_table": ("GET", "/events/{event}/payments.csv", None, ORGANIZERS_OWN),
    "list_notifications": ("GET", "/purchases/{purchase}/notifications", None, NOT_SHOWN),
    "send_again": ("POST", "/purchases/{purchase}/notifications", {}, (401, 404, 404, 202, 202)),
    "live": ("GET", "/health/live", None, EVERYBODY),
    "ready": ("GET", "/health/ready", None, EVERYBODY),
}


@pytest.fixture
def things(world: World) -> dict[str, str]:
    """Ids of what the owner has; the ledger refuses everybody else's purchases and changes of them."""
    account = world.add_account(Role.ORGANIZER, email="ada@owner.example", password=PASSWORD)
    event, hall = make_event(world, account), make_event(world, account)
    [ticket], [seated] = event.tickets, hall.tickets
    named = {"hall": str(hall.event.id), "seated": str(seated.id)}
    world.seating.plans[hall.event.id] = StoredPlan(1, filled(SEATING, named)["sections"])
    purchase = uuid4()
    world.sales.rows[event.event.id, purchase] = Purchase(
        id=public_id(event.event.id, purchase), event_id=event.event.id, account_id=account, status="confirmed"
    )
    world.payments.hold(event.event.id, purchase, "refunded")
    world.payments.signature = None
    world.ledger.rule = lambda command: decision(command, account)
    known = {"account": account, "event": event.event.id, "ticket": ticket.id}
    return {name: str(key) for name, key in known.items()} | {"purchase": f"{event.event.id}.{purchase}"} | named


def decision(command: Any, owner: UUID) -> Outcome:
    """What the ledger says to a command about a purchase of the owner."""
    request = getattr(command, "request", None)
    if command.account != owner:
        return outcome(command, OutcomeKind.REFUSED, reason=Reason.NOT_YOURS, request=request)
    line = OutcomeLine(UUID(int=1), "Stalls", 1, Decimal(1), seats=tuple(getattr(command, "take", ())))
    return outcome(command, OutcomeKind.CONFIRMED, request=request, lines=(line,) if line.seats else ())


def asking(world: World, role: str, things: dict[str, str]) -> FlaskClient:
    """A client of that role."""
    known = {
        "buyer": lambda: world.client(uuid4()),
        "organizer": lambda: world.client(uuid4(), Role.ORGANIZER),
        "owner": lambda: world.client(things["account"], Role.ORGANIZER),
        "administrator": lambda: world.client(uuid4(), Role.ADMINISTRATOR),
    }
    return known[role]() if role in known else world.app.test_client()


def filled(body: Any, things: dict[str, str]) -> Any:
    """The body with the ids in their places."""
    if isinstance(body, str) and body.startswith("{"):
        return body.format(**things)
    if isinstance(body, dict):
        return {name: filled(value, things) for name, value in body.items()}
    return [filled(value, things) for value in body] if isinstance(body, list) else body


def cases() -> list[Any]:
    return [
        pytest.param(method, path, body, role, status, id=f"{operation}-{role}")
        for operation, (method, path, body, answers) in OPERATIONS.items()
        for role, status in zip(ROLES, answers, strict=True)
    ]


@pytest.mark.parametrize(("method", "path", "body", "role", "status"), cases())
def test_every_operation_answers_every_role_as_the_table_says(
    world: World, things: dict[str, str], method: str, path: str, body: Any, role: str, status: int
) -> None:
    before = dict(world.events.rows), dict(world.accounts.rows)
    headers = {"Idempotency-Key": "k", "If-Match": "*"} if method != "GET" else {}
    answer = asking(world, role, things).open(
        f"{BASE}{path.format(**things)}", method=method, json=filled(body, things), headers=headers
    )
    assert answer.status_code == status, answer.get_data(as_text=True)
    if status in REFUSALS:
        assert (world.events.rows, world.accounts.rows) == before
        assert answer.get_json()["type"] == f"/problems/{REFUSALS[status]}"


def test_no_operation_is_left_out() -> None:
    assert set(OPERATIONS) == set(PERMISSIONS)


def test_every_route_of_the_application_is_in_a_table(world: World) -> None:
    routes = world.app.url_map.bind("localhost")
    ids: defaultdict[str, str] = defaultdict(lambda: str(uuid4()))
    listed = [(method, f"{BASE}{path}") for method, path, *_ in OPERATIONS.values()]
    listed += [(method, path) for method, path, *_ in ROWS.values()] + [("GET", path) for path in FOR_EVERYBODY]
    asked = [(method, routes.match(path.partition("?")[0].format_map(ids), method)[0]) for method, path in listed]
    served = [
        (method, rule.endpoint)
        for rule in world.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    ]
    assert sorted(asked) == sorted(served)


@pytest.mark.parametrize("role", ROLES)
def test_what_is_for_everybody_is_told_to_everybody(world: World, things: dict[str, str], role: str) -> None:
    for path in FOR_EVERYBODY:
        with asking(world, role, things).get(path) as answer:
            assert answer.status_code not in REFUSALS, path


@pytest.mark.parametrize(
    "operation",
    [name for name, access in PERMISSIONS.items() if access is not Permission.NOBODY and name in OPERATIONS],
)
def test_an_ended_session_opens_nothing(world: World, things: dict[str, str], operation: str) -> None:
    method, path, body, _ = OPERATIONS[operation]
    administrator = world.client(UUID(int=7), Role.ADMINISTRATOR)
    world.revocations.end_sessions(UUID(int=7))
    answer = administrator.open(f"{BASE}{path.format(**things)}", method=method, json=filled(body, things))
    assert answer.status_code == 401


def test_the_page_on_security_lists_every_operation_with_its_roles() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| `") and "/api/v3" in line]
    assert rows == [row(operation) for operation in OPERATIONS]


def row(operation: str) -> str:
    method, path, _, answers = OPERATIONS[operation]
    marks = " | ".join("–" if status in REFUSALS else "yes" for status in answers)
    return f"| `{method} {BASE}{path}` | {marks} | `{operation}` |"
