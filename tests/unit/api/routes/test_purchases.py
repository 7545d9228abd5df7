"""Purchases over HTTP."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4, uuid5

import pytest
from flask.testing import FlaskClient

from api.problem_kinds import PROBLEMS, REFUSALS
from api.roles import Role
from api.schemas.purchase import pending
from tables.messages.commands import Buy, Cancel, Confirm, Exchange, Hold
from tables.messages.outcomes import MoneyAmount, OutcomeKind, OutcomeLine
from tables.messages.reasons import Reason
from tables.messages.statuses import PurchaseStatus
from tests.unit.api.fakes.clock import NOW
from tests.unit.api.fakes.ledger import confirmed, outcome, rejected
from tests.unit.api.fakes.world import World

PURCHASES = "/api/v3/purchases"
BuyFixture = Callable[..., Any]


@pytest.fixture
def buy(client: FlaskClient, account: dict[str, Any], ticket: dict[str, Any]) -> BuyFixture:
    """Sends a purchase of two tickets, with any part of it changed."""

    def send(change: dict[str, Any] | None = None, key: str | None = "k-1", **headers: str) -> Any:
        lines = [{"ticketTypeId": ticket["id"], "quantity": 2}]
        body = {"eventId": ticket["eventId"], "accountId": account["id"], "lines": lines}
        keys = {} if key is None else {"Idempotency-Key": key}
        return client.post(PURCHASES, json=body | (change or {}), headers=keys | headers)

    return send


def test_a_confirmed_purchase_is_created_where_its_location_says(
    world: World, client: FlaskClient, buy: BuyFixture, account: dict[str, Any], ticket: dict[str, Any]
) -> None:
    world.ledger.rule = confirmed
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
    world: World, buy: BuyFixture, account: dict[str, Any]
) -> None:
    world.ledger.rule = confirmed
    for key in ("k-1", "k-1", "k-2"):
        buy(key=key)
    first, second, third = (command.purchase for command in world.ledger.handed_in)
    assert first == second != third


def test_an_undecided_purchase_is_accepted_and_pending_until_it_is_found(
    world: World, client: FlaskClient, buy: BuyFixture
) -> None:
    answer = buy()
    assert (answer.status_code, answer.get_json()["status"]) == (202, "pending")
    where, plain = answer.headers["Location"], f"{PURCHASES}/{answer.get_json()['id']}"
    for path in (where, plain):
        assert client.get(path).get_json() == answer.get_json()
        assert world.client(uuid4()).get(path).status_code == 404
    [command] = world.ledger.handed_in
    found = pending(command.event, command.purchase, command.account).model_copy(update={"status": "confirmed"})
    world.sales.rows[command.event, command.purchase] = found
    assert client.get(where).get_json()["status"] == "confirmed"


def test_an_accepted_purchase_is_pending_while_nobody_can_tell_its_decision(
    world: World, client: FlaskClient, buy: BuyFixture
) -> None:
    accepted = buy().headers["Location"]
    world.sales.down = True
    assert client.get(accepted).get_json()["status"] == "pending"
    assert client.get(f"{PURCHASES}/{uuid4()}.{uuid4()}").status_code == 503


def test_a_purchase_that_another_process_accepted_is_pending_for_its_buyer_alone(
    world: World, buy: BuyFixture, account: dict[str, Any]
) -> None:
    accepted = buy()
    where, plain = accepted.headers["Location"], f"{PURCHASES}/{accepted.get_json()['id']}"
    world.ledger.handed_in.clear()
    buyer = world.client(account["id"])
    for path in (where, f"{where}?wait=1"):
        assert buyer.get(path).get_json() == accepted.get_json()
    assert buyer.get(plain).status_code == 404
    assert world.client(uuid4()).get(where).status_code == 404
    world.sales.down = True
    assert buyer.get(where).get_json()["status"] == "pending"
    assert buyer.get(plain).status_code == 503
    assert world.client(uuid4()).get(where).status_code == 503


def test_a_hold_that_another_process_accepted_is_confirmed_and_given_back_under_its_long_id(
    world: World, client: FlaskClient, buy: BuyFixture, account: dict[str, Any]
) -> None:
    where = buy({"hold": True}).headers["Location"]
    world.ledger.handed_in.clear()
    for caller in (client, world.client(account["id"])):
        for what in ("confirm", "cancel"):
            answer = caller.post(f"{where}/{what}")
            assert (answer.status_code, answer.headers["Location"]) == (202, where)
    assert {str(command.account) for command in world.ledger.handed_in} == {account["id"]}


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason in REFUSALS])
def test_every_rejection_is_a_problem_of_its_own(world: World, buy: BuyFixture, reason: Reason) -> None:
    world.ledger.rule = rejected(reason, limit=4, requested=6)
    answer = buy()
    kind = REFUSALS[reason]
    assert (answer.status_code, answer.get_json()["type"]) == (PROBLEMS[kind].status, f"/problems/{kind}")
    assert answer.get_json()["figures"] == {"limit": 4, "requested": 6}


def test_the_ledgers_word_on_an_unknown_event_or_ticket_type_points_to_it(
    world: World, buy: BuyFixture, ticket: dict[str, Any]
) -> None:
    world.ledger.rule = rejected(Reason.UNKNOWN_TICKET_TYPE, ticketType=ticket["id"])
    assert buy().get_json()["errors"][0]["pointer"] == "/lines/0/ticketTypeId"
    world.ledger.rule = rejected(Reason.UNKNOWN_EVENT)
    assert buy().get_json()["errors"][0]["pointer"] == "/eventId"


def test_a_refused_reuse_of_a_key_is_told(world: World, buy: BuyFixture) -> None:
    world.ledger.rule = lambda command: outcome(command, OutcomeKind.REFUSED, reason=Reason.ID_REUSED)
    answer = buy()
    assert (answer.status_code, answer.get_json()["type"]) == (422, "/problems/idempotency-key-reused")


@pytest.mark.parametrize("key", [None, "", " ", "k" * 256, "käse"])
def test_a_purchase_without_a_usable_key_is_a_bad_request(world: World, buy: BuyFixture, key: str | None) -> None:
    answer = buy(key=key)
    assert (answer.status_code, answer.get_json()["type"]) == (400, "/problems/idempotency-key-missing")
    assert not world.ledger.handed_in


@pytest.mark.parametrize("quantity", [0, -3, 1.5, "2", None, True, 1_001, 10**40])
def test_a_quantity_that_is_none_is_refused_before_anything_is_written(
    world: World, buy: BuyFixture, ticket: dict[str, Any], quantity: object
) -> None:
    answer = buy({"lines": [{"ticketTypeId": ticket["id"], "quantity": quantity}]})
    assert (answer.status_code, answer.get_json()["errors"][0]["pointer"]) == (422, "/lines/0/quantity")
    assert not world.ledger.handed_in


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
    world: World, buy: BuyFixture, change: dict[str, Any], pointer: str
) -> None:
    answer = buy(change)
    assert (answer.status_code, answer.get_json()["errors"][0]["pointer"]) == (422, pointer)
    assert not world.ledger.handed_in


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
    world: World, buy: BuyFixture, prefer: str | None, seconds: float, applied: str | None
) -> None:
    answer = buy(**({"Prefer": prefer} if prefer else {}))
    assert (world.ledger.waits, answer.headers.get("Preference-Applied")) == ([seconds], applied)


def test_a_dead_broker_is_unavailable_and_never_accepted(world: World, buy: BuyFixture) -> None:
    world.ledger.down = True
    answer = buy()
    assert (answer.status_code, answer.headers["Retry-After"], answer.get_json()["server"]) == (503, "2", "kafka")


@pytest.mark.parametrize("name", ["1", f"{uuid4()}", f"{uuid4()}.{uuid4()}", f"{uuid4()}.{uuid4()}.1", "..."])
def test_a_purchase_that_nobody_knows_is_not_found(client: FlaskClient, name: str) -> None:
    assert client.get(f"{PURCHASES}/{name}").status_code == 404


def test_a_read_may_wait_for_the_decision(world: World, client: FlaskClient) -> None:
    ids = uuid4(), uuid4()
    world.ledger.later = pending(*ids, uuid4()).model_copy(update={"status": "rejected"})
    answer = client.get(f"{PURCHASES}/{ids[0]}.{ids[1]}?wait=3.5")
    assert (answer.get_json()["status"], world.ledger.waits) == ("rejected", [3.5])


@pytest.mark.parametrize("status", ["pending", "confirmed"])
def test_somebody_else_s_purchase_is_waited_for_as_one_that_never_was(world: World, status: str) -> None:
    ids, reader = (uuid4(), uuid4()), world.client(uuid4())
    world.sales.rows[ids] = pending(*ids, uuid4()).model_copy(update={"status": status})
    world.ledger.later = pending(*ids, uuid4()).model_copy(update={"status": "confirmed"})
    answers = [reader.get(f"{PURCHASES}/{name}?wait=3.5") for name in (f"{ids[0]}.{ids[1]}", f"{uuid4()}.{uuid4()}")]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].get_json() == answers[1].get_json()
    assert world.ledger.waits == [3.5, 3.5]


@pytest.mark.parametrize("wait", ["-1", "31", "nan", "inf", "soon"])
def test_a_read_does_not_wait_for_ever(client: FlaskClient, wait: str) -> None:
    answer = client.get(f"{PURCHASES}/{uuid4()}.{uuid4()}?wait={wait}")
    assert (answer.status_code, answer.get_json()["errors"][0]["pointer"]) == (422, "?wait")


def test_a_buyer_need_not_name_the_account(world: World, account: dict[str, Any], buy: BuyFixture, ticket: Any) -> None:
    body = {"eventId": ticket["eventId"], "lines": [{"ticketTypeId": ticket["id"], "quantity": 1}]}
    buyer = world.client(account["id"])
    assert buyer.post(PURCHASES, json=body, headers={"Idempotency-Key": "k"}).status_code == 202
    assert [str(command.account) for command in world.ledger.handed_in] == [account["id"]]


def test_nobody_buys_for_somebody_else_but_an_administrator(
    world: World, buy: BuyFixture, ticket: Any, account: Any
) -> None:
    body = {
        "eventId": ticket["eventId"],
        "accountId": account["id"],
        "lines": [{"ticketTypeId": ticket["id"], "quantity": 1}],
    }
    other = world.client(uuid4())
    assert other.post(PURCHASES, json=body, headers={"Idempotency-Key": "k"}).status_code == 403
    assert not world.ledger.handed_in
    assert buy().status_code == 202


def test_a_hold_is_created_with_its_deadline(world: World, buy: BuyFixture) -> None:
    deadline = NOW + timedelta(seconds=90)
    world.ledger.rule = lambda command: outcome(
        command, OutcomeKind.HELD, status=PurchaseStatus.HELD, deadline=deadline
    )
    answer = buy({"hold": True, "holdSeconds": 90})
    [command] = world.ledger.handed_in
    assert isinstance(command, Hold)
    assert command.seconds == 90
    assert (answer.status_code, answer.get_json()["status"]) == (201, "held")
    assert answer.get_json()["deadline"] == "2030-01-02T03:05:35Z"


def test_a_hold_without_a_time_lasts_as_long_as_the_office_holds(world: World, buy: BuyFixture) -> None:
    buy({"hold": True})
    buy({"hold": True, "holdSeconds": 600})
    told = [(command.seconds, command.by_default) for command in world.ledger.handed_in]
    assert told == [(600, True), (600, False)]


def test_who_holds_as_much_as_is_allowed_of_all_events_may_buy_but_hold_no_more(
    world: World, account: dict[str, Any], buy: BuyFixture
) -> None:
    world.holders.tickets[UUID(account["id"])] = 59
    answer = buy({"hold": True}, key="more")
    assert answer.status_code == 409
    assert answer.get_json() == {
        "type": "/problems/overall-hold-limit-exceeded",
        "title": "The account would hold too many tickets over all events",
        "status": 409,
        "figures": {"limit": 60, "requested": 2, "held": 59},
        "retryable": True,
    }
    assert world.ledger.handed_in == []
    buy(key="bought")
    world.holders.tickets[UUID(account["id"])] = 58
    buy({"hold": True}, key="more")
    world.app.extensions["turnstile"] = replace(world.app.extensions["turnstile"], hold_tickets_overall_max=0)
    world.holders.tickets[UUID(account["id"])] = 6_000
    buy({"hold": True}, key="without a limit")
    assert [type(command) for command in world.ledger.handed_in] == [Buy, Hold, Hold]


def test_a_hold_that_is_in_the_log_gets_its_answer_however_much_is_held(
    world: World, account: dict[str, Any], buy: BuyFixture
) -> None:
    buy({"hold": True})
    world.holders.tickets[UUID(account["id"])] = 60
    assert buy({"hold": True}).status_code == 202
    assert len(world.ledger.handed_in) == 2


@pytest.fixture
def held(account: dict[str, Any]) -> str:
    """The path of a purchase that is the account's."""
    return f"{PURCHASES}/{uuid4()}.{uuid5(UUID(account['id']), 'k')}"


