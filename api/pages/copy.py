"""The texts for refusals and states on the pages, and the template filters for money, times and counts."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final, NamedTuple

from babel import Locale
from babel.dates import format_date, format_datetime, format_time

from api.pages.numbers import LOCALE, shown_number
from api.ports.sales import Left
from api.schemas.event import Event
from api.schemas.money import Money
from api.schemas.purchase import BoughtLine
from tables.ledger.availability import Availability
from tables.messages.statuses import EventStatus
from tables.offers import Tickets
from tables.text.money import shown_amount
from tables.text.sanitize import sanitize
from tables.text.time_zones import shown_time

ONE_DAY: Final = timedelta(days=1)
_LOCALE: Final = Locale.parse(LOCALE)
# By problem name, as in api/problems.py.
REFUSAL_TEXTS: Final[Mapping[str, str]] = {
    "sold-out": "There are not enough tickets left. Tickets that others hold may become available again.",
    "not-on-sale": "These tickets are not on sale at the moment.",
    "event-not-open": "Tickets for this event are not on sale at the moment.",
    "order-limit-exceeded": "That is more tickets than one order may have.",
    "purchase-limit-exceeded": "Together with the tickets you already have, that is more than the limit per person.",
    "hold-too-long": "Tickets cannot be held for that long.",
    "hold-limit-exceeded": "That is more than one person may hold at once. Buy or release the tickets you hold first.",
    "overall-hold-limit-exceeded": "You already hold many tickets. Buy or release some of them first.",
    "hold-too-soon": "You held these tickets a moment ago. Please wait a little before you hold them again.",
    "capacity-exceeded": "The venue is nearly full. There is not enough room for that many.",
    "mixed-currencies": "These tickets are sold in different currencies. Please order them separately.",
    "unknown-event": "This event is not on sale yet. Please try again in a moment.",
    "unknown-ticket-type": "One of these tickets is no longer offered. Please choose again.",
    "unknown-account": "Your account no longer exists.",
    "idempotency-key-reused": "This form was already sent with a different choice. Nothing more was ordered.",
    "id-reused": "This form was already sent with a different choice. Nothing more was ordered.",
    "idempotency-key-missing": "This form is incomplete. Please choose again.",
    "invalid-input": "Please check your choice.",
    "not-held": "These tickets are no longer held for you.",
    "nothing-to-cancel": "You no longer have these tickets.",
    "too-many-changes": "This order was changed too often. You can only return all of its tickets together.",
    "nothing-to-send": "This order has no tickets to send.",
    "still-running": "Your order is already being processed.",
    "busy": "Too many people are ordering right now. Nothing was ordered for you; please try again in a moment.",
    "unavailable": "The box office is not responding. Please try again in a moment; trying again never orders twice.",
    "wrong-credentials": "Wrong e-mail or password.",
    "passwords-busy": "Too many people are signing in right now. Please try again in a moment.",
    "too-many-requests": "Too many tries, please wait.",
    "unknown-code": "This is not valid: it was used, is older than 24 hours, was requested elsewhere, or is mistyped.",
    "email-taken": "There is already an account with this address. You can sign in with it.",
    "precondition-failed": "Somebody else changed this in the meantime. Please open it again.",
    "transition-refused": "That is not possible with the event’s current status.",
    "has-purchases": "It has purchases, so it cannot be removed. Lower its quantity to stop sales.",
    "too-many-ticket-types": "An event can have at most 200 ticket types.",
    "nothing-chosen": "Please choose at least one ticket.",
}


class StatusLabel(NamedTuple):
    """The label of a state, and its tone: good, warn, bad or none."""

    text: str
    tone: str


EVENT_LABELS: Final = {
    EventStatus.DRAFT: StatusLabel("Not published yet", "none"),
    EventStatus.ON_HOLD: StatusLabel("Not on sale at the moment", "none"),
    EventStatus.POSTPONED: StatusLabel("Postponed", "warn"),
    EventStatus.SOLD_OUT: StatusLabel("Sold out", "bad"),
    EventStatus.DONE: StatusLabel("Over", "none"),
    EventStatus.CANCELED: StatusLabel("Cancelled", "bad"),
}
_TICKET_LABELS: Final[Mapping[str, StatusLabel]] = {
    Availability.AVAILABLE: StatusLabel("Available", "good"),
    Availability.HELD: StatusLabel("All held: try again soon", "warn"),
    Availability.SOLD_OUT: StatusLabel("Sold out", "bad"),
    Availability.NOT_ON_SALE_YET: StatusLabel("Not on sale yet", "none"),
    Availability.SALE_OVER: StatusLabel("Sale ended", "none"),
}
# Found events have the words of ticket types, and two of their own.
_SEARCH_LABELS: Final[Mapping[str, StatusLabel]] = {
    **_TICKET_LABELS,
    Tickets.LOW: StatusLabel("Few left", "warn"),
    Tickets.NOT_ON_SALE: StatusLabel("Not on sale", "none"),
}
UNKNOWN: Final = StatusLabel("Availability unknown", "none")
PURCHASE_LABELS: Final = {
    "pending": StatusLabel("Being processed", "none"),
    "held": StatusLabel("Held for you", "warn"),
    "confirmed": StatusLabel("Bought", "good"),
    "rejected": StatusLabel("Not ordered", "bad"),
    "cancelled": StatusLabel("Returned", "none"),
    "expired": StatusLabel("Hold expired", "none"),
    "refunded": StatusLabel("Refunded", "none"),
}


def search_label(availability: str | None, status: str, *, has_ended: bool) -> StatusLabel:
    """Whether an event in the search results has tickets."""
    if status == EventStatus.ACTIVE and has_ended:
        return EVENT_LABELS[EventStatus.DONE]
    if status != EventStatus.ACTIVE and status in EVENT_LABELS:
        return EVENT_LABELS[EventStatus(status)]
    return _SEARCH_LABELS.get(availability or "", UNKNOWN)


def event_label(event: Event, now: datetime) -> StatusLabel | None:
    """Why the event sells no tickets at all; None if it does sell."""
    if event.status is EventStatus.ACTIVE and event.ends_at <= now:
        return EVENT_LABELS[EventStatus.DONE]
    return EVENT_LABELS.get(event.status)


def ticket_label(left: Left | None, opens: datetime | None, zone: str) -> StatusLabel:
    """The availability of a ticket type; ``opens`` is when its sale starts."""
    if left is None:
        return UNKNOWN
    if left.state is Availability.LOW:
        return StatusLabel(f"Few left: {shown_number(left.available)}", "warn")
    if left.state is Availability.NOT_ON_SALE_YET and opens is not None:
        return StatusLabel(f"Opens {part(opens, zone, 'EEEE d MMMM, HH:mm')}", "none")
    if left.state.startswith("event_"):
        return EVENT_LABELS[EventStatus(left.state.removeprefix("event_").upper())]
    return _TICKET_LABELS[left.state]


def money(amount: Money) -> str:
    """A formatted amount; ``free`` for 0."""
    return "free" if amount.exact == 0 else shown_amount(amount.exact, amount.currency, _LOCALE)


@lru_cache(maxsize=10_000)
def when(moment: datetime, zone: str) -> str:
    """A moment in its time zone, in full: ``Friday 17 May 2030, 20:00 (Vienna time)``."""
    local = shown_time(moment, zone)
    day, hour = format_date(local, "EEEE d MMMM y", LOCALE), format_time(local, "HH:mm", local.tzinfo, LOCALE)
    return f"{day}, {hour} ({city_of(zone)} time)"


@lru_cache(maxsize=10_000)
def part(moment: datetime, zone: str, pattern: str) -> str:
    """A moment in its time zone, by a Unicode date pattern (``d``, ``MMM``, ``HH:mm``)."""
    local = shown_time(moment, zone)
    return str(format_datetime(local, pattern, local.tzinfo, LOCALE))


@lru_cache(maxsize=10_000)
def until(ends: datetime, starts: datetime, zone: str) -> str:
    """When something ends, for a reader who knows when it starts: the time, and the day if it is another one."""
    is_same_day = shown_time(ends, zone).date() == shown_time(starts, zone).date()
    return part(ends, zone, "HH:mm" if is_same_day else "EEEE d MMMM y, HH:mm")


def last_day(ends: datetime, starts: datetime, zone: str) -> str:
    """The last day of something that lasts for more than a day, with a dash; empty for anything shorter."""
    return f"– {part(ends, zone, 'd MMMM')}" if ends - starts > ONE_DAY else ""


def city_of(zone: str) -> str:
    """The city of a time zone: ``Vienna`` for Europe/Vienna."""
    return zone.rpartition("/")[2].replace("_", " ")


def refusal_text(kind: str) -> str:
    """The text for a problem or a reason by name."""
    return REFUSAL_TEXTS.get(kind, "That was not possible.")


def count(number: int, one: str, many: str) -> str:
    """``1 ticket``, ``2 tickets``."""
    return f"{shown_number(number)} {one if number == 1 else many}"


def line_total(line: BoughtLine) -> str:
    """The price of all tickets of a line."""
    return money(Money.of(line.price.exact * line.quantity, line.price.currency))


FILTERS: Final[Mapping[str, Any]] = {
    "money": money,
    "when": when,
    "part": part,
    "until": until,
    "last_day": last_day,
    "count": count,
    "number": shown_number,
    "city": city_of,
    "line_total": line_total,
    "plain": sanitize,
}
