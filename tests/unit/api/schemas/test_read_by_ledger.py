"""What the API accepts, the ledger can read: else a request would never be answered, or a plan never be sold."""

import json
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from api.organizing.seating import Section, hall_of, sections_of
from api.organizing.seating_generator import seated_section
from api.purchasing.service import _command
from api.schemas.purchase import NewPurchase
from api.schemas.seating import GeneratedSection, NewSeating
from tables.messages.announcements import announced
from tables.messages.commands import decode_command, encode_command
from tables.messages.sections import COORDINATE_MAX, ROW_MAX_SEATS
from tables.seating.plan import pieces_of

ID = UUID(int=7)
TICKET = {"ticketTypeId": str(ID), "quantity": 2}
# Letters that names are made of, and those that people and programs put there by mistake.
TEXT = st.text(st.sampled_from('A1é東😀-," \n\0\x1b\x7f\x80\x85\x9f\xa0\xad\u200b\u202e\u2028\ufeff'), max_size=20)
COORDINATE = st.sampled_from([-1, 0, 1, 95_000, 99_990, COORDINATE_MAX, COORDINATE_MAX + 1])
COUNT = st.sampled_from([1, 2, 20, ROW_MAX_SEATS])


def read_by_ledger(sections: list[Section]) -> None:
    for piece in pieces_of(ID, 1, hall_of(sections)):
        assert announced(encode_command(piece)) == piece


@given(TEXT, TEXT, TEXT, COORDINATE, COORDINATE)
def test_every_plan_that_is_accepted(section: str, row: str, seat: str, x: int, y: int) -> None:
    rows = [{"label": row, "seats": [{"label": seat, "x": x, "y": y}]}]
    try:
        body = NewSeating.model_validate(
            {"sections": [{"name": section, "category": ID, "rows": rows, "focus": {"x": x, "y": y}}]}
        )
    except ValidationError:
        return
    read_by_ledger(sections_of(body))


@given(COORDINATE, COORDINATE, COUNT, COUNT, st.sets(COUNT, max_size=3), st.sampled_from(["all", "odd", "even"]))
def test_every_section_that_is_generated(x: int, y: int, rows: int, seats: int, aisles: set[int], by: str) -> None:
    asked = {"name": "A", "category": ID, "rows": rows, "seatsPerRow": seats, "x": x, "y": y, "numbering": by}
    try:
        body = GeneratedSection.model_validate(asked | {"aislesAfter": list(aisles)})
    except ValidationError:
        return
    read_by_ledger([seated_section(body)])


@given(st.lists(TEXT, max_size=2), TEXT)
def test_every_purchase_that_is_accepted(seats: list[str], section: str) -> None:
    for more in ({"seats": seats}, {"best": {"section": section}}):
        try:
            body = NewPurchase.model_validate_json(json.dumps({"eventId": str(ID), "lines": [TICKET | more]}))
        except ValidationError:
            continue
        command = _command(body, ID, ID, 600)
        assert decode_command(encode_command(command)) == command


@pytest.mark.parametrize("line", [{"best": {"section": "A-1"}}, {"seats": ["A-1-\0"]}])
def test_a_name_that_no_seat_can_have_is_refused(line: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        NewPurchase.model_validate({"eventId": ID, "lines": [TICKET | line]})
