"""A hall on sale: half of the buyers want seats by name, the others the best that are left, and all come at once.

Those who lose a seat to somebody else take the ones that the answer offers instead, once.
"""

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from http.client import OK
from typing import Any, Final
from uuid import UUID

from aiohttp import ClientSession

from lab.demo.hall_plan import HallSection, plan_body, read_plan, ticket_types
from lab.demo.onsale import BASE, OnSale, Request, Tick, make_buyers, make_event, post, settled, word
from lab.target import Target

ABOUT: Final = "A hall in which every seat is sold by name, or as the best that is left."
QUANTITIES: Final = (1, 2, 2, 2, 3, 4)
ACCOUNTS_AT_ONCE: Final = 500


@dataclass(slots=True)
class SeatRequest(Request):
    """A purchase of ``seats`` by name, or of the best ones that are left. ``got`` are the seats of the answer."""

    seats: tuple[str, ...] = ()
    got: tuple[str, ...] = ()
    is_second_try: bool = False


@dataclass(slots=True)
class HallSale(OnSale):
    """The event with its hall, and all requests."""

    requests: list[SeatRequest]
    sections: Sequence[HallSection]


async def make_hall(target: Target, http: ClientSession, rows: int) -> HallSale:
    """An event that is on sale with a hall of so many rows, known to the ledger, without requests.

    Raises RuntimeError with the answer if something was refused, TimeoutError.
    """
    event, title, types = await make_event(target, http, ABOUT, ticket_types(rows))
    url = f"{target.api}{BASE}/events/{event}/seating"
    headers = target.administrator()
    status, answer = await post(http, f"{url}/generate", plan_body(types), headers | {"If-Match": "*"})
    if status != OK:
        raise RuntimeError(f"the hall was not made: {status} {answer}")
    async with http.get(url, headers=headers) as plan:
        sections = read_plan((await plan.json())["sections"])
    await settled(target, http, event, len(types))
    return HallSale(event, title, types, [], sections)


async def make_crowd(target: Target, http: ClientSession, count: int, tick: Tick) -> list[UUID]:
    """Make so many accounts, some hundreds at a time."""
    sizes = [min(ACCOUNTS_AT_ONCE, count - first) for first in range(0, count, ACCOUNTS_AT_ONCE)]
    return [account for size in sizes for account in await make_buyers(target, http, size, tick)]


def requests_of(buyers: Sequence[UUID], sections: Sequence[HallSection], seed: int) -> list[SeatRequest]:
    """A request of each buyer: one to four seats, every other buyer's by name, beside each other in any row."""
    rng = random.Random(seed)
    weights = [len(section.rows) for section in sections]
    requests = []
    for number, buyer in enumerate(buyers):
        [section], quantity = rng.choices(sections, weights), rng.choice(QUANTITIES)
        seats = () if number % 2 else _beside_each_other(section, quantity, rng)
        requests.append(_request(buyer, f"hall-{number}", section.ticket_type, quantity, seats))
    return requests


def _beside_each_other(section: HallSection, quantity: int, rng: random.Random) -> tuple[str, ...]:
    block = rng.choice(section.blocks)
    first = rng.randrange(len(block) - quantity + 1)
    return block[first : first + quantity]


def _request(account: UUID, key: str, ticket_type: UUID, quantity: int, seats: tuple[str, ...]) -> SeatRequest:
    return SeatRequest(account, key, ticket_type, quantity, by_kafka=False, times=1, seats=seats)


async def rush(target: Target, http: ClientSession, sale: HallSale, tick: Tick) -> None:
    """Send all requests at once, and second ones of those who lost a seat."""

    async def one(request: SeatRequest) -> None:
        again = second_try(request, await _buy(target, http, sale, request))
        if again is not None:
            sale.requests.append(again)
            await _buy(target, http, sale, again)
        tick(1)

    await asyncio.gather(*(one(request) for request in list(sale.requests)))


def second_try(request: SeatRequest, answer: dict[str, Any]) -> SeatRequest | None:
    """What the buyer asks for instead of seats that were taken; None if the answer offers too few."""
    figures = answer.get("figures") or {}
    if "nearest" not in figures:
        return None
    seats = (*(seat for seat in request.seats if seat not in figures["seats"]), *figures["nearest"])
    if len(seats) != request.quantity:
        return None
    again = _request(request.account, f"{request.key}-again", request.ticket_type, request.quantity, seats)
    again.is_second_try = True
    return again


async def _buy(target: Target, http: ClientSession, sale: HallSale, request: SeatRequest) -> dict[str, Any]:
    wanted: dict[str, Any] = {"seats": list(request.seats)} if request.seats else {"best": {}}
    line = {"ticketTypeId": str(request.ticket_type), "quantity": request.quantity} | wanted
    body = {"eventId": str(sale.event), "accountId": str(request.account), "lines": [line]}
    began = time.monotonic()
    headers = {"Idempotency-Key": request.key} | target.bearer(request.account)
    status, answer = await post(http, f"{target.api}{BASE}/purchases", body, headers)
    request.seconds.append(time.monotonic() - began)
    request.answers.append((status, word(status, answer)))
    request.got = tuple(seat for bought in answer.get("lines") or () for seat in bought.get("seats") or ())
    return answer
