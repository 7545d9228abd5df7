"""The verdict on a hall: no seat twice, everybody has what they were told, and ledger and PostgreSQL agree."""

import asyncio
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import psycopg
from aiohttp import ClientSession

from lab.demo.hall_drawing import Party
from lab.demo.hall_plan import Block, HallSection
from lab.demo.hall_sale import HallSale, SeatRequest
from lab.demo.onsale import BASE
from lab.demo.verdict import (
    TIMEOUT_S,
    Verdict,
    answers_tell_the_truth,
    nothing_oversold,
    one_decision_each,
    outcomes_of,
)
from lab.target import Target
from tables.messages.outcomes import Outcome, OutcomeKind

LOOK_S: Final = 0.5
_STORED: Final = """
SELECT id, jsonb_path_query_array(lines, '$[*].seats[*]') FROM purchase WHERE event_id = %s AND status = 'confirmed'
"""

SeatsByPurchase = dict[UUID, frozenset[str]]


@dataclass(slots=True)
class HallVerdict(Verdict):
    """The figures of the sale, who sits where, and what is broken."""

    parties: dict[str, Party] = field(default_factory=dict)

    @property
    def seats(self) -> SeatsByPurchase:
        """The seats of each purchase, as the ledger decided."""
        return {
            one.purchase: frozenset(_seats(one)) for one in self.decisions.values() if one.purchase and _is_sold(one)
        }


async def judge_hall(target: Target, http: ClientSession, sale: HallSale) -> HallVerdict:
    """Check every promise."""
    verdict = HallVerdict()
    one_decision_each(sale, await asyncio.to_thread(outcomes_of, target, sale), verdict)
    await nothing_oversold(target, http, sale, verdict)
    answers_tell_the_truth(sale, verdict)
    seat_everybody(sale, verdict)
    nothing_withheld(sale, verdict)
    await _equal_in_postgresql(target, sale, verdict)
    await _shown(target, http, sale, verdict)
    return verdict


def seat_everybody(sale: HallSale, verdict: HallVerdict) -> None:
    """Note who sits where; no seat twice, and everybody on seats that they wanted and were told."""
    kinds = {seat: section.ticket_type for section in sale.sections for block in section.blocks for seat in block}
    for request in sale.requests:
        decided = verdict.decisions.get(request.purchase)
        seats = _seats(decided) if decided and _is_sold(decided) else []
        if seats and not _is_as_wanted(request, seats, kinds):
            verdict.broken.append(f"seats: purchase {request.purchase} wanted {_wish(request)} and got {_list(seats)}")
        if set(request.got) - set(seats):
            verdict.broken.append(f"seats: {request.purchase} was told {_list(request.got)}, decided {_list(seats)}")
        for seat in seats:
            if seat in verdict.parties:
                other = verdict.parties[seat].purchase
                verdict.broken.append(f"seats: {seat} was sold twice, by purchases {other} and {request.purchase}")
            verdict.parties[seat] = Party(request.purchase, bool(request.seats))


def nothing_withheld(sale: HallSale, verdict: HallVerdict) -> None:
    """Nobody was refused seats that are free in the end: no seat was given back, so they were free all the time."""
    longest = {section.ticket_type: _longest_run(section, verdict.parties) for section in sale.sections}
    for request in sale.requests:
        decided = verdict.decisions.get(request.purchase)
        if decided is not None and decided.kind is not OutcomeKind.REJECTED:
            continue
        by_name = request.seats and not any(seat in verdict.parties for seat in request.seats)
        if by_name or (not request.seats and longest[request.ticket_type] >= request.quantity):
            verdict.broken.append(f"seats: purchase {request.purchase} was refused {_wish(request)}, which are free")


def equal_in_both(verdict: HallVerdict, stored: SeatsByPurchase) -> None:
    """PostgreSQL has the seats of the same purchases as the ledger."""
    decided = verdict.seats
    for purchase in decided.keys() | stored.keys():
        ours, theirs = decided.get(purchase, frozenset()), stored.get(purchase, frozenset())
        if ours != theirs:
            verdict.broken.append(
                f"seats: {purchase} has {_list(ours)} in the ledger and {_list(theirs)} in PostgreSQL"
            )


async def _equal_in_postgresql(target: Target, sale: HallSale, verdict: HallVerdict) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while (stored := await asyncio.to_thread(_stored, target, sale.event)) != verdict.seats:
        if time.monotonic() > deadline:
            break
        await asyncio.sleep(LOOK_S)
    equal_in_both(verdict, stored)


def _stored(target: Target, event: UUID) -> SeatsByPurchase:
    with psycopg.connect(target.database) as connection:
        return {purchase: frozenset(seats) for purchase, seats in connection.execute(_STORED, [event])}


async def _shown(target: Target, http: ClientSession, sale: HallSale, verdict: HallVerdict) -> None:
    """The API shows as many seats as taken as are sold, a second later at most."""
    deadline = time.monotonic() + TIMEOUT_S
    while True:
        async with http.get(f"{target.api}{BASE}/events/{sale.event}/seats", headers=target.administrator()) as answer:
            sections = (await answer.json())["sections"]
        taken = sum(section["seats"] - section["free"] for section in sections)
        if taken == len(verdict.parties):
            return
        if time.monotonic() > deadline:
            verdict.broken.append(f"seats: the API shows {taken} of them as taken, and {len(verdict.parties)} are sold")
            return
        await asyncio.sleep(LOOK_S)


def _is_sold(outcome: Outcome) -> bool:
    return outcome.kind is OutcomeKind.CONFIRMED


def _seats(outcome: Outcome) -> list[str]:
    return [seat for line in outcome.lines for seat in line.seats]


def _is_as_wanted(request: SeatRequest, seats: list[str], kinds: Mapping[str, UUID]) -> bool:
    if len(seats) != request.quantity or any(kinds.get(seat) != request.ticket_type for seat in seats):
        return False
    return not request.seats or set(seats) == set(request.seats)


def _wish(request: SeatRequest) -> str:
    return _list(request.seats) if request.seats else f"the {request.quantity} best seats"


def _list(seats: frozenset[str] | list[str] | tuple[str, ...]) -> str:
    return ", ".join(sorted(seats)) or "nothing"


def _longest_run(section: HallSection, parties: Mapping[str, Party]) -> int:
    return max(run for block in section.blocks for run in _runs(block, parties))


def _runs(block: Block, parties: Mapping[str, Party]) -> Iterator[int]:
    """The lengths of the runs of free seats; 0 among them."""
    run = 0
    for seat in block:
        run = 0 if seat in parties else run + 1
        yield run
