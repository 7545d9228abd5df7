"""Ledger workers that only serve their views, on loopback; their tables are real, Kafka and the group are fakes."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import httpx
from aiohttp.web import AppRunner, TCPSite
from faust.types import TP

from connect.partitioning import partition_of
from connect.topics import COMMANDS, changelog
from streams.inventory.ledger import LedgerAgent
from streams.inventory.views import InventoryViews
from streams.runtime.app import make_app, scheme
from tests.unit.streams.worker_settings import settings_in

PARTITIONS = 4
LOOP_TURNS = 20
LOOPBACK = "127.0.0.1"
TABLE = changelog("ledger")


def home_of(event: UUID) -> int:
    """The partition of an event."""
    return partition_of(str(event).encode(), PARTITIONS)


class ViewWorker:
    """A worker that owns ``owned``; ``group`` has the addresses of all workers with the partitions they own."""

    topics: tuple[str, ...] = (TABLE,)

    def __init__(self, folder: Path, owned: set[int], group: dict[str, dict[str, list[int]]], **settings: Any) -> None:
        self.app = make_app(settings_in(folder, **settings))
        self.app.conf.tabledir.mkdir(parents=True, exist_ok=True)
        self.owned = set(owned)
        self._group = group
        self._play_kafka()
        self.add_views()
        self.url = ""
        # Without TLS: to load the certificates takes longer than all requests of a test.
        self.client = httpx.Client(timeout=20, trust_env=False, verify=False)  # noqa: S501
        web: Any = self.app.web
        self._runner = AppRunner(web.web_app, shutdown_timeout=0.1)

    def add_views(self) -> None:
        """Add the tables of the role, and the views."""
        self.ledger = LedgerAgent(self.app)
        self.views = InventoryViews(self.app, self.ledger)

    def close(self) -> None:
        """Close the tables."""
        self.ledger.table.close()

    def _play_kafka(self) -> None:
        app: Any = self.app
        places: dict[TP, int] = {TP(COMMANDS, partition): 3 for partition in self.owned}
        app.consumer = SimpleNamespace(
            committed=places.get, start_offset=places.get, next_readable=lambda _, due: due, highwater=lambda _: 9
        )
        app.assignor = SimpleNamespace(
            assigned_actives=lambda: {TP(topic, partition) for topic in self.topics for partition in self.owned},
            assigned_standbys=lambda: {TP(COMMANDS, 3), TP(TABLE, 3)},
            tables_metadata=lambda: self._group,
        )
        app.rebalancing = False
        app.tables.actives_ready = True

    def store(self, records: dict[bytes, bytes]) -> None:
        """Store records in the partitions of their events; what belongs to no event goes to each."""
        for partition in self.owned:
            here = {key: value for key, value in records.items() if _is_of(key, partition)}
            self.ledger.table.store(partition, here)

    def get(self, path: str, **options: Any) -> httpx.Response:
        """The answer to a request."""
        return self.client.get(f"{self.url}{path}", **options)

    def get_json(self, path: str) -> Any:
        """The data that a request is answered with."""
        return self.get(path).raise_for_status().json()

    def pages(self, path: str) -> Iterator[list[Any]]:
        """The pages of a list; the path has a query."""
        page = self.get_json(path)
        yield page["items"]
        while page["next"] is not None:
            page = self.get_json(f"{path}&cursor={page['next']}")
            yield page["items"]

    def listed(self, path: str, limit: int) -> list[Any]:
        """All items of a list, from its pages; the path ends where the limit of a page follows."""
        pages = list(self.pages(f"{path}limit={limit}"))
        assert all(len(page) <= limit for page in pages)
        return [item for page in pages for item in page]

    async def start(self) -> None:
        """Serve the views on a free port."""
        await self._runner.setup()
        site = TCPSite(self._runner, LOOPBACK, 0, ssl_context=self.app.conf.web_ssl_context)
        await site.start()
        self.url = f"{scheme(self.app.settings)}://{LOOPBACK}:{self._runner.addresses[0][1]}"
        self._group[f"{self.url}/"] = {topic: sorted(self.owned) for topic in self.topics}

    async def stop(self) -> None:
        """Stop serving, once the loop has seen what clients have closed."""
        for _ in range(LOOP_TURNS):
            await asyncio.sleep(0)
        await self._runner.cleanup()


@contextmanager
def serving(*workers: ViewWorker) -> Iterator[asyncio.AbstractEventLoop]:
    """The workers' servers, in a thread with its own loop."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        for worker in workers:
            asyncio.run_coroutine_threadsafe(worker.start(), loop).result(10)
        yield loop
    finally:
        for worker in workers:
            worker.client.close()
            asyncio.run_coroutine_threadsafe(worker.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
        for worker in workers:
            worker.close()


def _is_of(key: bytes, partition: int) -> bool:
    return key[:16] == bytes(16) or home_of(UUID(bytes=key[:16])) == partition
