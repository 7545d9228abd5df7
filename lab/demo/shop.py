"""The site and its provider Paper, as the customers of a paid on-sale use them."""

import asyncio
import time
from http.client import CREATED, OK, SEE_OTHER, SERVICE_UNAVAILABLE
from typing import Any, Final
from uuid import UUID

from aiohttp import ClientSession

from api.roles import Role
from lab.demo.onsale import BASE
from lab.target import NOBODY, Target

TIMEOUT_S: Final = 60.0
# A provider that lost what it had to tell is asked after 5, 15, 35 and 75 seconds.
SETTLED_MAX_S: Final = 150.0
POLL_S: Final = 0.5

Json = dict[str, Any]


class Shop:
    """Asks the API by account, and Paper. A payment has ``settled_max_s`` to go on."""

    def __init__(self, target: Target, http: ClientSession, settled_max_s: float = SETTLED_MAX_S) -> None:
        self.target = target
        self.http = http
        self.settled_max_s = settled_max_s

    async def ask(
        self, method: str, path: str, account: UUID, body: Json | None = None, key: str = "demo-paid", *roles: Role
    ) -> tuple[int, Json]:
        """Status and body of an answer; after 503 it is asked again."""
        headers = self.target.bearer(account, *roles) | {"Idempotency-Key": key}
        deadline = time.monotonic() + TIMEOUT_S
        while True:
            url = f"{self.target.api}{BASE}{path}"
            async with self.http.request(method, url, json=body, headers=headers) as answer:
                said = answer.status, await answer.json(content_type=None)
            if said[0] != SERVICE_UNAVAILABLE or time.monotonic() > deadline:
                return said
            await asyncio.sleep(POLL_S)

    async def made(self, path: str, body: Json) -> UUID:
        """The id of what an administrator makes. Raises RuntimeError with the answer if it was not made."""
        status, answer = await self.ask("POST", path, NOBODY, body, "demo-paid", Role.ADMINISTRATOR)
        if status != CREATED:
            raise RuntimeError(f"POST {path}: {status} {answer}")
        return UUID(str(answer["id"]))

    async def choose(self, page: str, choice: str) -> None:
        """Press a button on Paper's page. Raises RuntimeError where it can't be pressed."""
        async with self.http.post(page, data={"choice": choice}, allow_redirects=False) as answer:
            if answer.status != SEE_OTHER:
                raise RuntimeError(f"Paper answered {answer.status} to {choice}")

    async def set_mode(self, mode: str) -> str:
        """Let Paper be ``honest`` or ``hostile`` from now on; how it was. Raises RuntimeError where it refuses."""
        headers = {"Authorization": f"Bearer {self.target.paper_key}"}
        async with self.http.put(f"{self.target.paper}/mode", data=mode, headers=headers) as answer:
            if answer.status != OK:
                raise RuntimeError(f"Paper answered {answer.status} to the mode {mode}")
            return str((await answer.json())["before"])

    async def books(self, event: UUID) -> list[Json]:
        """Paper's payments of an event."""
        async with self.http.get(f"{self.target.paper}/books.json") as answer:
            return [payment for payment in await answer.json() if payment["event"] == str(event)]