def changed(kind: OutcomeKind, **more: Any) -> Callable[[Any], Any]:
    return lambda command: outcome(command, kind, request=command.request, **more)


def test_a_hold_is_confirmed_by_its_buyer(world: World, account: dict[str, Any], held: str) -> None:
    world.ledger.rule = changed(OutcomeKind.CONFIRMED)
    buyer = world.client(account["id"])
    answers = [buyer.post(f"{held}/confirm", headers={"Idempotency-Key": "c"}) for _ in range(2)]
    assert [(answer.status_code, answer.get_json()["status"]) for answer in answers] == [(200, "confirmed")] * 2
    first, second = world.ledger.handed_in
    assert isinstance(first, Confirm)
    assert first == second
    assert str(first.account) == account["id"]


def found(world: World, path: str, account: dict[str, Any], event: dict[str, Any]) -> str:
    """The path of a hold of that account in the event, which can be read."""
    purchase = UUID(path.rpartition(".")[2])
    row = pending(UUID(event["id"]), purchase, UUID(account["id"])).model_copy(update={"status": "held"})
    world.sales.rows[UUID(event["id"]), purchase] = row
    return f"{PURCHASES}/{row.id}"


@pytest.fixture
def organizer(client: FlaskClient) -> str:
    """The id of an account that organizes events and buys nothing."""
    body = {"firstName": "Olga", "lastName": "O", "email": "olga@example.org"}
    return str(client.post("/api/v3/accounts", json=body).get_json()["id"])


