"""Probes all components of the pipeline at once, each with a timeout of about two seconds."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final, TypeVar
from uuid import UUID

from aiosmtplib import SMTP

from api.adapters.elasticsearch import EventIndex
from api.adapters.ledger.worker_views import WorkerViews, recorded_definitions
from api.adapters.postgres.database import Database
from api.adapters.postgres.rows import shown
from api.board.pipeline_state import DatabaseState, PipelineState
from api.board.sale import BoardEvent
from api.problems import Unavailable
from connect.client_options import client_options
from connect.connectors.configuration import connectors
from connect.connectors.rest_client import ConnectClient
from connect.observe.dead_letters import DeadLetterTopics
from connect.observe.definition_delay import DefinitionDelay
from connect.observe.definition_watch import DefinitionWatch
from connect.observe.heartbeat import CaptureWatch
from connect.observe.lag import KafkaWatch, LogState
from connect.observe.slots import read_slots
from connect.topics import CONSUMERS, dead_letters
from settings import Settings
from tables.offers import decode_offers, decode_stock

TIMEOUT_S: Final = 2.0
# Beyond that the board counts records instead of reading which letters are open.
DEAD_LETTERS_MAX_READ: Final = 2_000
# Compared by the board each minute; the exporter compares more.
DEFINITIONS_MAX_EVENTS: Final = 500

_COUNTS: Final = """
SELECT (SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()) AS commits,
       (SELECT count(*) FROM event) AS events
"""
_ROWS: Final = """
SELECT id, title, status, capacity, ends_at, offers::text AS offers, stock::text AS stock
FROM event WHERE id = ANY(%(events)s)
"""

log = logging.getLogger(__name__)
Answer = TypeVar("Answer")


class PipelineProbe:
    """The servers of the settings. Nothing is connected before the first probe."""

    def __init__(self, settings: Settings, database: Database, index: EventIndex, views: WorkerViews) -> None:
        self._settings = settings
        self._database = database
        self._index = index
        self._views = views
        self._kafka = KafkaWatch(client_options(settings), settings.producer_quotas)
        self._connect = ConnectClient(settings.connect_url, timeout=TIMEOUT_S)
        self._capture = CaptureWatch(client_options(settings), [each.name for each in connectors(settings)])
        recorded = partial(recorded_definitions, views, settings.partitions)
        self._definitions = DefinitionWatch(recorded, DefinitionDelay(client_options(settings)), DEFINITIONS_MAX_EVENTS)
        self._dead_letters = DeadLetterTopics(client_options(settings))
        self._counted: tuple[tuple[int, ...], Mapping[str, int]] = ((), {})

    def state(self) -> PipelineState:
        """The present state of all components."""
        with ThreadPoolExecutor(max_workers=8) as pool:
            log_state = pool.submit(_try, "Kafka", self._kafka.look)
            database = pool.submit(_try, "PostgreSQL", self._state_of_database)
            states = pool.submit(_try, "Kafka Connect", self._connect.states)
            heartbeats = pool.submit(_try, "the heartbeats", self._heartbeats)
            documents = pool.submit(_try, "Elasticsearch", self._index.count)
            mail = pool.submit(_try, "the mail server", self._greet)
            ledger = pool.submit(_try, "the ledger", self._is_ready)
            looked = partial(self._definitions.look, self._database.transaction)
            differing = pool.submit(_try, "the comparison of definitions", looked)
        found = log_state.result()
        return PipelineState(
            at=time.monotonic(),
            log=found,
            database=database.result(),
            connectors=states.result(),
            heartbeats=heartbeats.result(),
            documents=documents.result(),
            dead_letters=None if found is None else _try("dead letters", lambda: self._open_dead_letters(found)),
            differing=differing.result(),
            mail=mail.result() is not None,
            ledger=ledger.result() is not None,
        )

    def rows(self, events: list[UUID]) -> list[BoardEvent]:
        """These events."""
        return (_try("PostgreSQL", lambda: self._rows(events)) or []) if events else []

    def close(self) -> None:
        self._kafka.close()
        self._capture.close()
        self._definitions.close()
        self._connect.close()

    def _rows(self, events: list[UUID]) -> list[BoardEvent]:
        rows = self._database.all(_ROWS, events=events)
        return [found for row in rows if (found := shown("event", row, _row))]

    def _state_of_database(self) -> DatabaseState:
        with self._database.transaction() as connection:
            counts: Any = connection.execute(_COUNTS).fetchone()
            return DatabaseState(counts["commits"], counts["events"], tuple(read_slots(connection)))

    def _heartbeats(self) -> dict[str, float]:
        self._capture.look()
        return self._capture.ages()

    def _greet(self) -> bool:
        asyncio.run(greet(self._settings.smtp_host, self._settings.smtp_port, TIMEOUT_S))
        return True

    def _is_ready(self) -> bool:
        self._views.probe()
        return True

    def _open_dead_letters(self, found: LogState) -> Mapping[str, int]:
        """Open dead letters by consumer; read again only if there are new ones, and never very many."""
        ends = tuple(found.ends[dead_letters(name)] for name in CONSUMERS)
        if ends != self._counted[0]:
            few = sum(ends) <= DEAD_LETTERS_MAX_READ
            counts = self._dead_letters.open() if few else dict(zip(CONSUMERS, ends, strict=True))
            self._counted = (ends, counts)
        return self._counted[1]


async def greet(host: str, port: int, timeout_s: float) -> None:
    """Exchange greetings with a mail server. Raises OSError or SMTPException if it isn't done in that time, in all."""
    async with asyncio.timeout(timeout_s):
        server = SMTP(hostname=host, port=port, timeout=timeout_s, start_tls=False)
        try:
            await server.connect()
            await server.ehlo()
        finally:
            server.close()


def _try(name: str, ask: Callable[[], Answer]) -> Answer | None:
    """The answer, or None if there is none."""
    try:
        return ask()
    except Exception as error:  # noqa: BLE001 (whatever it is, the component is shown as down)
        level = logging.DEBUG if isinstance(error, Unavailable) else logging.INFO
        log.log(level, "%s does not answer the board: %r", name, error)
        return None


def _row(row: Any) -> BoardEvent:
    decoded = {"offers": decode_offers(row["offers"]), "stock": decode_stock(row["stock"])}
    return BoardEvent(**(row | decoded))
