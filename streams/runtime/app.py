"""The Faust application: its settings, each with the reason, and the agents that make it up."""

import re
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Protocol

import faust
from faust.types import TP

from connect.records.fetching import SkippedOffsets
from connect.topics import RECORD_MAX_BYTES, VERSION, group
from settings import Settings
from streams.runtime.batching import Busy
from streams.runtime.consumer import BatchTransport
from streams.runtime.counters import Figures
from tables.ledger.watermark import Watermark
from telemetry.traces import Traces, make_traces

# The shortest that Kafka's brokers allow by themselves.
SESSION_S = 6.0
COMMIT_INTERVAL_S = 1.0
REQUEST_TIMEOUT_S = 30.0
# Several records at once; one that is larger goes alone, up to RECORD_MAX_BYTES (LETTER_MAX_BYTES for a dead letter).
MAX_BATCH_BYTES = 512 * 1024
# Some 12,000 commands: the ledger goes on with them while a fetch is on its way.
MAX_FETCH_BYTES = 4 << 20
# What comes at once. The ledger's records are small, and it takes a batch of them in the time of a fetch.
POLLED = 2_000
POLLED_BY_LEDGER = 6_000
# Faust stops fetching a partition when a queue is four fifths full, then still puts what one poll
# brought; were the queue to fill up, it would hold up every other agent.
POLLS_QUEUED = 8


class Watched(Protocol):
    """An input topic and, by partition, the offset that comes next."""

    topic: str

    def due(self, partition: int) -> int | None: ...


class App(faust.App):
    """The application with the settings that it was made from, the records under work, and what it counts.

    ``before_seek`` is called when the tables are recovered, and may refuse to go on; ``before_agents`` when the
    committed offsets are known, too, and nothing is read yet;
    ``watched`` are the inputs that have to be taken as long as there is any (see streams/runtime/watchdog.py);
    ``guarded`` are those of which no record may be lost, with the last record that was decided of a partition;
    ``went_back`` is told where a fetch began before the offset that was due, and ends the process if the log was cut;
    ``isolate`` stores dead letters of what the fetcher can't read, and tells whether it could.
    """

    settings: Settings
    busy: Busy
    figures: Figures
    before_seek: list[Callable[[], Awaitable[None]]]
    before_agents: list[Callable[[], Awaitable[None]]]
    watched: list[Watched]
    went_back: Callable[[TP, int], Awaitable[None]]
    isolate: Callable[[TP, Sequence[SkippedOffsets]], Awaitable[bool]]
    guarded: dict[str, Callable[[int], Watermark | None]]
    traces: Traces | None

    def _new_transport(self) -> BatchTransport:
        return BatchTransport(self.conf.broker_consumer, self)


def make_app(settings: Settings) -> App:
    """An application without agents yet."""
    data = settings.worker_data.absolute()
    data.mkdir(parents=True, exist_ok=True)
    polled = POLLED_BY_LEDGER if settings.role == "ledger" else POLLED
    app = App(
        group(settings.role),
        version=VERSION,
        broker=[f"kafka://{server.strip()}" for server in settings.kafka_servers.split(",")],
        datadir=Path(data),
        store="rocksdb://",
        autodiscover=False,
        # Effects happen once by the ledger's rules; Faust's exactly_once does not hold.
        processing_guarantee="at_least_once",
        # Faust's own order of recovery loses records under load.
        TableManager="streams.runtime.recovery:SafeTableManager",
        # A stable member with a short session is back at once after a crash, and replaced soon when gone.
        consumer_group_instance_id=_instance(settings),
        broker_session_timeout=SESSION_S,
        broker_heartbeat_interval=SESSION_S / 4,
        broker_rebalance_timeout=15.0,
        broker_request_timeout=REQUEST_TIMEOUT_S,
        broker_commit_interval=COMMIT_INTERVAL_S,
        broker_max_poll_records=polled,
        consumer_max_fetch_size=MAX_FETCH_BYTES,
        consumer_auto_offset_reset="earliest",
        producer_acks=-1,
        producer_linger=0.0,
        producer_max_batch_size=MAX_BATCH_BYTES,
        producer_max_request_size=RECORD_MAX_BYTES,
        producer_request_timeout=REQUEST_TIMEOUT_S,
        # Every topic is made by `python -m connect`.
        topic_allow_declare=False,
        topic_disable_leader=True,
        topic_partitions=settings.partitions,
        topic_replication_factor=settings.replication_factor,
        PartitionAssignor="streams.runtime.assignor:PartitionAssignor",
        # The other tables are small, and a mail can wait for their recovery.
        table_standby_replicas=settings.standbys if settings.role == "ledger" else 0,
        stream_buffer_maxsize=POLLS_QUEUED * polled,
        stream_wait_empty=True,
        cython_optimizations=True,
        web_bind=settings.worker_bind,
        web_port=settings.worker_port,
        web_host=settings.worker_host,
        web_tables_enabled=False,
        web_router_enabled=False,
        web_cors_options={},
    )
    app.settings = settings
    app.busy = Busy()
    app.figures = Figures()
    app.before_seek = []
    app.before_agents = []
    app.watched = []
    app.guarded = {}
    app.traces = make_traces(group(settings.role), settings)
    return app


def _instance(settings: Settings) -> str:
    """The member's stable name. Its address belongs to it: Faust ends in an error where a member's has changed."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", f"{settings.worker_id}-{settings.worker_host}-{settings.worker_port}")
