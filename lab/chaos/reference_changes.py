"""The rules by which parts of a purchase are given back and its seats exchanged, in their simplest form."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from lab.chaos.reference_purchases import ModelPurchase, Tickets, last_tickets
from lab.chaos.reference_rules import Json, Refusal
from lab.chaos.reference_seats import NAMED_MAX_SEATS

PURCHASE_MAX_CHANGES: Final = 50
PURCHASE_MAX_SEATS: Final = 1_000


def cancel_refusal(row: ModelPurchase, wanted: Counter[str], named: Sequence[str]) -> Refusal | None:
    """Why a cancel of these quantities and seats is refused, whatever it gives back."""
    for key in wanted:
        if key in row.seated:
            return "seats-required", {"ticketType": key}
    return _missing(row, named)


def exchange_refusal(row: ModelPurchase, body: Json) -> Refusal | None:
    """Why an exchange is refused, whatever seats are free."""
    refused = _missing(row, body["give"])
    if refused is None and len(row.history) > PURCHASE_MAX_CHANGES:
        return "too-many-changes", {"limit": PURCHASE_MAX_CHANGES}
    if refused is None and len(row.seats) + len(body["take"]) > PURCHASE_MAX_SEATS:
        return "too-many-changes", {"limit": PURCHASE_MAX_SEATS}
    return refused


def given_back(row: ModelPurchase, wanted: Counter[str], named: Sequence[str]) -> Tickets:
    """The tickets that a cancel gives back; none if it can't."""
    if not wanted and not named:
        return list(row.tickets)
    counted = last_tickets(row.tickets, wanted)
    if wanted and not counted:
        return []
    tickets = [row.ticket_of(name) for name in named]
    order = list(dict.fromkeys(key for key, _ in tickets))
    return counted + sorted(tickets, key=lambda ticket: (order.index(ticket[0]), ticket[1]))


def exchange(row: ModelPurchase, give: Sequence[str], taken: Sequence[tuple[str, str]]) -> None:
    """Give seats of a purchase back and take others, by ticket type and name, in their order."""
    gone = {row.ticket_of(name) for name in give}
    new = [(kind, row.end + number) for number, (kind, _) in enumerate(taken)]
    row.seats |= {row.end + number: name for number, (_, name) in enumerate(taken)}
    row.end += len(new)
    order = list(dict.fromkeys(kind for kind, _ in row.tickets))
    tickets = [ticket for ticket in row.tickets if ticket not in gone] + new
    row.tickets = sorted(tickets, key=lambda ticket: (order.index(ticket[0]), ticket[1]))


def _missing(row: ModelPurchase, names: Sequence[str]) -> Refusal | None:
    missing = [name for name in names if name not in row.names]
    if missing or len(set(names)) < len(names):
        return "nothing-to-cancel", {"status": row.status, "seats": missing[:NAMED_MAX_SEATS]}
    return None
