"""Buyers who pay online, from a process of its own: hold, start the payment, approve it on Paper's page.

``python -m lab.bench pay`` reads a PayingPlan from standard input and writes a PayingReport, both JSON.
"""

import asyncio
import sys
import time
from typing import Any, Final
from uuid import UUID

import msgspec
import rich_click as click
import uvloop
from aiohttp import ClientSession, ClientTimeout, TCPConnector
from msgspec import Struct

BASE: Final = "/api/v3"
PAUSE_S: Final = 0.5
STALL_TIMEOUT_S: Final = 120.0
HELD, ACCEPTED, SEE_OTHER, UNAVAILABLE = 201, 202, 303, 503


class PayingPlan(Struct, frozen=True, kw_only=True):
    """Who buys one ticket of which event: as many at once as there are ``buyers_at_once``, for at most ``seconds``."""

    api: str
    buyers_at_once: int
    seconds: float
    shows: list[tuple[UUID, UUID]]
    accounts: list[UUID]
    tokens: list[str]


class PayingReport(Struct, frozen=True):
    """How many have paid, and how often one of them asked again, for the hold or for the page where he pays."""

    paid: int
    asked_again: int


class Buyers:
    """Carries out a plan. Anything but the expected answers ends it with RuntimeError."""

    def __init__(self, plan: PayingPlan, http: ClientSession) -> None:
        self.plan = plan
        self.http = http
        self.paid = self.asked_again = 0
        self._ends_at = time.monotonic() + plan.seconds
        self._next = iter(range(len(plan.accounts)))

    async def run(self) -> PayingReport:
        """All of them."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self.plan.buyers_at_once):
                group.create_task(self._in_turn())
        return PayingReport(self.paid, self.asked_again)

    async def _in_turn(self) -> None:
        for number in self._next:
            if time.monotonic() > self._ends_at:
                return
            await self._buy(number)
            self.paid += 1

    async def _buy(self, number: int) -> None:
        event, kind = self.plan.shows[number % len(self.plan.shows)]
        headers = {"Authorization": f"Bearer {self.plan.tokens[number]}", "Idempotency-Key": "one"}
        account = str(self.plan.accounts[number])
        body = {"eventId": str(event), "accountId": account, "lines": [{"ticketTypeId": str(kind), "quantity": 1}]}
        held = await self._hold(headers, body)
        page = await self._page(f"{BASE}/purchases/{held['id']}/payment", headers)
        async with self.http.post(page, data={"choice": "approve"}, allow_redirects=False) as answer:
            if answer.status != SEE_OTHER:
                raise RuntimeError(f"Paper answered {answer.status}")

    async def _hold(self, headers: dict[str, str], body: Any) -> dict[str, Any]:
        deadline = time.monotonic() + STALL_TIMEOUT_S
        while True:
            status, held = await self._post(f"{BASE}/purchases", headers, body)
            if status == HELD:
                return held
            if status not in (ACCEPTED, UNAVAILABLE) or time.monotonic() > deadline:
                raise RuntimeError(f"a purchase was answered {status}: {held}")
            self.asked_again += 1
            await asyncio.sleep(PAUSE_S)

    async def _page(self, path: str, headers: dict[str, str]) -> str:
        deadline = time.monotonic() + STALL_TIMEOUT_S
        while time.monotonic() < deadline:
            status, told = await self._post(path, headers)
            if told.get("url"):
                return str(told["url"])
            if status not in (ACCEPTED, 409, UNAVAILABLE):
                raise RuntimeError(f"a payment was answered {status}: {told}")
            self.asked_again += 1
            await asyncio.sleep(PAUSE_S)
        raise TimeoutError(f"nobody tells where {path} is paid")

    async def _post(self, path: str, headers: dict[str, str], body: Any = None) -> tuple[int, dict[str, Any]]:
        async with self.http.post(f"{self.plan.api}{path}", json=body, headers=headers) as answer:
            return answer.status, await answer.json(content_type=None)


@click.command(name="pay", hidden=True)
def command() -> None:
    """Carry out one PayingPlan from standard input, and write a PayingReport to standard output."""
    plan = msgspec.json.decode(sys.stdin.buffer.read(), type=PayingPlan)
    uvloop.install()
    sys.stdout.buffer.write(msgspec.json.encode(asyncio.run(_run(plan))))


async def _run(plan: PayingPlan) -> PayingReport:
    timeout = ClientTimeout(total=STALL_TIMEOUT_S)
    async with ClientSession(connector=TCPConnector(limit=plan.buyers_at_once), timeout=timeout) as http:
        return await Buyers(plan, http).run()
