"""Conversion between the organizer's forms and the bodies of the API. Times in forms are in the event's time zone."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from api.schemas.event import Event
from api.schemas.ticket import TicketType
from tables.text.time_zones import shown_time

_TEXTS: Final = ("title", "description", "venue", "city")
_LIMITS: Final = ("maxPerOrder", "maxPerAccount")
_LOCAL: Final = "%Y-%m-%dT%H:%M"


def event_fields(given: Mapping[str, str]) -> dict[str, Any]:
    """The form of an event as the fields of the API; empty fields are null or an empty string."""
    zone = given.get("timeZone", "")
    return {
        **{name: given.get(name, "") for name in _TEXTS},
        "country": given.get("country", "").upper() or None,
        "tags": [tag.strip() for tag in given.get("tags", "").split(",") if tag.strip()],
        "startsAt": api_time(given.get("startsAt"), zone),
        "endsAt": api_time(given.get("endsAt"), zone),
        "timeZone": zone,
        **{name: whole_number(given.get(name)) for name in ("capacity", *_LIMITS)},
    }


def ticket_fields(given: Mapping[str, str], zone: str) -> dict[str, Any]:
    """The form of a ticket type as the fields of the API."""
    return {
        "name": given.get("name", ""),
        "price": {"amount": given.get("price", ""), "currency": given.get("currency", "").upper()},
        "quantity": whole_number(given.get("quantity")),
        "saleStartsAt": api_time(given.get("saleStartsAt"), zone),
        "saleEndsAt": api_time(given.get("saleEndsAt"), zone),
        **{name: whole_number(given.get(name)) for name in _LIMITS},
        "position": whole_number(given.get("position")) or 0,
    }


def event_form(event: Event) -> dict[str, str]:
    """An event as the fields of its form."""
    shown = event.model_dump(by_alias=True, exclude_none=True)
    texts = {name: str(shown[name]) for name in (*_TEXTS, "country", "timeZone", "capacity", *_LIMITS) if name in shown}
    return texts | {
        "tags": ", ".join(event.tags),
        "startsAt": form_time(event.starts_at, event.time_zone),
        "endsAt": form_time(event.ends_at, event.time_zone),
        "version": str(event.version),
    }


def ticket_form(ticket: TicketType, event: Event) -> dict[str, str]:
    """A ticket type as the fields of its form."""
    shown = ticket.model_dump(by_alias=True, exclude_none=True)
    return {name: str(shown[name]) for name in ("name", "quantity", "position", *_LIMITS) if name in shown} | {
        "price": ticket.price.amount,
        "currency": ticket.price.currency,
        "saleStartsAt": form_time(ticket.sale_starts_at, event.time_zone),
        "saleEndsAt": form_time(ticket.sale_ends_at, event.time_zone),
        "version": str(event.version),
    }


def api_time(text: str | None, zone: str) -> str | None:
    """A local time of the form, with its offset from UTC. A malformed one is returned as it is; the API refuses it."""
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).isoformat()
    except (ValueError, OSError, ZoneInfoNotFoundError):
        return text


def form_time(at: datetime | None, zone: str) -> str:
    """A moment as a local time in that zone, for a field of the form."""
    return "" if at is None else shown_time(at.replace(tzinfo=at.tzinfo or UTC), zone).strftime(_LOCAL)


def whole_number(text: str | None) -> int | str | None:
    """A whole number. A malformed one is returned as it is; the API refuses it."""
    if text is None or not text.strip():
        return None
    plain = text.strip().replace(",", "")
    return int(plain) if plain.isascii() and plain.isdigit() and len(plain) < 16 else text
