"""What the holder of a purchase is told of it and of its event, on every page alike."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from api.pages.copy import EVENT_LABELS, PURCHASE_LABELS, StatusLabel
from api.schemas.event import Event
from api.schemas.purchase import Purchase
from tables.messages.reasons import Reason
from tables.messages.statuses import EventStatus


class PurchaseEnd(NamedTuple):
    """How a purchase ended: its headline, its label and what happened."""

    headline: str
    label: StatusLabel
    text: str


_CANCELLED_EVENT: Final = StatusLabel("Event cancelled", "bad")
# By status and reason; without a row of its own, a reason has that of the status alone.
_PURCHASE_ENDS: Final[Mapping[tuple[str, str | None], PurchaseEnd]] = {
    ("expired", None): PurchaseEnd(
        "Hold expired", PURCHASE_LABELS["expired"], "The time to buy these tickets has passed. You owe nothing."
    ),
    ("expired", Reason.HOLD_ENDED): PurchaseEnd(
        "Hold ended", StatusLabel("Hold ended", "none"), "The box office has ended this hold. You owe nothing."
    ),
    ("expired", Reason.EVENT_CANCELED): PurchaseEnd(
        "Event cancelled", _CANCELLED_EVENT, "This event will not take place, so your hold has ended. You owe nothing."
    ),
    ("cancelled", None): PurchaseEnd(
        "Returned", PURCHASE_LABELS["cancelled"], "You returned these tickets. They are no longer valid."
    ),
    ("refunded", None): PurchaseEnd(
        "Refunded", PURCHASE_LABELS["refunded"], "These tickets are refunded. They are no longer valid."
    ),
    ("refunded", Reason.EVENT_CANCELED): PurchaseEnd(
        "Event cancelled",
        StatusLabel("Event cancelled, refunded", "bad"),
        "This event will not take place. What you paid is refunded, and these tickets are no longer valid.",
    ),
}


def purchase_end(status: str, reason: str | None) -> PurchaseEnd | None:
    """How a purchase ended; None if it has not ended."""
    return _PURCHASE_ENDS.get((status, reason)) or _PURCHASE_ENDS.get((status, None))


def purchase_label(purchase: Purchase) -> StatusLabel:
    """The label of a purchase."""
    end = purchase_end(purchase.status, purchase.reason)
    return end.label if end else PURCHASE_LABELS[purchase.status]


# What somebody with tickets has to know of the event, as a label and a sentence.
_HOLDER_NOTES: Final = {
    EventStatus.POSTPONED: "This event is postponed. Its date may no longer apply; we will e-mail you the new one. "
    "Your tickets stay valid.",
    EventStatus.CANCELED: "This event is cancelled and will not take place.",
}


def holder_note(event: Event) -> str | None:
    """What somebody with tickets has to know of the event before anything else; None if there is nothing."""
    return _HOLDER_NOTES.get(event.status)


def holder_label(event: Event) -> StatusLabel | None:
    """The label of ``holder_note``."""
    return EVENT_LABELS[event.status] if event.status in _HOLDER_NOTES else None


FILTERS: Final[Mapping[str, Any]] = {
    "purchase_label": purchase_label,
    "holder_note": holder_note,
    "holder_label": holder_label,
}
