"""The lines of an outcome with seats."""

from collections.abc import Callable, Sequence

from tables.ledger.purchase_records import DecisionLine, SeatedPurchase
from tables.messages.outcomes import OutcomeLine

# The codes of so many tickets from a position on.
Codes = Callable[[int, int], tuple[str, ...]]


def seated_lines(
    purchase: SeatedPurchase, lines: Sequence[DecisionLine], codes: Codes | None, *, given_at: int | None = None
) -> tuple[OutcomeLine, ...]:
    """The lines with the seats that the purchase has, or with those that it gave back at the offset ``given_at``.

    ``codes`` is None where the tickets have none yet.
    """
    if given_at is None:
        chosen = purchase.seats()
    else:
        given = {name for move in purchase.moves if move.offset == given_at for name in move.given}
        chosen = {name: ticket for name, ticket in purchase.tickets().items() if name in given}
    told = []
    for line in lines:
        seats = [
            (name, ticket.position) for name, ticket in chosen.items() if ticket.ticket_type.int == line.ticket_type.int
        ]
        places = [position for _, position in seats] or range(line.first, line.first + line.quantity)
        told.append(
            OutcomeLine(
                line.ticket_type,
                line.name,
                line.quantity,
                line.price,
                _codes_of(codes, places) if codes else (),
                tuple([name for name, _ in seats]),
            )
        )
    return tuple(told)


def _codes_of(codes: Codes, places: Sequence[int]) -> tuple[str, ...]:
    if places[-1] - places[0] + 1 == len(places):
        return codes(places[0], len(places))
    return tuple([codes(place, 1)[0] for place in places])