@pytest.fixture
def paid_event(client: FlaskClient, event_body: dict[str, Any], organizer: str) -> dict[str, Any]:
    """An event of that organizer that is paid online."""
    answer = client.post("/api/v3/events", json=event_body | {"organizerId": organizer, "payment": "online"})
    event: dict[str, Any] = answer.get_json()
    assert event["payment"] == "online"
    return event


def test_the_organizer_confirms_with_the_reference_of_the_payment(
    world: World, account: dict[str, Any], paid_event: dict[str, Any], organizer: str, held: str
) -> None:
    path = found(world, held, account, paid_event)
    world.ledger.rule = changed(OutcomeKind.CONFIRMED)
    for client in (world.client(organizer, Role.ORGANIZER), world.client(uuid4(), Role.ADMINISTRATOR)):
        assert client.post(f"{path}/confirm", json={"reference": "bank 1"}).status_code == 200
        command = world.ledger.handed_in.pop()
        assert (command.payment, str(command.account)) == ("bank 1", account["id"])


def test_nobody_else_confirms_with_a_reference(
    world: World, account: dict[str, Any], paid_event: dict[str, Any], organizer: str, held: str
) -> None:
    path = found(world, held, account, paid_event)
    callers = (
        (world.client(account["id"]), 403),
        (world.client(organizer), 403),
        (world.client(account["id"], Role.ORGANIZER), 404),
    )
    for client, status in callers:
        assert client.post(f"{path}/confirm", json={"reference": "mine"}).status_code == status
    missing = world.client(organizer, Role.ORGANIZER).post(
        f"{PURCHASES}/{paid_event['id']}.{uuid4()}/confirm", json={"reference": "bank 1"}
    )
    assert missing.status_code == 404
    assert not world.ledger.handed_in


