"""An event's ticket types with their availability, and which of them can be chosen."""

from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from api.pages.language import gettext
from api.pages.numbers import shown_number
from api.pages.shown_times import part
from api.pages.status_labels import EVENT_LABELS, TICKET_LABELS, UNKNOWN, StatusLabel, event_label
from api.ports.ports import ports
from api.ports.sales import Left
from api.schemas.event import Event
from api.schemas.ticket import TicketType
from tables.messages.availability import Availability
from tables.messages.statuses import EventStatus

QUANTITY_MAX: Final = 20
OPEN_STATES: Final = frozenset({Availability.AVAILABLE, Availability.LOW, Availability.HELD})


class ShownOffer(NamedTuple):
    """A ticket type with its availability. ``most`` can be chosen at once, ``chosen`` are."""

    ticket: TicketType
    state: StatusLabel
    is_open: bool
    most: int
    chosen: int


def shown_offers(event: Event, chosen: dict[UUID, int]) -> list[ShownOffer]:
    """The event's ticket types, with the quantities that the URL has chosen."""
    stock = ports().stock.left(event.id)
    tickets = ports().events.tickets(event.id) or ()
    return [_offer(event, each, (stock or {}).get(each.id), chosen.get(each.id, 0)) for each in tickets]


def open_flags(shown: list[ShownOffer]) -> str:
    """Which of them can be chosen: a 1 or a 0 for each, as one string."""
    return "".join("1" if offer.is_open else "0" for offer in shown)


def _offer(event: Event, ticket: TicketType, left: Left | None, chosen: int) -> ShownOffer:
    limits = (ticket.max_per_order, ticket.max_per_account, event.max_per_order, event.max_per_account)
    most = min((limit for limit in limits if limit is not None), default=QUANTITY_MAX)
    if left is not None and left.state is Availability.LOW:
        most = min(most, left.available)
    can_sell = event_label(event, ports().clock()) is None and (left is None or left.state in OPEN_STATES)
    state = _label(left, ticket.sale_starts_at, event.time_zone)
    return ShownOffer(ticket, state, can_sell, most, min(chosen, most) if can_sell else 0)


def _label(left: Left | None, opens: datetime | None, zone: str) -> StatusLabel:
    """The availability of a ticket type; ``opens`` is when its sale starts."""
    if left is None:
        return UNKNOWN
    if left.state is Availability.LOW:
        return StatusLabel(gettext("Few left: %(number)s") % {"number": shown_number(left.available)}, "warn")
    if left.state is Availability.NOT_ON_SALE_YET and opens is not None:
        return StatusLabel(gettext("On sale from %(time)s") % {"time": part(opens, zone, "EEEE d MMMM, HH:mm")}, "none")
    if left.state.startswith("event_"):
        return EVENT_LABELS[EventStatus(left.state.removeprefix("event_").upper())]
    return TICKET_LABELS[left.state]
