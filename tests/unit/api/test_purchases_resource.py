"""Purchases over HTTP."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4, uuid5

import pytest
from flask.testing import FlaskClient

from api.bodies.purchase import pending
from api.problems import PROBLEMS, REFUSALS
from tables.outcomes import OutcomeKind
from tables.reasons import Reason
from tests.unit.api.fakes import World, confirmed, outcome, rejected

PURCHASES = "/api/v3/purchases"
Buy = Callable[..., Any]


@pytest.fixture
def buy(client: FlaskClient, account: dict[str, Any], ticket: dict[str, Any]) -> Buy:
    """Sends a purchase of two tickets, with any part of it changed."""

    def send(change: dict[str, Any] | None = None, key: str | None = "k-1", **headers: str) -> Any:
        lines = [{"ticketTypeId": ticket["id"], "quantity": 2}]
        body = {"eventId": ticket["eventId"], "accountId": account["id"], "lines": lines}
        keys = {} if key is None else {"Idempotency-Key": key}
        return client.post(PURCHASES, json=body | (change or {}), headers=keys | headers)

    return send


def test_a_confirmed_purchase_is_created_where_its_location_says(
    world: World, client: FlaskClient, buy: Buy, account: dict[str, Any], ticket: dict[str, Any]
) -> None:
    world.office.rule = confirmed
    answer = buy()
    assert answer.status_code == 201
    purchase = answer.get_json()
    mine = uuid5(UUID(account["id"]), "k-1")
    assert purchase == {
        "id": f"{ticket['eventId']}.{mine}",
        "eventId": ticket["eventId"],
        "accountId": account["id"],
        "status": "confirmed",
        "lines": [
            {
                "ticketTypeId": ticket["id"],
                "name": "Stalls",
                "quantity": 2,
                "price": {"amount": "10.00", "currency": "EUR"},
                "codes": ["c", "c"],
            }
        ],
        "total": {"amount": "20.00", "currency": "EUR"},
        "decidedAt": "2030-01-02T03:04:05Z",
    }
    assert answer.headers["Location"] == f"{PURCHASES}/{purchase['id']}"


def test_the_same_key_makes_the_same_command_and_another_key_another(
    world: World, buy: Buy, account: dict[str, Any]
) -> None:
    world.office.rule = confirmed
    for key in ("k-1", "k-1", "k-2"):
        buy(key=key)
    first, second, third = (command.purchase for command in world.office.handed_in)
    assert first == second != third


def test_an_undecided_purchase_is_accepted_and_pending_until_it_is_found(
    world: World, client: FlaskClient, buy: Buy
) -> None:
    answer = buy()
    assert (answer.status_code, answer.get_json()["status"]) == (202, "pending")
    where = answer.headers["Location"]
    assert client.get(where).get_json() == answer.get_json()
    [command] = world.office.handed_in
    found = pending(command.event, command.purchase).model_copy(update={"status": "confirmed"})
    world.sales.rows[command.event, command.purchase] = found
    assert client.get(where).get_json()["status"] == "confirmed"


def test_an_accepted_purchase_is_pending_while_nobody_can_tell_its_decision(
    world: World, client: FlaskClient, buy: Buy
) -> None:
    accepted = buy().headers["Location"]
    world.sales.down = True
    assert client.get(accepted).get_json()["status"] == "pending"
    assert client.get(f"{PURCHASES}/{uuid4()}.{uuid4()}").status_code == 503


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason in REFUSALS])
def test_every_rejection_is_a_problem_of_its_own(world: World, buy: Buy, reason: Reason) -> None:
    world.office.rule = rejected(reason, limit=4, requested=6)
    answer = buy()
    kind = REFUSALS[reason]
    assert (answer.status_code, answer.get_json()["type"]) == (PROBLEMS[kind].status, f"/problems/{kind}")
    assert answer.get_json()["figures"] == {"limit": 4, "requested": 6}


def test_the_ledgers_word_on_an_unknown_ticket_type_points_to_its_line(
    world: World, buy: Buy, ticket: dict[str, Any]
) -> None:
    world.office.rule = rejected(Reason.UNKNOWN_TICKET_TYPE, ticketType=ticket["id"])
    assert buy().get_json()["errors"][0]["pointer"] == "/lines/0/ticketTypeId"


def test_a_refused_reuse_of_a_key_is_told(world: World, buy: Buy) -> None:
    world.office.rule = lambda command: outcome(command, OutcomeKind.REFUSED, reason=Reason.ID_REUSED)
    answer = buy()
    assert (answer.status_code, answer.get_json()["type"]) == (422, "/problems/idempotency-key-reused")


@pytest.mark.parametrize("key", [None, "", " ", "k" * 256, "käse"])
def test_a_purchase_without_a_usable_key_is_a_bad_request(world: World, buy: Buy, key: str | None) -> None:
    answer = buy(key=key)
    assert (answer.status_code, answer.get_json()["type"]) == (400, "/problems/idempotency-key-missing")
    assert not world.office.handed_in


@pytest.mark.parametrize("quantity", [0, -3, 1.5, 1.0, "2", None, True, 1_001, 10**40])
def test_a_quantity_that_is_none_is_refused_before_anything_is_written(
    world: World, buy: Buy, ticket: dict[str, Any], quantity: object
) -> None:
    answer = buy({"lines": [{"ticketTypeId": ticket["id"], "quantity": quantity}]})
    assert (answer.status_code, answer.get_json()["errors"][0]["pointer"]) == (422, "/lines/0/quantity")
    assert not world.office.handed_in


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"eventId": str(uuid4())}, "/eventId"),
        ({"eventId": "x"}, "/eventId"),
        ({"accountId": str(uuid4())}, "/accountId"),
        ({"accountId": None}, "/accountId"),
        ({"lines": [{"ticketTypeId": str(uuid4()), "quantity": 1}]}, "/lines/0/ticketTypeId"),
        ({"lines": []}, "/lines"),
        ({"lines": {}}, "/lines"),
        ({"lines": [{"ticketTypeId": str(uuid4()), "quantity": 1}] * 51}, "/lines"),
        ({"lines": [{"quantity": 1}]}, "/lines/0/ticketTypeId"),
        ({"price": "0.01"}, "/price"),
    ],
)
def test_a_wrong_field_is_named_before_anything_is_written(
    world: World, buy: Buy, change: dict[str, Any], pointer: str
) -> None:
    answer = buy(change)
    assert (answer.status_code, answer.get_json()["errors"][0]["pointer"]) == (422, pointer)
    assert not world.office.handed_in


@pytest.mark.parametrize(
    ("prefer", "seconds", "applied"),
    [
        (None, 1.5, None),
        ("respond-async", 0.0, "respond-async"),
        ("wait=7", 7.0, "wait=7"),
        ("handling=lenient, wait=600", 30.0, "wait=30"),
        ("respond-async, wait=5", 0.0, "respond-async"),
        ("wait=soon", 1.5, None),
    ],
)
def test_the_client_may_say_how_long_it_waits(
    world: World, buy: Buy, prefer: str | None, seconds: float, applied: str | None
) -> None:
    answer = buy(**({"Prefer": prefer} if prefer else {}))
    assert (world.office.waits, answer.headers.get("Preference-Applied")) == ([seconds], applied)


def test_a_dead_broker_is_unavailable_and_never_accepted(world: World, buy: Buy) -> None:
    world.office.down = True
    answer = buy()
    assert (answer.status_code, answer.headers["Retry-After"], answer.get_json()["server"]) == (503, "2", "kafka")


@pytest.mark.parametrize("name", ["1", f"{uuid4()}", f"{uuid4()}.{uuid4()}", f"{uuid4()}.{uuid4()}.1", "..."])
def test_a_purchase_that_nobody_knows_is_not_found(client: FlaskClient, name: str) -> None:
    assert client.get(f"{PURCHASES}/{name}").status_code == 404


def test_a_read_may_wait_for_the_decision(world: World, client: FlaskClient) -> None:
    ids = uuid4(), uuid4()
    world.office.later = pending(*ids).model_copy(update={"status": "rejected"})
    answer = client.get(f"{PURCHASES}/{ids[0]}.{ids[1]}?wait=3.5")
    assert (answer.get_json()["status"], world.office.waits) == ("rejected", [3.5])


@pytest.mark.parametrize("wait", ["-1", "31", "nan", "inf", "soon"])
def test_a_read_does_not_wait_for_ever(client: FlaskClient, wait: str) -> None:
    answer = client.get(f"{PURCHASES}/{uuid4()}.{uuid4()}?wait={wait}")
    assert (answer.status_code, answer.get_json()["errors"][0]["pointer"]) == (422, "?wait")
