"""The chosen seats in a form or a URL: a field ``seat`` with the name of each, or wishes for the best ones left."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from flask import redirect, request
from werkzeug.wrappers import Response

from api.organizing.seating import seats_of
from api.pages.ticket_selection import quantity_fields
from api.ports.ports import ports
from api.problems import Refused

SEAT_FIELD: Final = "seat"
CHOSEN_MAX_SEATS: Final = 50


class SeatWishes(NamedTuple):
    """The names of the fields that say which seats are the best."""

    apart: str = "apart"
    accessible: str = "accessible"


SEAT_WISHES: Final = SeatWishes()


def chosen_seats(most: int = CHOSEN_MAX_SEATS) -> list[str]:
    """The names of the first ``most`` chosen seats, each once."""
    return list(dict.fromkeys(request.values.getlist(SEAT_FIELD)))[:most]


def seat_wishes() -> dict[str, str]:
    """The wishes as they were sent."""
    return {name: "1" for name in SEAT_WISHES if request.values.get(name)}


def with_best(event: UUID, lines: list[dict[str, object]]) -> list[dict[str, object]]:
    """The lines of an API body; those of ticket types with seats ask for the best ones that are left."""
    plan = ports().seating.outline(event) if lines else None
    if plan is None:
        return lines
    wishes = seat_wishes()
    best = {"together": SEAT_WISHES.apart not in wishes, "accessible": SEAT_WISHES.accessible in wishes}
    return [line | {"best": best} if line["ticketTypeId"] in plan.seated else line for line in lines]


def seat_lines(event: UUID) -> list[dict[str, object]]:
    """The chosen seats as the lines of an API body, by ticket type. Refused: unknown-seat."""
    chosen = chosen_seats()
    known: dict[str, dict[str, Any]] = {}
    for name in dict.fromkeys(seat.partition("-")[0] for seat in chosen):
        known.update(seats_of(ports().seating.section(event, name) or {"name": name}))
    by_type: defaultdict[str, list[str]] = defaultdict(list)
    for seat in chosen:
        if seat not in known:
            raise Refused("unknown-seat")
        by_type[known[seat]["category"]].append(seat)
    return [{"ticketTypeId": kind, "quantity": len(seats), "seats": seats} for kind, seats in by_type.items()]


def seats_url(event: UUID, section: str, chosen: Iterable[str], more: Iterable[tuple[str, str]] = ()) -> str:
    """The URL of a section's page, with the chosen seats, and the numbers of tickets without a seat."""
    fields = [("section", section), *more, *((SEAT_FIELD, seat) for seat in dict.fromkeys(chosen))]
    return f"/events/{event}/seats?{urlencode([*fields, *quantity_fields().items()])}#choose"


def redirect_to_seats(event: UUID, error: Refused) -> Response:
    """Redirect to the seats with those that are still chosen, why they were refused, and the nearest free ones."""
    figures = error.extra.get("figures", {})
    gone, near = _names(figures.get("seats")), _names(figures.get("nearest"))
    more = [("refused", error.kind), *(("gone", seat) for seat in gone), *(("near", seat) for seat in near)]
    return redirect(_url_after(event, [seat for seat in chosen_seats() if seat not in gone], [*near, *gone], more), 303)


def redirect_to_same_seats(event: UUID, key: str) -> Response:
    """Redirect to the seats after an order of which nobody knows whether it arrived; the next try has its key."""
    return redirect(_url_after(event, chosen_seats(), (), [("refused", "unavailable"), ("key", key)]), 303)


def _url_after(event: UUID, chosen: list[str], first: Iterable[str], more: list[tuple[str, str]]) -> str:
    """The URL after a refusal, with the section of the first of these seats, or else of those that are chosen."""
    section = next(iter([*first, *chosen]), "").partition("-")[0]
    return seats_url(event, section, chosen, more)


def _names(found: Iterable[Any] | None) -> list[str]:
    return [str(name) for name in found or ()][:CHOSEN_MAX_SEATS]
