"""Who reads or writes by the last released schemas goes on doing so."""

import copy
import json
from pathlib import Path
from typing import Any, Final

import pytest

from connect.contract.channels import CHANNELS, Direction
from connect.contract.schemas import bundle, parts_of
from tests.unit.connect.contract.compatibility import Comparison, Schema

RELEASED: Final = Path(__file__).parents[4] / "docs" / "released" / "schemas.json"


def broken(released: Schema, today: Schema) -> list[str]:
    """What breaks the rule, in all parts of the released schemas."""
    channels = [channel for channel in CHANNELS if channel.direction is Direction.INPUT]
    inputs = {f"{channel.id}.{part}" for channel in channels for part in parts_of(channel)}
    parts = [name for name in released["$defs"] if name.rpartition(".")[2] in ("key", "value", "headers")]
    return [problem for part in parts for problem in Comparison(released, today, part in inputs).of(part)]


def test_readers_and_writers_of_the_last_release_are_not_broken() -> None:
    assert broken(json.loads(RELEASED.read_text()), bundle()) == []


def changed(path: str, value: Any) -> Schema:
    """Today's schemas with another value at the path, or without it where that is None."""
    document = copy.deepcopy(bundle())
    *parents, last = path.split("/")
    node: Any = document["$defs"]
    for name in parents:
        node = node[name]
    if value is None:
        del node[last]
    else:
        node[last] = value
    return document


UUID = {"type": "string", "format": "uuid"}
BREAKING: Final = [
    ("ticket-purchase.value", None, "ticket-purchase.value is gone"),
    ("Outcome/properties/status", None, "ticket-purchase.value.status is gone"),
    ("Outcome/properties/offset/type", "string", "ticket-purchase.value.offset: type was integer, is string"),
    ("Outcome/properties/at/format", None, "ticket-purchase.value.at: format was date-time, is None"),
    ("Outcome/properties/event", {"anyOf": [UUID, {"type": "null"}]}, "ticket-purchase.value.event can be null now"),
    ("Outcome/required", ["kind", "event", "at"], "ticket-purchase.value.offset is optional now"),
    ("Outcome/required", ["kind", "event", "offset", "at", "x"], "ticket-purchase.value.x is required now"),
    ("Reason/enum", ["sold-out"], "ticket-purchase.value.reason: the value not-held is gone"),
    ("OutcomeLine/required", ["ticketType", "name", "quantity"], "ticket-purchase.value.lines[].price is optional now"),
    ("Outcome/properties/lines/items", {"type": "string"}, "ticket-purchase.value.lines[]: type was object, is string"),
    ("EventRow/properties/__lsn/maximum", 2**64, "event_ticket_db.public.event.value.__lsn: maximum was"),
    (
        "Buy/required",
        ["kind", "event", "purchase", "account", "lines", "x"],
        "ticket-commands.value<purchase>.x is req",
    ),
    ("Hold/properties/lines/maxItems", 49, "ticket-commands.value<hold>.lines: maxItems was 50, is 49"),
    ("TicketLine/properties/quantity/minimum", 2, "ticket-commands.value<hold>.lines[].quantity: minimum was 1, is 2"),
    ("Confirm/properties/request/anyOf", [UUID], "ticket-commands.value<confirm>.request: null is no longer possible"),
    ("ticket-commands.value/anyOf", [{"$ref": "#/$defs/Buy"}], "ticket-commands.value: hold is no longer possible"),
    ("JobHeaders/properties/first-seen", None, "notification-jobs.headers.first-seen is gone"),
    ("notification-jobs.key/format", None, "notification-jobs.key: format was uuid, is None"),
]
HARMLESS: Final = [
    ("Outcome/properties/more", {"type": "string"}),
    ("Outcome/description", "Said otherwise."),
    ("Buy/properties/more", {"type": "string"}),
    ("Buy/required", ["kind", "event", "purchase", "lines"]),
    ("Hold/properties/lines/maxItems", 51),
    ("Buy/properties/account", {"anyOf": [UUID, {"type": "null"}]}),
    ("EventRow/properties/__lsn/maximum", 2**62),
    (
        "OutcomeKind/enum",
        ["cancelled", "changed", "confirmed", "expired", "held", "moved", "refunded", "refused", "rejected"],
    ),
    ("ticket-waits.value", {"type": "object"}),
]


@pytest.mark.parametrize(("path", "value", "problem"), BREAKING, ids=[path for path, *_ in BREAKING])
def test_a_change_that_breaks_somebody_is_found(path: str, value: Any, problem: str) -> None:
    assert any(found.startswith(problem) for found in broken(bundle(), changed(path, value)))


@pytest.mark.parametrize(("path", "value"), HARMLESS, ids=[path for path, _ in HARMLESS])
def test_a_change_that_breaks_nobody_is_allowed(path: str, value: Any) -> None:
    assert broken(bundle(), changed(path, value)) == []


def test_a_new_kind_of_command_is_allowed() -> None:
    today = changed("Buy/properties/kind/enum", ["swap"])
    for topic in ("ticket-commands", "ticket-requests.producer"):
        today["$defs"][f"{topic}.value"]["anyOf"].append({"$ref": "#/$defs/Old"})
    today["$defs"]["Old"] = bundle()["$defs"]["Buy"]
    assert Comparison(bundle(), today, is_input=True).of("ticket-commands.value") == []
