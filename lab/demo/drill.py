"""``make drill``: sell, back up, destroy everything, restore on an empty stack, and hold the promises against it."""

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from http.client import CONFLICT, CREATED, NOT_FOUND
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import httpx
import rich_click as click
from rich.console import Console

from connect.polling import Polling
from lab.target import Target, target_of
from lab.trial_stack import TrialStack
from stack.backup import operate
from stack.backup_sets import back_up_all, restore_all
from stack.errors import StackError

TICKETS: Final = 30
SOLD_BEFORE: Final = 20
SOLD_AFTER: Final = 3
WAIT_S: Final = 60
SETUP: Final = ("migrations", "administrator", "connectors")

console = Console()


class DrillFailed(StackError):
    """Something isn't after the restore what it has to be; the message says what."""


@dataclass
class Shop:
    """An event on a running stack, and its purchases by id."""

    target: Target
    event: str = ""
    ticket_type: str = ""
    buyer: str = ""
    bought: list[str] = field(default_factory=list)

    def open(self) -> None:
        """Make a buyer, and an event with tickets."""
        self.buyer = self._made("/accounts", {"firstName": "A", "lastName": "B", "email": f"{uuid4().hex}@b.example"})
        starts = datetime.now(UTC) + timedelta(days=30)
        event = {"organizerId": self.buyer, "title": "Fire drill", "venue": "Hall", "city": "Graz", "status": "ACTIVE"}
        ends = starts + timedelta(hours=2)
        times = {"startsAt": starts.isoformat(), "endsAt": ends.isoformat(), "timeZone": "Europe/Vienna"}
        self.event = self._made("/events", event | times)
        ticket = {"name": "Standing", "quantity": TICKETS, "price": {"amount": "10.00", "currency": "EUR"}}
        self.ticket_type = self._made(f"/events/{self.event}/tickets", ticket)

    def buy(self, key: str) -> int:
        """Buy a ticket, or ask again what became of that; the status of the answer."""
        body = {
            "eventId": self.event,
            "accountId": self.buyer,
            "lines": [{"ticketTypeId": self.ticket_type, "quantity": 1}],
        }
        answer = self._ask("POST", "/purchases", json=body, headers={"Idempotency-Key": key})
        if answer.status_code == CREATED and answer.json()["id"] not in self.bought:
            self.bought.append(answer.json()["id"])
        return answer.status_code

    def sell(self, count: int) -> None:
        """Sell so many tickets. Raises DrillFailed."""
        for key in (uuid4().hex for _ in range(count)):
            soon(partial(self._is_bought, key), "a ticket was not sold")

    def check(self, kept: list[str], lost: list[str]) -> None:
        """Raise DrillFailed unless these purchases are there, the others not, and just the rest can be sold."""
        soon(lambda: all(self._status(purchase) == "confirmed" for purchase in kept), "a purchase is missing")
        require(
            all(self._status(purchase) is None for purchase in lost), "a purchase came back that was never backed up"
        )
        self.sell(TICKETS - len(kept))
        require(self.buy(uuid4().hex) == CONFLICT, "more was sold than there is")

    def _is_bought(self, key: str) -> bool:
        return self.buy(key) == CREATED

    def _status(self, purchase: str) -> str | None:
        answer = self._ask("GET", f"/purchases/{purchase}")
        return None if answer.status_code == NOT_FOUND else str(answer.json().get("status"))

    def _made(self, path: str, body: dict[str, Any]) -> str:
        answer = self._ask("POST", path, json=body)
        require(answer.status_code == CREATED, f"{path}: {answer.text}")
        return str(answer.json()["id"])

    def _ask(self, method: str, path: str, headers: dict[str, str] | None = None, **more: Any) -> httpx.Response:
        signed = self.target.administrator() | (headers or {})
        return httpx.request(
            method, f"{self.target.api}/api/v3{path}", headers=signed, timeout=30, trust_env=False, **more
        )


@click.command(name="drill")
def command() -> None:
    """Sell, back up, destroy, restore on an empty stack and check; on servers, ports and a folder of its own."""
    began = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="turnstile-drill-") as folder:
            drill(Path(folder))
    except StackError as error:
        sys.exit(f"the drill failed: {error}")
    console.print(f"[green]every promise holds[/green] after a restore; {minutes(began)} in all")


def drill(folder: Path) -> None:
    """Carry out the drill in an empty folder. Raises StackError."""
    with running(folder / "first", "a stack and its sales") as first:
        start_whole(first)
        shop = Shop(target_of(first.environment, first.settings.mail_port))
        shop.open()
        shop.sell(SOLD_BEFORE)
        with told("the backup"):
            made = back_up_all(first, folder / "backups")
        kept = list(shop.bought)
        shop.sell(SOLD_AFTER)
        first.remove()
    with running(folder / "second", "the new stack, restored and checked") as second:
        with told("the restore, until tickets can be sold"):
            restore_all(second, made)
            second.start(*second.apps)
        shop.target = target_of(second.environment, second.settings.mail_port)
        shop.check(kept, shop.bought[len(kept) :])
        operate(second, "verify")


def start_whole(stack: TrialStack) -> None:
    """Start the servers, what makes their tables, topics and connectors, and the API and workers."""
    for names in (stack.servers, SETUP, stack.apps):
        stack.start(*names)


@contextmanager
def running(home: Path, what: str) -> Iterator[TrialStack]:
    """A stack on free ports, which is removed in the end."""
    stack = TrialStack.on_free_ports(home)
    try:
        with told(what):
            yield stack
    finally:
        stack.remove()


@contextmanager
def told(what: str) -> Iterator[None]:
    """Tell how long something took."""
    began = time.monotonic()
    yield
    console.print(f"{what}: {minutes(began)}")


def minutes(began: float) -> str:
    """The time since then."""
    return f"{(time.monotonic() - began) / 60:.1f} minutes"


def soon(condition: Any, otherwise: str) -> None:
    """Raise DrillFailed unless something comes true in time."""
    polling = Polling(WAIT_S)
    while not condition():
        require(bool(polling.left), otherwise)
        polling.wait()


def require(condition: bool, otherwise: str) -> None:
    """Raise DrillFailed unless the condition holds."""
    if not condition:
        raise DrillFailed(otherwise)
