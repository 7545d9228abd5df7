"""The view of the queue of holds: the open ones of all partitions, those that end first at the front."""

import asyncio
from collections.abc import Iterator
from heapq import merge
from itertools import islice
from typing import Final
from urllib.parse import urlencode

import msgspec
from aiohttp import ClientTimeout
from msgspec import Struct

from streams.inventory.hold_expiry import HoldExpiry
from streams.runtime.app import App
from streams.runtime.forwarding import FORWARD_TIMEOUT_S, ask_worker, is_forwarded
from streams.runtime.partition_reads import PartitionReads
from streams.runtime.web import OK, Request, Response, add_page, json_response
from streams.runtime.web_parameters import ListPosition, query_limit, query_position
from streams.runtime.web_problems import unavailable
from tables.ledger.deadlines import HOLDS_PREFIX, deadline_of, entry_of, expiry_of
from tables.ledger.records import purchase_key
from tables.ledger.views import HoldView

HOLDS_PATH: Final = "/api/holds/"


class HoldsAnswer(Struct, frozen=True):
    """Open holds by deadline, the cursor of the next page (null on the last), and the partitions that were read."""

    items: list[HoldView]
    next: str | None
    partitions: list[int]


class HoldViews:
    """The queue of holds, in pages. A page has items of all partitions, so it asks all workers."""

    def __init__(self, app: App, reads: PartitionReads, hold_expiry: HoldExpiry) -> None:
        self.reads = reads
        self._hold_expiry = hold_expiry
        add_page(app, HOLDS_PATH, "holds", self.holds)

    async def holds(self, request: Request) -> Response:
        """The open holds, those that end first at the front."""
        limit, position = query_limit(request), query_position(request, self.reads.partitions)
        after = b"" if position is None else position.key
        return json_response(
            self._own(after, limit) if is_forwarded(request) else await self.first(request, limit, after)
        )

    async def first(self, request: Request, limit: int, after: bytes) -> HoldsAnswer:
        """The first holds behind a key of the index. Raises RequestProblem where a partition can't be read."""
        own = self._own(after, limit)
        answers = [own, *await self._ask_others(request, own.partitions, limit, after)]
        if sorted(number for each in answers for number in each.partitions) != list(range(self.reads.partitions)):
            raise unavailable("a partition is moving to another worker")
        return _first(answers, limit)

    def _own(self, after: bytes, limit: int) -> HoldsAnswer:
        owned = self.reads.owned()
        entries = merge(*(self._entries(partition, after) for partition in owned))
        holds = [_hold(entry) for entry in islice(entries, limit + 1)]
        return _page(holds, limit, owned)

    def _entries(self, partition: int, after: bytes) -> Iterator[bytes]:
        start = max(self._hold_expiry.first_entry(partition), after)
        return (entry for entry, _ in self.reads.table.scan(partition, HOLDS_PREFIX, start))

    async def _ask_others(self, request: Request, own: list[int], limit: int, after: bytes) -> list[HoldsAnswer]:
        others = set(range(self.reads.partitions)) - set(own)
        workers = sorted({self.reads.owner_of(request, partition) for partition in others})
        query = urlencode({"limit": str(limit), "cursor": ListPosition(0, after).encode()})
        async with self.reads.session(request, ClientTimeout(total=FORWARD_TIMEOUT_S)) as session:
            asked = (ask_worker(session, worker, f"{HOLDS_PATH}?{query}") for worker in workers)
            answers = await asyncio.gather(*asked)
        if any(answer.status != OK for answer in answers):
            raise unavailable("a partition's owner can't answer")
        return [msgspec.json.decode(answer.body, type=HoldsAnswer) for answer in answers]


def _first(answers: list[HoldsAnswer], limit: int) -> HoldsAnswer:
    holds = list(merge(*(each.items for each in answers)))
    more = any(each.next for each in answers)
    return _page(holds, limit, sorted(number for each in answers for number in each.partitions), more=more)


def _page(holds: list[HoldView], limit: int, partitions: list[int], *, more: bool = False) -> HoldsAnswer:
    listed = holds[:limit]
    if not listed or not (more or len(holds) > limit):
        return HoldsAnswer(listed, None, partitions)
    last = listed[-1]
    behind = entry_of(last.deadline, purchase_key(last.event, last.purchase)) + b"\0"
    return HoldsAnswer(listed, ListPosition(0, behind).encode(), partitions)


def _hold(entry: bytes) -> HoldView:
    hold = expiry_of(entry)
    return HoldView(deadline_of(entry), hold.event, hold.purchase)
