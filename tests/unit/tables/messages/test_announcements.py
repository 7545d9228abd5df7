"""The records of the outbox as commands."""

import json
from typing import Any
from uuid import UUID

import pytest

from tables.errors import MalformedRecord
from tables.messages.announcements import announced, command_of
from tables.messages.commands import DefineEvent, EventAnnouncement
from tables.messages.encoding import encode_json
from tables.messages.sections import DefineSection, PlanRow, PlanSeat
from tests.unit.tables.ledger_driver import EVENT, definition, ticket_type

ROWS = [PlanRow("1", [PlanSeat("1", 0, 10, 10), PlanSeat("2", 0, 20, 10, 8)])]
PIECE = DefineSection(event=EVENT, plan=4, sections=1, number=0, section="A", categories=[UUID(int=1)], rows=ROWS)


def test_a_definition_and_a_piece_of_a_plan_are_told_apart() -> None:
    assert announced(encode_json(PIECE)) == PIECE
    whole = EventAnnouncement(EVENT, 4, definition())
    assert announced(encode_json(whole)) == DefineEvent(EVENT, 4, definition())


def test_a_piece_is_written_to_the_log_as_it_is() -> None:
    command, encoded = command_of(encode_json(PIECE))
    assert (command, encoded) == (PIECE, encode_json(PIECE))


@pytest.mark.parametrize(
    ("field", "odd"),
    [
        ("startsAt", "0001-01-01T00:00:00+14:00"),
        ("startsAt", "9999-12-31T23:59:59-12:00"),
        ("endsAt", "9999-12-31T23:59:59-12:00"),
        *(("ticketTypes[0].currency", currency) for currency in ("eur", "\u20ac\u20ac\u20ac", "\0\0\0", "1e9")),
    ],
)
def test_what_no_outcome_can_tell_is_not_sold(field: str, odd: str) -> None:
    known = EventAnnouncement(EVENT, 4, definition(ticket_type()))
    assert command_of(encode_json(known))[0] == DefineEvent(EVENT, 4, known.definition)
    said: Any = json.loads(encode_json(known))
    place = said["definition"]["ticketTypes"][0] if "." in field else said["definition"]
    place[field.rpartition(".")[2]] = odd
    with pytest.raises(MalformedRecord) as raised:
        command_of(encode_json(said))
    assert f"$.definition.{field}" in str(raised.value)


@pytest.mark.parametrize(
    "value",
    [
        b'{"kind":"define-section"}',
        b'{"kind":7}',
        b'{"kind":"define-event"}',
        encode_json(PIECE).replace(b'"A"', b'"A-1"'),
    ],
)
def test_what_is_neither_is_malformed(value: bytes) -> None:
    with pytest.raises(MalformedRecord):
        announced(value)
