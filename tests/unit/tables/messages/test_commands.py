"""Commands as bytes: valid ones are decoded unchanged, errors name the invalid field."""

import json
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tables.errors import MalformedCommand
from tables.ledger.decisions import ORDER_MAX_TICKETS
from tables.ledger.inventory import Inventory
from tables.messages.commands import (
    COMMAND_MAX_BYTES,
    Buy,
    DefineEvent,
    Expire,
    Hold,
    TicketLine,
    decode_command,
    encode_command,
    fingerprint,
)
from tables.messages.outcomes import encode_outcome
from tables.messages.reasons import Reason
from tests.unit.tables.ledger_driver import (
    ADA,
    EVENT,
    FLOOR,
    LedgerDriver,
    definition,
    lines,
    purchase_id,
    refusal_of,
    rejected,
    ticket_type,
)
from tests.unit.tables.random_logs import random_log

PRODUCED_BATCH = 512 * 1024
PURCHASE: dict[str, Any] = {
    "kind": "purchase",
    "event": str(EVENT),
    "purchase": str(purchase_id(1)),
    "account": str(ADA),
    "lines": [{"ticketType": str(FLOOR), "quantity": 2}],
}
HOLD = PURCHASE | {"kind": "hold", "seconds": 60}
KIND: dict[str, Any] = {"id": str(FLOOR), "name": "floor", "price": "49.90", "currency": "EUR", "quantity": 5}
FACTS: dict[str, Any] = {
    "title": "Opera",
    "status": "ACTIVE",
    "startsAt": "2030-01-01T20:00:00+01:00",
    "endsAt": "2030-01-01T23:00:00+01:00",
    "timeZone": "Europe/Rome",
}
ONE, TWO = UUID(int=1), UUID(int=2)
ANY_LINES = st.lists(st.builds(TicketLine, st.integers(0, 3).map(lambda n: UUID(int=n)), st.integers(1, 5)), min_size=1)


def define(kind: dict[str, Any] | None = None, **facts: Any) -> dict[str, Any]:
    kinds = [KIND | (kind or {})]
    return {
        "kind": "define-event",
        "event": str(EVENT),
        "version": 1,
        "definition": FACTS | {"ticketTypes": kinds} | facts,
    }


def line(**changes: Any) -> dict[str, Any]:
    return PURCHASE | {"lines": [PURCHASE["lines"][0], PURCHASE["lines"][0] | changes]}


def without(body: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key != name}


def why(body: dict[str, Any]) -> str:
    return why_bytes(json.dumps(body).encode())


def why_bytes(value: bytes | None) -> str:
    with pytest.raises(MalformedCommand) as caught:
        decode_command(value)
    return str(caught.value)


def test_every_command_is_read_back_as_it_was_written() -> None:
    commands = [entry.command for entry in random_log(0, 300)]
    assert len({type(command) for command in commands}) == 11
    assert [decode_command(encode_command(command)) for command in commands] == commands


def test_a_purchase_is_plain_json_in_camel_case() -> None:
    purchase = Buy(EVENT, purchase_id(1), ADA, lines([(FLOOR, 2)]))
    assert json.loads(encode_command(purchase)) == PURCHASE
    assert decode_command(json.dumps(PURCHASE).encode()) == purchase


def test_a_hold_is_for_ten_minutes_unless_it_says_more() -> None:
    command = decode_command(json.dumps(without(HOLD, "seconds")).encode())
    assert isinstance(command, Hold)
    assert command.seconds == 600


def test_a_price_is_exact_as_text_or_as_number() -> None:
    for price in ('"0.10"', "0.10"):
        text = json.dumps(define({"price": "PRICE"})).replace('"PRICE"', price)
        assert repr(decode_command(text.encode())).count(repr(Decimal("0.10"))) == 1


def test_unknown_fields_are_ignored_at_every_level() -> None:
    body = PURCHASE | {"colour": ["blue", {"deep": 1}], "lines": [PURCHASE["lines"][0] | {"seat": "A1"}]}
    assert decode_command(json.dumps(body).encode()) == decode_command(json.dumps(PURCHASE).encode())
    extended = define({"colour": 1}, description="long")
    assert decode_command(json.dumps(extended).encode()) == decode_command(json.dumps(define()).encode())


@pytest.mark.parametrize("value", [None, b""], ids=["a tombstone", "nothing"])
def test_a_record_without_a_value_is_no_command(value: bytes | None) -> None:
    assert why_bytes(value) == "the record has no value"


@pytest.mark.parametrize("value", [b"{", b"{'kind':1}", b'{"kind":"expire"', b"\xff\xfe", b"tickets"], ids=repr)
def test_malformed_json_is_no_command(value: bytes) -> None:
    assert why_bytes(value).startswith(("JSON is malformed", "Input data was truncated"))


