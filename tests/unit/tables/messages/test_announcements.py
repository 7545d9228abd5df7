"""The records of the outbox as commands."""

from uuid import UUID

import pytest

from tables.errors import MalformedRecord
from tables.messages.announcements import announced, command_of
from tables.messages.commands import DefineEvent, EventAnnouncement
from tables.messages.decoding import encode_json
from tables.messages.sections import DefineSection, PlanRow, PlanSeat
from tests.unit.tables.ledger_driver import EVENT, definition

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
