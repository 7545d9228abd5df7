"""The labels of states on the pages."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple

from api.pages.language import Text, lazy_gettext
from api.schemas.event import Event
from tables.messages.availability import Availability, Tickets
from tables.messages.statuses import EventStatus


class StatusLabel(NamedTuple):
    """The label of a state, and its tone: good, warn, bad or none."""

    text: Text
    tone: str


EVENT_LABELS: Final = {
    EventStatus.DRAFT: StatusLabel(lazy_gettext("Not published yet"), "none"),
    EventStatus.ON_HOLD: StatusLabel(lazy_gettext("Not on sale at the moment"), "none"),
    EventStatus.POSTPONED: StatusLabel(lazy_gettext("Postponed"), "warn"),
    EventStatus.SOLD_OUT: StatusLabel(lazy_gettext("Sold out"), "bad"),
    EventStatus.DONE: StatusLabel(lazy_gettext("Over"), "none"),
    EventStatus.CANCELED: StatusLabel(lazy_gettext("Cancelled"), "bad"),
}
TICKET_LABELS: Final[Mapping[str, StatusLabel]] = {
    Availability.AVAILABLE: StatusLabel(lazy_gettext("Available"), "good"),
    Availability.HELD: StatusLabel(lazy_gettext("All held: try again soon"), "warn"),
    Availability.SOLD_OUT: StatusLabel(lazy_gettext("Sold out"), "bad"),
    Availability.NOT_ON_SALE_YET: StatusLabel(lazy_gettext("Not on sale yet"), "none"),
    Availability.SALE_OVER: StatusLabel(lazy_gettext("Sale ended"), "none"),
}
# Found events have the words of ticket types, and two of their own.
_SEARCH_LABELS: Final[Mapping[str, StatusLabel]] = {
    **TICKET_LABELS,
    Tickets.LOW: StatusLabel(lazy_gettext("Few left"), "warn"),
    Tickets.NOT_ON_SALE: StatusLabel(lazy_gettext("Not on sale"), "none"),
}
UNKNOWN: Final = StatusLabel(lazy_gettext("Availability unknown"), "none")
PURCHASE_LABELS: Final = {
    "pending": StatusLabel(lazy_gettext("Being processed"), "none"),
    "held": StatusLabel(lazy_gettext("Held for you"), "warn"),
    "confirmed": StatusLabel(lazy_gettext("Bought"), "good"),
    "rejected": StatusLabel(lazy_gettext("Not ordered"), "bad"),
    "cancelled": StatusLabel(lazy_gettext("Returned"), "none"),
    "expired": StatusLabel(lazy_gettext("Hold expired"), "none"),
    "refunded": StatusLabel(lazy_gettext("Refunded"), "none"),
}
_UNPAID: Final = StatusLabel(lazy_gettext("Not paid"), "none")
_PAYING: Final = StatusLabel(lazy_gettext("Payment under way"), "warn")
PAYMENT_LABELS: Final = {
    "due": StatusLabel(lazy_gettext("Not paid yet"), "warn"),
    "authorizing": _PAYING,
    "declined": StatusLabel(lazy_gettext("Declined"), "warn"),
    "confirming": _PAYING,
    "capturing": _PAYING,
    "captured": StatusLabel(lazy_gettext("Paid"), "good"),
    "refunding": StatusLabel(lazy_gettext("Refund on its way"), "warn"),
    "refunded": StatusLabel(lazy_gettext("Refunded"), "none"),
    "revoking": StatusLabel(lazy_gettext("Payment failed"), "bad"),
    "voiding": _UNPAID,
    "voided": _UNPAID,
    "ended": _UNPAID,
    "elsewhere": StatusLabel(lazy_gettext("Paid elsewhere"), "none"),
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