@pytest.mark.parametrize(("value", "shown"), [(b"[]", "array"), (b"null", "null"), (b'"purchase"', "str")], ids=repr)
def test_only_an_object_is_a_command(value: bytes, shown: str) -> None:
    assert why_bytes(value) == f"Expected `object`, got `{shown}`"


@pytest.mark.parametrize(
    ("quantity", "message"),
    [
        (0, "Expected `int` >= 1"),
        (-1, "Expected `int` >= 1"),
        (1.5, "Expected `int`, got `float`"),
        (1_001, "Expected `int` <= 1000"),
        (10**30, "Expected `int` <= 1000"),
        ("1", "Expected `int`, got `str`"),
        (True, "Expected `int`, got `bool`"),
        (None, "Expected `int`, got `null`"),
        (float("inf"), "JSON is malformed: invalid character"),
    ],
    ids=repr,
)
def test_a_quantity_is_a_whole_number_of_one_or_more(quantity: object, message: str) -> None:
    error = why(line(quantity=quantity))
    assert error.startswith(message)
    assert quantity == float("inf") or error == f"{message} - at `$.lines[1].quantity`"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (without(PURCHASE, "kind"), "Object missing required field `kind`"),
        (PURCHASE | {"kind": "steal"}, "Invalid value 'steal' - at `$.kind`"),
        (PURCHASE | {"kind": 7}, "Expected `str` - at `$.kind`"),
        (without(PURCHASE, "event"), "Object missing required field `event`"),
        (without(PURCHASE, "purchase"), "Object missing required field `purchase`"),
        (without(PURCHASE, "account"), "Object missing required field `account`"),
        (without(PURCHASE, "lines"), "Object missing required field `lines`"),
        (PURCHASE | {"event": "the opera"}, "Invalid UUID - at `$.event`"),
        (PURCHASE | {"account": 7}, "Expected `uuid`, got `int` - at `$.account`"),
        (PURCHASE | {"lines": []}, "Expected `array` of length >= 1 - at `$.lines`"),
        (PURCHASE | {"lines": PURCHASE["lines"] * 51}, "Expected `array` of length <= 50 - at `$.lines`"),
        (line(ticketType=None), "Expected `uuid`, got `null` - at `$.lines[1].ticketType`"),
        (HOLD | {"seconds": 0}, "Expected `int` >= 1 - at `$.seconds`"),
        (HOLD | {"seconds": 86_401}, "Expected `int` <= 86400 - at `$.seconds`"),
        (define() | {"version": 0}, "Expected `int` >= 1 - at `$.version`"),
        (define(status="OPEN"), "Invalid enum value 'OPEN' - at `$.definition.status`"),
        (define(startsAt="2030-01-01"), "Invalid RFC3339 encoded datetime - at `$.definition.startsAt`"),
        (
            define(startsAt="2030-01-01T20:00:00"),
            "Expected `datetime` with a timezone component - at `$.definition.startsAt`",
        ),
        (define(capacity=-1), "Expected `int` >= 0 - at `$.definition.capacity`"),
        (
            define(ticketTypes=[KIND] * 201),
            "Expected `array` of length <= 200 - at `$.definition.ticketTypes`",
        ),
        (
            define(ticketTypes=[KIND, KIND]),
            "ticketTypes must not name a ticket type twice - at `$.definition`",
        ),
        (define({"quantity": -1}), "Expected `int` >= 0 - at `$.definition.ticketTypes[0].quantity`"),
        (define({"currency": "EURO"}), "Expected `str` of length <= 3 - at `$.definition.ticketTypes[0].currency`"),
        (define({"price": "much"}), "Invalid decimal string - at `$.definition.ticketTypes[0].price`"),
        *(
            (
                define({"price": price}),
                "price must be a finite amount of 0 or more - at `$.definition.ticketTypes[0]`",
            )
            for price in ("-0.01", "NaN", "sNaN", "Infinity", "1e10")
        ),
        *(
            (define({"price": price}), "price must have at most 4 decimals - at `$.definition.ticketTypes[0]`")
            for price in ("0.00001", "1e-400", 0.1 + 0.2)
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_wrong_is_named(body: dict[str, Any], message: str) -> None:
    assert why(body) == message


def test_a_text_that_is_not_utf_8_is_shown() -> None:
    value = json.dumps(define(title="OPERA")).encode().replace(b"OPERA", b"Op\xe9ra")
    assert why_bytes(value) == r"a text is not UTF-8: b'Op\xe9ra'"


def test_half_a_surrogate_pair_is_malformed() -> None:
    assert why(define(title="\ud800")).startswith("JSON is malformed")


def test_json_nested_without_end_is_malformed_even_in_a_field_that_nobody_reads() -> None:
    value = encode_command(Expire(EVENT, purchase_id(1)))[:-1] + b',"x":' + b"[" * 100_000
    assert why_bytes(value) == "the JSON is nested too deep"
    assert why_bytes(value + b"]" * 100_000 + b"}") == "the JSON is nested too deep"


def test_a_command_has_a_largest_size() -> None:
    body = json.dumps(PURCHASE).encode()
    assert decode_command(body + b" " * (COMMAND_MAX_BYTES - len(body))) == decode_command(body)
    message = f"the record has {COMMAND_MAX_BYTES + 1} bytes, which is more than {COMMAND_MAX_BYTES}"
    assert why_bytes(body + b" " * (COMMAND_MAX_BYTES + 1 - len(body))) == message


def test_the_largest_definition_makes_a_record_that_can_be_produced() -> None:
    name = "\N{TICKET}" * 290
    kinds = [KIND | {"id": f"00000000-0000-0000-0000-{number:012}", "name": name} for number in range(200)]
    body = json.dumps(define(ticketTypes=kinds), ensure_ascii=False).encode()
    assert COMMAND_MAX_BYTES * 0.8 < len(body) <= COMMAND_MAX_BYTES
    command = decode_command(body)
    assert isinstance(command, DefineEvent)
    inventory = Inventory(EVENT, 2**60, 2**60, command.definition)
    assert len(inventory.record()) < PRODUCED_BATCH


def test_the_largest_order_makes_an_outcome_that_can_be_produced(driver: LedgerDriver) -> None:
    kinds = [ticket_type(key, 1_000, name="\N{TICKET}" * 500) for key in map(purchase_id, range(50))]
    driver.define(*kinds)
    share = ORDER_MAX_TICKETS // len(kinds)
    order = [(kind.id, share) for kind in kinds]
    over = rejected(Reason.ORDER_LIMIT_EXCEEDED, limit=ORDER_MAX_TICKETS, requested=ORDER_MAX_TICKETS + 1)
    assert refusal_of(driver.buy(1, [*order, (kinds[0].id, 1)])) == over
    assert len(encode_outcome(driver.buy(2, order))) < PRODUCED_BATCH
    assert len(encode_outcome(driver.cancel(2, [(kind.id, 1) for kind in kinds]))) < PRODUCED_BATCH


def test_an_events_own_limit_cannot_lift_that_of_the_largest_order(driver: LedgerDriver) -> None:
    driver.define(*(ticket_type(purchase_id(number), 1_000) for number in range(6)), max_per_order=10_000_000)
    order = [(purchase_id(number), 1_000) for number in range(6)]
    over = rejected(Reason.ORDER_LIMIT_EXCEEDED, limit=ORDER_MAX_TICKETS, requested=6_000)
    assert refusal_of(driver.buy(1, order)) == over


def test_a_definition_without_ticket_types_is_one() -> None:
    assert definition().ticket_types == []


@given(ANY_LINES, st.randoms(use_true_random=False))
def test_the_order_of_lines_does_not_count_in_a_fingerprint(some: list[TicketLine], random: object) -> None:
    shuffled = list(some)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert fingerprint(ONE, shuffled, "purchase") == fingerprint(ONE, some, "purchase")


def test_two_lines_of_one_type_have_the_fingerprint_of_their_sum() -> None:
    split = [TicketLine(ONE, 1), TicketLine(TWO, 1), TicketLine(ONE, 2)]
    assert fingerprint(ONE, split, "purchase") == fingerprint(ONE, [TicketLine(ONE, 3), TicketLine(TWO, 1)], "purchase")


def test_everything_else_counts_in_a_fingerprint() -> None:
    prints = {
        fingerprint(ONE, [TicketLine(ONE, 1)], "purchase"),
        fingerprint(TWO, [TicketLine(ONE, 1)], "purchase"),
        fingerprint(ONE, [TicketLine(TWO, 1)], "purchase"),
        fingerprint(ONE, [TicketLine(ONE, 2)], "purchase"),
        fingerprint(ONE, [TicketLine(ONE, 1), TicketLine(TWO, 1)], "purchase"),
        fingerprint(ONE, [TicketLine(ONE, 1)], "hold"),
    }
    assert len(prints) == 6


def test_a_fingerprint_is_the_same_in_every_version() -> None:
    assert fingerprint(ONE, [TicketLine(TWO, 3)], "purchase") == "a39cbf8a940bba6c33ed97ea"
