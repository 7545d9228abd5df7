"""Read-only web pages of a worker: an event's stock, an account's tickets, purchases, a partition, the worker itself.

Any worker answers for all: it forwards a request for another worker's partition to that worker, once.
"""

import time
from typing import Any
from uuid import UUID

import msgspec
from aiohttp import ClientError, ClientSession, ClientTimeout

from connect.topics import COMMANDS
from streams.inventory.ledger import TABLE, LedgerAgent
from streams.runtime.app import App
from streams.runtime.assignment import active_partitions, is_recovered, owner_url, standby_partitions, worker_urls
from streams.runtime.partitioning import partition_of
from streams.runtime.positions import committed_offset, end_offset
from streams.runtime.web import Request, Response, View, add_page
from tables.ledger.availability import breakdown
from tables.ledger.hold_limits import HOLD_LIMITS_KEY, UNLIMITED, decode_limits
from tables.ledger.inventory import Inventory
from tables.ledger.purchase_state import state_of
from tables.ledger.records import account_key, decode_account, decode_event, decode_purchase, event_key, purchase_key
from tables.messages.commands import LimitHolds

FORWARDED_HEADER = "X-Turnstile-Passed-On"
FORWARD_TIMEOUT_S = 2.0


class InventoryViews:
    """The pages of one worker, as JSON."""

    def __init__(self, app: App, ledger: LedgerAgent) -> None:
        self.app = app
        self.ledger = ledger
        add_page(app, "/api/event/{event}/", "event", self.event)
        add_page(app, "/api/account/{event}/{account}/", "account", self.account)
        add_page(app, "/api/partition/{partition}/", "partition", self.partition)
        add_page(app, "/api/purchase/{event}/{purchase}/", "purchase", self.purchase)
        add_page(app, "/api/purchases/{event}/{purchases}/", "purchases", self.purchases)
        add_page(app, "/api/worker/", "worker", self.worker)

    async def event(self, view: View, request: Request, event: str) -> Response:
        """Quantity, held, sold and available of an event's ticket types."""
        return await self._answer(view, request, event, self._event)

    async def account(self, view: View, request: Request, event: str, account: str) -> Response:
        """How many tickets of each type an account holds or has bought of an event."""
        wanted = _id(account)
        if wanted is None:
            return _problem(view, 404, "no account of that id")
        return await self._answer(view, request, event, lambda partition, key: self._account(partition, key, wanted))

    async def partition(self, view: View, request: Request, partition: str) -> Response:
        """How far this worker has decided, committed and stored a partition."""
        if not (partition.isdecimal() and int(partition) < self.app.settings.partitions):
            return _problem(view, 404, "no partition of that number")
        number = int(partition)
        if not self._owns(number):
            return await self._forward(view, request, number)
        return view.json(self._offsets(number))

    async def worker(self, view: View, request: Request) -> Response:
        """The partitions that this worker owns or keeps copies of, the changelog offset of each, and all workers."""
        return view.json(
            {
                "worker": self.app.settings.worker_id,
                "decides": self._tables(active_partitions(self.app, TABLE)),
                "standsBy": self._tables(standby_partitions(self.app, TABLE)),
                "workers": worker_urls(self.app),
            }
        )

    async def purchase(self, view: View, request: Request, event: str, purchase: str) -> Response:
        """A purchase with its history."""
        wanted = _id(purchase)
        if wanted is None:
            return _problem(view, 404, "no purchase of that id")
        return await self._answer(view, request, event, lambda partition, key: self._purchase(partition, key, wanted))

    async def purchases(self, view: View, request: Request, event: str, purchases: str) -> Response:
        """Which of some purchases are on record; ``purchases`` are their ids as hex digits, separated by commas."""
        wanted = [_id(text) for text in purchases.split(",")]
        if None in wanted:
            return _problem(view, 404, "no purchase of that id")
        return await self._answer(view, request, event, lambda partition, key: self._on_record(partition, key, wanted))

    async def _answer(self, view: View, request: Request, event: str, find: Any) -> Response:
        key = _id(event)
        if key is None:
            return _problem(view, 404, "no event of that id")
        partition = partition_of(str(key).encode(), self.app.settings.partitions)
        if not self._owns(partition):
            return await self._forward(view, request, partition)
        if not is_recovered(self.app):
            # Whatever is not recovered yet would seem not to exist.
            return _problem(view, 503, "the partition is being recovered")
        found = find(partition, key)
        return view.json(found) if found is not None else _problem(view, 404, "not known to the ledger")

    def _event(self, partition: int, event: UUID) -> dict[str, Any] | None:
        value = self.ledger.table.read(partition, event_key(event))
        if value is None:
            return None
        return breakdown(Inventory.from_record(event, decode_event(value)), round(time.time() * 1000))

    def _account(self, partition: int, event: UUID, account: UUID) -> dict[str, Any] | None:
        value = self.ledger.table.read(partition, account_key(event, account))
        if value is None:
            return None
        record = decode_account(value)
        return {
            "event": str(event),
            "account": str(account),
            "offset": record.offset,
            "total": sum(count for _, count in record.counts),
            "held": record.holding.held if record.holding else 0,
            "ticketTypes": [{"ticketType": str(kind), "count": count} for kind, count in record.counts],
        }

    def _offsets(self, partition: int) -> dict[str, Any]:
        """The next offsets to decide and to commit, the log's end, and the last changelog offset that is stored."""
        decided = self.ledger.gap_check.next_offset(partition)
        end = end_offset(self.app, COMMANDS, partition)
        return {
            "topic": COMMANDS,
            "partition": partition,
            "decided": decided,
            "committed": committed_offset(self.app, COMMANDS, partition),
            "end": end,
            "lag": None if end is None else max(0, end - (decided or 0)),
            "changelog": self.ledger.table.mark(partition),
            "holdLimits": msgspec.to_builtins(self._limits(partition)),
        }

    def _limits(self, partition: int) -> LimitHolds:
        """The limits on holds that apply."""
        value = self.ledger.table.read(partition, HOLD_LIMITS_KEY)
        return (UNLIMITED if value is None else decode_limits(value)).command()

    def _tables(self, partitions: list[int]) -> dict[str, int | None]:
        """By partition, the last changelog offset that is stored here, or null."""
        table = self.ledger.table
        return {str(number): table.mark(number) if table.is_open(number) else None for number in partitions}

    def _on_record(self, partition: int, event: UUID, purchases: list[Any]) -> list[str]:
        read = self.ledger.table.read
        return [one.hex for one in purchases if read(partition, purchase_key(event, one)) is not None]

    def _purchase(self, partition: int, event: UUID, purchase: UUID) -> dict[str, Any] | None:
        value = self.ledger.table.read(partition, purchase_key(event, purchase))
        if value is None:
            return None
        record = decode_purchase(value)
        now = state_of(record)
        last = record.history[-1]
        return {
            "event": str(event),
            "purchase": str(purchase),
            "account": str(record.account),
            "status": now.status.value,
            "reason": last.exact_reason,
            "figures": last.figures,
            "currency": record.currency,
            "deadline": now.deadline,
            "lines": [
                {
                    "ticketType": str(line.ticket_type),
                    "name": line.name,
                    "quantity": line.quantity,
                    "price": str(line.price),
                }
                for line in now.lines
            ],
            "history": [
                {"offset": decision.offset, "at": decision.at, "kind": decision.kind} for decision in record.history
            ],
        }

    def _owns(self, partition: int) -> bool:
        return partition in active_partitions(self.app, TABLE)

    async def _forward(self, view: View, request: Request, partition: int) -> Response:
        """The owner's answer; 503 while no worker owns the partition."""
        owner = owner_url(self.app, TABLE, partition)
        if owner is None or FORWARDED_HEADER in request.headers:
            return _problem(view, 503, "the partition is moving to another worker")
        path = request.rel_url
        try:
            async with (
                ClientSession(timeout=ClientTimeout(total=FORWARD_TIMEOUT_S)) as session,
                session.get(f"{owner}{path}", headers={FORWARDED_HEADER: "1"}) as answer,
            ):
                return view.json(await answer.json(), status=answer.status)
        except (ClientError, TimeoutError):
            return _problem(view, 503, "the partition's owner does not answer")


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _problem(view: View, status: int, detail: str) -> Response:
    return view.json({"status": status, "detail": detail}, status=status)