@pytest.mark.parametrize("reference", ["", "x" * 65, 7, None, "a\0"])
def test_a_reference_is_a_short_text(world: World, held: str, reference: Any) -> None:
    answer = world.client(uuid4(), Role.ADMINISTRATOR).post(f"{held}/confirm", json={"reference": reference})
    assert (answer.status_code, answer.get_json()["errors"][0]["pointer"]) == (422, "/reference")


@pytest.mark.parametrize("change", ["confirm", "cancel"])
@pytest.mark.parametrize(
    ("body", "media_type", "status"),
    [
        (b"", "application/json", 200),
        (b"{", "application/json", 400),
        (b'{"reference":"\xff"}', "application/json", 400),
        (b"null", "application/json", 422),
        (b'{"reference":"bank 1"}', "text/plain", 415),
    ],
)
def test_a_body_that_may_be_left_out_is_none_or_read(
    world: World, account: dict[str, Any], held: str, change: str, body: bytes, media_type: str, status: int
) -> None:
    """Else a confirmation would lose the reference of its payment, and a cancellation its lines."""
    world.ledger.rule = changed(OutcomeKind.CANCELLED)
    answer = world.client(account["id"]).post(f"{held}/{change}", data=body, content_type=media_type)
    assert (answer.status_code, len(world.ledger.handed_in)) == (status, int(status == 200))


