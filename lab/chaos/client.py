"""The client of a chaos run: it carries out the workload, and records every try of a request and its answer.

It behaves as a buyer's program should: without an answer, or with a 503, it repeats the request with the same
idempotency key; after a 202 it asks for the result later.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Any, Final

from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector

from api.roles import Role
from lab.chaos.history import History
from lab.chaos.log_writer import LogWriter
from lab.chaos.workload.catalogue import HIDDEN
from lab.chaos.workload.operation import Operation
from lab.chaos.workload.workload import Workload
from lab.target import Target

BASE: Final = "/api/v3"
REQUEST_TIMEOUT_S: Final = 6.0
# Longer than any outage of the schedule and the recovery after it.
RETRY_MAX_S: Final = 90.0
RETRY_PAUSE_S: Final = 1.0
LONG_POLL_S: Final = 4
RETRIED: Final = frozenset({0, 429, 500, 502, 503, 504})
OK: Final = 200
ACCEPTED: Final = 202
NOT_FOUND: Final = 404
# A stranger and an organizer never find the purchase.
NEVER_FOUND: Final = frozenset({"intrude", "confirm-elsewhere"})
CONFLICT: Final = 409
SEE_OTHER: Final = 303

Json = dict[str, Any]


class Client:
    """Carries out a workload against ``target``, over proxies; ``direct`` is the broker's own address."""

    def __init__(self, workload: Workload, target: Target, direct: str, history: History, seed: int) -> None:
        self.workload, self.target, self.direct, self.history = workload, target, direct, history
        self.done = 0
        self.retry_max_s = RETRY_MAX_S
        self._rng = random.Random(f"client {seed}")
        self._headers: dict[str, dict[str, str]] = {}

    async def prepare(self) -> None:
        """Make the accounts, and the events that are there from the start, with their plans."""
        async with self._session() as http:
            self._http = http
            people = [*self.workload.catalogue.organizers, *self.workload.catalogue.buyers]
            await asyncio.gather(*(self._make(number, "/accounts", each.body) for number, each in enumerate(people)))
            shows = [show.body for show in self.workload.before]
            await asyncio.gather(*(self._make(number, "/events", body) for number, body in enumerate(shows)))
            plans = [(show.id, show.hall.plans[0]) for show in self.workload.before if show.hall]
            made = (self._make(n, f"/events/{event}/seating", body, "PUT") for n, (event, body) in enumerate(plans))
            await asyncio.gather(*made)

    async def run(self) -> None:
        """Start each operation at its time; returns when all have ended."""
        proxied = self.target.kafka["bootstrap_servers"]
        async with self._session() as http, LogWriter(proxied, self.direct, self.history) as log:
            self._http, self._log = http, log
            await self._carry_out(self.workload.operations)

    def give_up(self) -> None:
        """Start no operation any more, and repeat no request."""
        self.retry_max_s = 0.0

    async def close_up(self) -> None:
        """After the run: read every buyer's list of purchases and every hall's seats, and search for the drafts."""
        async with self._session() as http:
            self._http = http
            for buyer in self.workload.catalogue.buyers:
                await self._list(buyer.id)
            for event in self.workload.catalogue.halls:
                path = f"/events/{event}/seats"
                await self._ask(Operation(0, 0.0, "ask", "closing-seats", method="GET", path=path))
            hidden = Operation(
                0, 0.0, "ask", "closing-search", method="GET", path=f"/events/search?q={HIDDEN}&limit=100"
            )
            await self._ask(hidden)

    async def _list(self, account: str) -> None:
        path: str | None = f"/accounts/{account}/purchases?limit=100"
        while path:
            operation = Operation(0, 0.0, "ask", "closing", method="GET", path=path, who=account)
            status, answer = await self._try(operation, "GET", path, 0, who=account)
            if status != OK:
                await asyncio.sleep(RETRY_PAUSE_S)
                continue
            path = f"/accounts/{account}/purchases?limit=100&cursor={answer['next']}" if "next" in answer else None

    async def _carry_out(self, operations: Iterable[Operation]) -> None:
        began = time.monotonic()
        tasks = []
        for operation in operations:
            await asyncio.sleep(max(0.0, began + operation.at - time.monotonic()))
            if not self.retry_max_s:
                break
            tasks.append(asyncio.create_task(self._do(operation)))
        await asyncio.gather(*tasks)

    async def _do(self, operation: Operation) -> None:
        work: dict[str, Callable[[Operation], Awaitable[object]]] = {
            "ask": self._ask,
            "pay": self._pay,
            "refund": self._until_decided,
            "append": self._log.append,
            "copy": self._log.copy,
        }
        await work[operation.what](operation)
        self.done += 1

    def _session(self) -> ClientSession:
        return ClientSession(connector=TCPConnector(limit=500), timeout=ClientTimeout(total=REQUEST_TIMEOUT_S))

    async def _make(self, number: int, path: str, body: Json, method: str = "POST") -> None:
        operation = Operation(
            -1 - number, 0.0, "ask", "prepare", method=method, path=path, body=body, who="administrator"
        )
        await self._ask(operation)

    async def _ask(self, operation: Operation) -> None:
        began = time.monotonic()
        for count in range(1_000):
            status, answer = await self._try(operation, operation.method, operation.path, count)
            if status == ACCEPTED:
                await self._follow(operation, answer, began)
                return
            if not _may_succeed(status, answer) or not self._waits(began):
                return
            await asyncio.sleep(RETRY_PAUSE_S * self._rng.uniform(0.3, 1.0))

    async def _pay(self, operation: Operation) -> None:
        """Start a payment until the provider's page is known, and press its buttons."""
        answer = await self._until_decided(operation)
        if url := answer.get("url"):
            for choice in (operation.value or "").split():
                await self._choose(operation, url, choice)

    async def _until_decided(self, operation: Operation) -> Json:
        """The answer to a request that is sent again, with the same key, while it is accepted only."""
        began = time.monotonic()
        answer: Json = {}
        for count in range(1_000):
            status, answer = await self._try(operation, operation.method, operation.path, count)
            if not (status == ACCEPTED or _may_succeed(status, answer)) or not self._waits(began):
                break
            await asyncio.sleep(RETRY_PAUSE_S * self._rng.uniform(0.3, 1.0))
        return answer

    async def _choose(self, operation: Operation, url: str, choice: str) -> None:
        """Press a button, again and again while the provider does not answer."""
        started = time.monotonic()
        for _ in range(1_000):
            began, code = time.time(), 0
            with suppress(ClientError, TimeoutError, OSError):
                async with self._http.post(url, data={"choice": choice}, allow_redirects=False) as response:
                    code = response.status
            self.history.note("choose", began, path=operation.path, choice=choice, code=code)
            if code == SEE_OTHER or not self._waits(started):
                return
            await asyncio.sleep(RETRY_PAUSE_S)

    def _waits(self, began: float) -> bool:
        return time.monotonic() - began < self.retry_max_s

    async def _follow(self, operation: Operation, answer: Json, began: float) -> None:
        """Ask for a purchase that was accepted, until it is decided."""
        path = f"/purchases/{answer['id']}?wait={LONG_POLL_S}"
        while self._waits(began):
            status, found = await self._try(operation, "GET", path, 0, followed=True)
            unknown_yet = status == NOT_FOUND and operation.name not in NEVER_FOUND
            if status not in RETRIED and not unknown_yet and found.get("status") != "pending":
                return
            await asyncio.sleep(RETRY_PAUSE_S)

    async def _try(
        self, operation: Operation, method: str, path: str, count: int, *, followed: bool = False, **more: Any
    ) -> tuple[int, Json]:
        """Status and body; 0 where there was no answer."""
        headers = self._signed(operation) | (
            {"Idempotency-Key": operation.key} if operation.key and not followed else {}
        )
        if method in ("PATCH", "PUT"):
            headers["If-Match"] = "*"
        began = time.time()
        status = 0
        answer: Json = {}
        body = None if followed else operation.body
        with suppress(ClientError, TimeoutError, OSError, ValueError):
            async with self._http.request(
                method, f"{self.target.api}{BASE}{path}", json=body, headers=headers
            ) as response:
                answer = await response.json(content_type=None) or {}
                status = response.status
        more |= {"n": operation.n, "try": count, "followed": followed, "status": status, "answer": answer}
        self.history.note(operation.name, began, method=method, path=path, **more)
        return status, answer

    def _signed(self, operation: Operation) -> dict[str, str]:
        if not operation.who:
            return {}
        name = f"{operation.who} {operation.roles}"
        if name not in self._headers:
            roles = [Role(role) for role in operation.roles]
            administrator = operation.who == "administrator"
            made = self.target.administrator() if administrator else self.target.bearer(operation.who, *roles)
            self._headers[name] = made
        return dict(self._headers[name])


def _may_succeed(status: int, answer: Json) -> bool:
    """Whether the same request may be answered otherwise later."""
    running = status == CONFLICT and str(answer.get("type", "")).endswith("still-running")
    return status in RETRIED or running
