"""What every page says to the holder of a purchase about it and its event."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from api.pages.language import LazyText, gettext, language, lazy_gettext
from api.pages.shown_times import when
from api.pages.status_labels import EVENT_LABELS, PURCHASE_LABELS, StatusLabel
from api.schemas.event import Event
from api.schemas.purchase import Purchase
from tables.messages.reasons import Reason
from tables.messages.statuses import EventStatus
from translations.holder_texts import calendar_notes, moved_text, postponed_text, returned_text, seat_text


class PurchaseEnd(NamedTuple):
    """How a purchase ended: its headline, its label and what happened."""

    headline: LazyText
    label: StatusLabel
    text: LazyText


_NEW_DATE: Final = StatusLabel(lazy_gettext("New date"), "warn")
_CANCELLED_EVENT: Final = StatusLabel(lazy_gettext("Event cancelled"), "bad")
# By status and reason; without a row of its own, a reason has that of the status alone.
_PURCHASE_ENDS: Final[Mapping[tuple[str, str | None], PurchaseEnd]] = {
    ("expired", None): PurchaseEnd(
        lazy_gettext("Hold expired"),
        PURCHASE_LABELS["expired"],
        lazy_gettext("The time to buy these tickets has passed. You owe nothing."),
    ),
    ("expired", Reason.HOLD_ENDED): PurchaseEnd(
        lazy_gettext("Hold ended"),
        StatusLabel(lazy_gettext("Hold ended"), "none"),
        lazy_gettext("The box office has ended this hold. You owe nothing."),
    ),
    ("expired", Reason.EVENT_CANCELED): PurchaseEnd(
        lazy_gettext("Event cancelled"),
        _CANCELLED_EVENT,
        lazy_gettext("This event will not take place, so your hold has ended. You owe nothing."),
    ),
    ("cancelled", None): PurchaseEnd(
        lazy_gettext("Returned"),
        PURCHASE_LABELS["cancelled"],
        lazy_gettext("You returned these tickets. They are no longer valid."),
    ),
    ("refunded", None): PurchaseEnd(
        lazy_gettext("Refunded"),
        PURCHASE_LABELS["refunded"],
        lazy_gettext("These tickets are refunded. They are no longer valid."),
    ),
    ("refunded", Reason.EVENT_CANCELED): PurchaseEnd(
        lazy_gettext("Event cancelled"),
        StatusLabel(lazy_gettext("Event cancelled, refunded"), "bad"),
        lazy_gettext(
            "This event will not take place. What you paid is refunded, and these tickets are no longer valid."
        ),
    ),
}


def purchase_end(status: str, reason: str | None) -> PurchaseEnd | None:
    """How a purchase ended; None if it has not ended."""
    return _PURCHASE_ENDS.get((status, reason)) or _PURCHASE_ENDS.get((status, None))


def purchase_label(purchase: Purchase) -> StatusLabel:
    """The label of a purchase."""
    if purchase.returned:
        return StatusLabel(returned_note(purchase), "warn")
    end = purchase_end(purchase.status, purchase.reason)
    return end.label if end else PURCHASE_LABELS[purchase.status]


def returned_note(purchase: Purchase) -> str:
    """How many tickets of the purchase were given back; empty without any."""
    return returned_text(language(), purchase.returned, _left(purchase)) if purchase.returned else ""


def purchase_notes(purchase: Purchase, event: Event) -> list[str]:
    """What the purchase's calendar entry says besides time and place."""
    left, note = _left(purchase), postponement_note(event)
    seats = (seat for line in purchase.lines or [] for seat in line.seats or [])
    return calendar_notes(language(), returned=purchase.returned or 0, left=left, event_note=note, seats=seats)


def _left(purchase: Purchase) -> int:
    return sum(line.quantity for line in purchase.lines or [])


def postponement_note(event: Event) -> str:
    """That the event is postponed, or has another date since then; empty if neither."""
    former = event.former_starts_at
    if former is not None and former != event.starts_at:
        return moved_text(language(), when(former, event.time_zone))
    if event.status is not EventStatus.POSTPONED:
        return ""
    return postponed_text(language(), when(former, event.time_zone) if former else "")


def holder_note(event: Event) -> str:
    """What somebody with tickets has to know of the event before anything else; empty if there is nothing."""
    if event.status is EventStatus.CANCELED:
        return gettext("This event is cancelled and will not take place.")
    return postponement_note(event)


def holder_label(event: Event) -> StatusLabel | None:
    """The label of ``holder_note``."""
    if event.status in (EventStatus.POSTPONED, EventStatus.CANCELED):
        return EVENT_LABELS[event.status]
    return _NEW_DATE if holder_note(event) else None


FILTERS: Final[Mapping[str, Any]] = {
    "purchase_label": purchase_label,
    "returned_note": returned_note,
    "postponement_note": postponement_note,
    "holder_note": holder_note,
    "holder_label": holder_label,
    "seat": lambda name: seat_text(language(), name),
}