def test_a_buyers_confirm_of_what_must_be_paid_is_refused(world: World, account: dict[str, Any], held: str) -> None:
    due = {"amount": "99.80", "currency": "EUR"}
    world.ledger.rule = changed(OutcomeKind.REFUSED, reason=Reason.PAYMENT_REQUIRED, figures=due)
    answer = world.client(account["id"]).post(f"{held}/confirm")
    assert (answer.status_code, answer.get_json()["figures"]) == (402, due)


def test_a_purchase_that_must_be_paid_is_held_where_its_location_says(world: World, buy: BuyFixture) -> None:
    due = MoneyAmount(Decimal("99.80"), "EUR")
    more = {"status": PurchaseStatus.HELD, "payment": due, "deadline": NOW}
    world.ledger.rule = lambda command: outcome(command, OutcomeKind.HELD, **more)
    answer = buy()
    purchase = answer.get_json()
    assert (answer.status_code, purchase["status"]) == (201, "held")
    assert answer.headers["Location"] == f"{PURCHASES}/{purchase['id']}"
    assert purchase["payment"] == {
        "due": {"amount": "99.80", "currency": "EUR"},
        "deadline": "2030-01-02T03:04:05Z",
        "url": f"/purchases/{purchase['id']}/payment",
    }


def test_everything_is_given_back_without_a_body(world: World, account: dict[str, Any], held: str) -> None:
    gone = (OutcomeLine(uuid4(), "Stalls", 2, Decimal(10), seats=("A-1-1", "A-1-2")),)
    world.ledger.rule = changed(OutcomeKind.CANCELLED, lines=gone, total=MoneyAmount(Decimal(20), "EUR"))
    bodies: tuple[Any, ...] = ({}, {"json": {}})
    for body in bodies:
        assert world.client(account["id"]).post(f"{held}/cancel", **body).status_code == 200
    assert all(isinstance(command, Cancel) and not command.lines for command in world.ledger.handed_in)


def lines_back(kind: UUID, quantity: int) -> dict[str, Any]:
    return {"lines": [{"ticketTypeId": str(kind), "quantity": quantity}]}


def test_giving_some_back_needs_a_key_and_the_same_key_is_the_same_command(
    world: World, account: dict[str, Any], held: str
) -> None:
    kind = uuid4()
    gone = (OutcomeLine(kind, "Stalls", 2, Decimal(10)),)
    world.ledger.rule = changed(OutcomeKind.CANCELLED, lines=gone, left=gone, total=MoneyAmount(Decimal(20), "EUR"))
    buyer = world.client(account["id"])
    for headers in ({}, {"Idempotency-Key": "k" * 256}):
        assert buyer.post(f"{held}/cancel", json=lines_back(kind, 2), headers=headers).status_code == 400
    for key in ("one", "one", "two"):
        answer = buyer.post(f"{held}/cancel", json=lines_back(kind, 2), headers={"Idempotency-Key": key})
        assert answer.status_code == 200, answer.get_json()
    first, again, other = (command.request for command in world.ledger.handed_in)
    assert first == again != other


def test_seats_are_given_back_by_name_and_others_under_the_same_key_are_refused(
    world: World, account: dict[str, Any], held: str
) -> None:
    gone = (OutcomeLine(uuid4(), "Stalls", 2, Decimal(10), seats=("A-1-1", "A-1-2")),)
    world.ledger.rule = changed(OutcomeKind.CANCELLED, lines=gone, left=gone, total=MoneyAmount(Decimal(20), "EUR"))
    buyer = world.client(account["id"])
    assert buyer.post(f"{held}/cancel", json={"seats": ["A-1-1"]}).status_code == 400
    for seats, status in ((["A-1-2", "A-1-1"], 200), (["A-1-1"], 422), (["A-1-1", "A-1-3"], 422)):
        answer = buyer.post(f"{held}/cancel", json={"seats": seats}, headers={"Idempotency-Key": "one"})
        assert answer.status_code == status, answer.get_json()
    assert world.ledger.handed_in[0].seats == ("A-1-2", "A-1-1")


