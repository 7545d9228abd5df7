"""The row of a purchase."""

from decimal import Decimal
from uuid import UUID

from msgspec.structs import replace

from streams.projections.purchases import purchase_row
from tables.messages.outcomes import Outcome, OutcomeKind, OutcomeLine
from tests.unit.streams.mailing import EVENT, FACTS, PURCHASE

LINE = OutcomeLine(UUID(int=1), "Stalls", 2, Decimal("49.90"), ("a", "b"))
SOLD = Outcome(kind=OutcomeKind.CONFIRMED, event=EVENT, purchase=PURCHASE, offset=7, at=FACTS.starts_at, lines=(LINE,))
STORED = {"ticketTypeId": str(LINE.ticket_type), "name": "Stalls", "quantity": 2, "price": "49.90", "codes": ["a", "b"]}


def test_lines_are_stored_with_their_seats_if_they_have_some() -> None:
    assert purchase_row(SOLD)["lines"] == [STORED]
    seated = replace(SOLD, lines=(replace(LINE, seats=("A-1-1", "A-1-2")),))
    assert purchase_row(seated)["lines"] == [STORED | {"seats": ["A-1-1", "A-1-2"]}]


def test_after_a_partial_cancel_the_row_has_what_is_left() -> None:
    left = replace(SOLD, kind=OutcomeKind.CANCELLED, left=(replace(LINE, quantity=1, seats=("A-1-2",)),))
    row = purchase_row(left)
    assert ([line["seats"] for line in row["lines"]], row["total"]) == ([["A-1-2"]], LINE.price)
