"""Seats over REST: what a purchase of one seat costs, and what an answer costs when areas are sold out.

An area is a section of 20 rows of 20 seats in one of four halls, each an event. Half of the areas are sold by name,
each seat once in a random order; in the others each buyer asks for the best seat that is left.
"""

import random
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import httpx

from lab.bench.cpu import SERVER_ROLES
from lab.bench.measurement import Figures, Lab, Measurement
from lab.bench.orders import Show
from lab.bench.rest import BUYERS_PER_TICKET, CONNECTIONS, SOLD, Unexpected, check
from lab.bench.rest_load import BASE, SeatOrder
from lab.bench.rest_site import Loaded, Site, site
from lab.target import target_of

AREAS: Final = 400
SOLD_OUT_AREAS: Final = 80
WARM_UP_AREAS: Final = 100
HALLS: Final = 4
SIDE: Final = 20
SEATS: Final = SIDE * SIDE
SEED: Final = 23
REFUSED: Final = 409
PUT_TIMEOUT_S: Final = 60


class Area(NamedTuple):
    """A section: the number of its hall, and its name."""

    hall: int
    name: str


def sale(lab: Lab) -> Figures:
    """Every seat of all areas is sold, one an order."""
    with site(lab) as running:
        _sell(lab, running, areas_of(lab.count(WARM_UP_AREAS)), "warming up")
        areas = areas_of(lab.count(AREAS))
        loaded = _sell(lab, running, areas, f"{len(areas) * SEATS:,} seats of {len(areas)} areas")
        return {
            "seats.purchases_per_server_cpu_s": loaded.per_server_cpu_s,
            **{f"seats.{role}_us": loaded.microseconds(role) for role in SERVER_ROLES},
        }


def sell_out(lab: Lab) -> Figures:
    """Areas sell out to five times as many buyers as they have seats, who each ask for the best seat of an area."""
    with site(lab) as running:
        _sell(lab, running, areas_of(lab.count(WARM_UP_AREAS)), "warming up")
        areas = areas_of(lab.count(SOLD_OUT_AREAS))
        orders = best(areas, BUYERS_PER_TICKET)
        seats = len(areas) * SEATS
        loaded = _load(lab, running, areas, orders, f"{len(orders):,} buyers of {seats:,} seats")
        return {"seats.sellout_answers_per_server_cpu_s": loaded.per_server_cpu_s}


def areas_of(count: int) -> list[Area]:
    """So many areas; two after each other are in one hall."""
    return [Area(number // 2 % HALLS, f"A{number + 1}") for number in range(count)]


def by_name(areas: Sequence[Area]) -> list[SeatOrder]:
    """An order for each seat, by its name."""
    numbers = range(1, SIDE + 1)
    return [SeatOrder(hall, seat=f"{name}-{row}-{seat}") for hall, name in areas for row in numbers for seat in numbers]


def best(areas: Sequence[Area], buyers_per_seat: int) -> list[SeatOrder]:
    """So many orders for each seat, all for the best one of its area."""
    return [SeatOrder(hall, section=name) for hall, name in areas for _ in range(buyers_per_seat * SEATS)]


def _sell(lab: Lab, running: Site, areas: list[Area], text: str) -> Loaded:
    """Sell every seat, in half of the areas by name."""
    return _load(lab, running, areas, [*by_name(areas[::2]), *best(areas[1::2], 1)], text)


def _load(lab: Lab, running: Site, areas: list[Area], orders: list[SeatOrder], text: str) -> Loaded:
    """Send the orders in a random order. Raises Unexpected unless each seat is sold once and nothing else."""
    random.Random(SEED).shuffle(orders)
    with lab.step(text):
        halls = _open(running, areas)
        loaded = running.load(halls, len(orders), CONNECTIONS, orders=orders)
    seats = len(areas) * SEATS
    check(loaded, {SOLD: seats} | ({REFUSED: len(orders) - seats} if len(orders) > seats else {}))
    if (sold := sum(map(running.sold, halls))) != seats:
        raise Unexpected(f"the ledger sold {sold:,} of {seats:,} seats")
    return loaded


def _open(running: Site, areas: Sequence[Area]) -> list[Show]:
    """Put halls with these areas on sale.

    A first order in each one, for a seat that is not there, makes the API announce the plan to the ledger.
    """
    in_halls = [[area for area in areas if area.hall == hall] for hall in range(1 + max(area.hall for area in areas))]
    halls = running.put_on_sale(len(in_halls), max(map(len, in_halls)) * SEATS)
    target = target_of(running.stack.environment, running.stack.settings.mail_port)
    headers = target.administrator() | {"If-Match": "*"}
    for show, some in zip(halls, in_halls, strict=True):
        url = f"{target.api}{BASE}/events/{show.event}/seating/generate"
        body = {"sections": [_section(area, show) for area in some]}
        httpx.post(url, json=body, headers=headers, timeout=PUT_TIMEOUT_S, trust_env=False).raise_for_status()
    missing = [SeatOrder(hall, seat=f"{some[0].name}-0-0") for hall, some in enumerate(in_halls)]
    check(running.load(halls, len(missing), 1, orders=missing), {REFUSED: len(missing)})
    return halls


def _section(area: Area, show: Show) -> dict[str, Any]:
    square = {"rows": SIDE, "seatsPerRow": SIDE, "rowsBy": "numbers"}
    return {"name": area.name, "category": str(show.types[0])} | square


MEASUREMENTS: Final = (
    Measurement("seats.sale", "400 areas of 20 × 20 seats over REST, one seat an order, all succeed", sale),
    Measurement("seats.sellout", "80 such areas, five buyers for each seat", sell_out),
)