def test_seats_are_exchanged_in_one_command_under_a_key(world: World, account: dict[str, Any], held: str) -> None:
    lines = (OutcomeLine(uuid4(), "Stalls", 1, Decimal(10), ("A" * 16,), ("A-1-3",)),)
    world.ledger.rule = changed(OutcomeKind.CONFIRMED, lines=lines, total=MoneyAmount(Decimal(10), "EUR"))
    buyer, body = world.client(account["id"]), {"give": ["A-1-1"], "take": ["A-1-3"]}
    assert buyer.post(f"{held}/exchange", json=body).status_code == 400
    for key in ("one", "one", "two"):
        answer = buyer.post(f"{held}/exchange", json=body, headers={"Idempotency-Key": key})
        assert answer.get_json()["lines"][0]["seats"] == ["A-1-3"]
    first, again, other = world.ledger.handed_in
    assert isinstance(first, Exchange)
    assert (first.give, first.take) == (("A-1-1",), ("A-1-3",))
    assert first.request == again.request != other.request
    for others in ({"take": ["A-1-4"]}, {"give": ["A-1-3"]}):
        reused = buyer.post(f"{held}/exchange", json=body | others, headers={"Idempotency-Key": "one"})
        assert (reused.status_code, reused.get_json()["type"]) == (422, "/problems/idempotency-key-reused")
    world.ledger.rule = changed(OutcomeKind.REFUSED, reason=Reason.SEAT_TAKEN, figures={"seats": ["A-1-3"]})
    refused = buyer.post(f"{held}/exchange", json=body, headers={"Idempotency-Key": "three"})
    assert (refused.get_json()["type"], refused.get_json()["figures"]) == ("/problems/seat-taken", {"seats": ["A-1-3"]})
    empty = buyer.post(f"{held}/exchange", json={"give": [], "take": []}, headers={"Idempotency-Key": "four"})
    assert [fault["pointer"] for fault in empty.get_json()["errors"]] == ["/give", "/take"]


def test_a_key_that_gave_back_something_else_is_refused(world: World, account: dict[str, Any], held: str) -> None:
    kind = uuid4()
    gone = (OutcomeLine(kind, "Stalls", 2, Decimal(10)),)
    world.ledger.rule = changed(OutcomeKind.CANCELLED, lines=gone, left=gone, total=MoneyAmount(Decimal(20), "EUR"))
    for body in (lines_back(kind, 1), lines_back(uuid4(), 2), {}):
        answer = world.client(account["id"]).post(f"{held}/cancel", json=body, headers={"Idempotency-Key": "one"})
        assert (answer.status_code, answer.get_json()["type"]) == (422, "/problems/idempotency-key-reused")


@pytest.mark.parametrize(
    ("reason", "status", "kind"),
    [
        (Reason.NOT_YOURS, 404, "not-found"),
        (Reason.UNKNOWN_PURCHASE, 404, "not-found"),
        (Reason.NOT_HELD, 409, "not-held"),
        (Reason.NOTHING_TO_CANCEL, 409, "nothing-to-cancel"),
        (Reason.TOO_MANY_CHANGES, 409, "too-many-changes"),
    ],
)
@pytest.mark.parametrize("what", ["confirm", "cancel"])
def test_a_change_that_the_ledger_refuses_is_a_problem(
    world: World, account: dict[str, Any], held: str, reason: Reason, status: int, kind: str, what: str
) -> None:
    world.ledger.rule = changed(OutcomeKind.REFUSED, reason=reason)
    answer = world.client(account["id"]).post(f"{held}/{what}")
    assert (answer.status_code, answer.get_json()["type"]) == (status, f"/problems/{kind}")


def test_an_administrator_changes_a_purchase_in_its_buyers_name(
    world: World, client: FlaskClient, account: dict[str, Any], held: str
) -> None:
    assert client.post(f"{held}/cancel").status_code == 404
    event, purchase = (UUID(part) for part in held.rpartition("/")[2].split("."))
    world.sales.rows[event, purchase] = pending(event, purchase, UUID(account["id"]))
    assert client.post(f"{held}/cancel").status_code == 202
    assert [str(command.account) for command in world.ledger.handed_in] == [account["id"]]


def test_a_change_that_is_undecided_is_accepted(world: World, account: dict[str, Any], held: str) -> None:
    answer = world.client(account["id"]).post(f"{held}/confirm", headers={"Prefer": "respond-async"})
    assert (answer.status_code, answer.headers["Location"]) == (202, held)


def test_somebody_elses_purchase_is_not_found(world: World, account: dict[str, Any], held: str) -> None:
    event, purchase = (UUID(part) for part in held.rpartition("/")[2].split("."))
    world.sales.rows[event, purchase] = pending(event, purchase, UUID(account["id"]))
    assert world.client(account["id"]).get(held).status_code == 200
    assert world.client(uuid4()).get(held).status_code == 404
