"""The organizer's forms: from events and ticket types to their fields, and from the fields to bodies of the API.

Times in forms are local times of the event's time zone. A form can't show every value exactly, so a change has only
the fields that differ from what the form showed.
"""

import csv
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from api.pages.field_texts import INVALID, Unreadable
from api.pages.forms import Reader, read_form, typed_amount, whole_number
from api.pages.local_times import form_fold, form_time, typed_local, typed_moment
from api.pages.numbers import shown_price
from api.schemas.event import Event, EventChange, NewEvent
from api.schemas.ticket import NewTicketType, TicketType, TicketTypeChange
from tables.messages.payment_modes import PaymentMode

Fields = Mapping[str, str]

_LIMITS: Final = ("maxPerOrder", "maxPerAccount")
_QUOTE: Final = '"'
# A tag that is not read as it is written without quotes.
_QUOTED: Final = re.compile(r'^"|,')
_LINE_BREAKS: Final = dict.fromkeys(map(ord, "\r\n"))


def event_form(event: Event) -> dict[str, str]:
    """An event as the fields of its form."""
    shown = event.model_dump(by_alias=True, exclude_none=True)
    names = ("title", "description", "venue", "city", "country", "timeZone", "capacity", *_LIMITS, "payment")
    texts = {name: str(shown[name]) for name in names if name in shown}
    times = _shown_times(event.time_zone, startsAt=event.starts_at, endsAt=event.ends_at)
    return texts | times | {"tags": _shown_tags(event.tags), "version": str(event.version)}


def ticket_form(ticket: TicketType, event: Event) -> dict[str, str]:
    """A ticket type as the fields of its form."""
    shown = ticket.model_dump(by_alias=True, exclude_none=True)
    texts = {name: str(shown[name]) for name in ("name", "quantity", "position", *_LIMITS) if name in shown}
    price = {"price": shown_price(ticket.price.exact), "currency": ticket.price.currency}
    times = _shown_times(event.time_zone, saleStartsAt=ticket.sale_starts_at, saleEndsAt=ticket.sale_ends_at)
    return texts | price | times | {"version": str(event.version)}


def new_event(sent: Fields) -> NewEvent:
    """The event of a filled-in form. Refused: invalid-input, with a text for each wrong field."""
    return read_form(NewEvent, _EVENT, _EVENT, sent)


def event_change(sent: Fields, event: Event) -> EventChange:
    """What a form changes of an event. Refused: invalid-input, with a text for each wrong field."""
    known = {_one_line(tag): tag for tag in event.tags}
    readers = _EVENT | {"tags": lambda sent: [known.get(tag, tag) for tag in _typed_tags(sent)]}
    return read_form(EventChange, readers, _changed(_EVENT, sent, event_form(event)), sent)


def new_ticket(sent: Fields, event: Event) -> NewTicketType:
    """The ticket type of a filled-in form. Refused: invalid-input, with a text for each wrong field."""
    return read_form(NewTicketType, _TICKET, _TICKET, {**sent, "timeZone": event.time_zone})


def ticket_change(sent: Fields, ticket: TicketType, event: Event) -> TicketTypeChange:
    """What a form changes of a ticket type. Refused: invalid-input, with a text for each wrong field."""
    zone = {"timeZone": event.time_zone}
    names = _changed(_TICKET, {**sent, **zone}, ticket_form(ticket, event) | zone)
    return read_form(TicketTypeChange, _TICKET, names, {**sent, **zone})


def _changed(readers: Mapping[str, Reader], sent: Fields, shown: Fields) -> list[str]:
    """The fields of the API whose fields in the form were sent and differ from what was shown."""
    different = {name for name, text in sent.items() if not _is_same(name, text, shown.get(name, ""))}
    return [name for name in readers if not different.isdisjoint(_SOURCES.get(name, (name,)))]


def _is_same(name: str, sent: str, shown: str) -> bool:
    if name in TIME_FIELDS and sent and shown:
        return typed_local(sent) == typed_local(shown)
    if name == "description":  # browsers send the line breaks of a text area as CR LF
        return _plain_breaks(sent) == _plain_breaks(shown)
    return _one_line(sent) == _one_line(shown)


def _one_line(text: str) -> str:
    """A text as browsers show it in a field of one line."""
    return text.translate(_LINE_BREAKS)


def _plain_breaks(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _shown_times(zone: str, **moments: datetime | None) -> dict[str, str]:
    times = {name: form_time(moment, zone) for name, moment in moments.items()}
    return times | {f"{name}Fold": form_fold(moment, zone) for name, moment in moments.items()}


def _shown_tags(tags: list[str]) -> str:
    """The tags separated by commas; a tag with a comma is quoted."""
    return ", ".join(f'"{tag.replace(_QUOTE, _QUOTE * 2)}"' if _QUOTED.search(tag) else tag for tag in tags)


def _typed_tags(sent: Fields) -> list[str]:
    rows = csv.reader([_one_line(sent.get("tags", ""))], skipinitialspace=True)
    try:
        return [tag.strip() for row in rows for tag in row if tag.strip()]
    except csv.Error as error:  # a tag of more than csv.field_size_limit() characters
        raise Unreadable(INVALID) from error


def _text(name: str) -> Reader:
    return lambda sent: sent.get(name, "")


def _code(name: str) -> Reader:
    return lambda sent: sent.get(name, "").strip().upper() or None


def _moment(name: str) -> Reader:
    def read(sent: Fields) -> datetime | None:
        if not sent.get(name):
            return None
        return typed_moment(sent[name], sent.get("timeZone", ""), sent.get(f"{name}Fold", ""))

    return read


def _price(sent: Fields) -> dict[str, str | None]:
    return {"amount": typed_amount(sent.get("price", "")), "currency": _code("currency")(sent)}


TIME_FIELDS: Final = frozenset({"startsAt", "endsAt", "saleStartsAt", "saleEndsAt"})
# The fields of a form from which a field of the API is read, where it is not the one of its name.
_SOURCES: Final = {name: (name, f"{name}Fold", "timeZone") for name in TIME_FIELDS} | {"price": ("price", "currency")}
_NUMBERS: Final[dict[str, Reader]] = {name: whole_number(name) for name in _LIMITS}
_EVENT: Final[dict[str, Reader]] = {
    **{name: _text(name) for name in ("title", "description", "venue", "city", "timeZone")},
    "country": _code("country"),
    "tags": _typed_tags,
    **{name: _moment(name) for name in ("startsAt", "endsAt")},
    "capacity": whole_number("capacity"),
    **_NUMBERS,
    "payment": lambda sent: sent.get("payment") or PaymentMode.NONE,
}
_TICKET: Final[dict[str, Reader]] = {
    "name": _text("name"),
    "price": _price,
    "quantity": whole_number("quantity"),
    **{name: _moment(name) for name in ("saleStartsAt", "saleEndsAt")},
    **_NUMBERS,
    "position": lambda sent: whole_number("position")(sent) or 0,
}
