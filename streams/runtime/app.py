"""The Faust application: its settings with the reason for each, and the hooks that the runtime calls."""

import re
import ssl
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import faust
from faust.types import TP, StreamT
from faust.types.auth import CredentialsT

from connect.client_options import tls_context
from connect.records.fetching import SkippedOffsets
from connect.topics import RECORD_MAX_BYTES, VERSION, group
from settings import Role, Settings, split
from streams.runtime.agents import Handle, InFlight, RecordQueue, in_batches
from streams.runtime.consumer import BatchTransport
from streams.runtime.counters import Counters
from streams.runtime.web_guard import make_guard
from tables.ledger.records import Watermark
from telemetry.traces import Traces, make_traces

COMMIT_INTERVAL_S = 1.0
REQUEST_TIMEOUT_S = 30.0
# A larger record goes alone, up to RECORD_MAX_BYTES, or DEAD_LETTER_MAX_BYTES for a dead letter.
PRODUCE_BATCH_MAX_BYTES = 512 * 1024
# Faust stops fetching a partition when a queue is four fifths full, then still adds what one poll brought. A queue that
# filled up would block every other agent. Large records fill it sooner (streams/runtime/agents.py).
QUEUE_MAX_POLLS = 8


class Fetching(NamedTuple):
    """How a role reads its topics.

    ``backoff_s``: for so long, fetched records that no poll has taken keep all partitions from being fetched.
    ``gather_max_ms``: while records come quickly, a fetch is sent up to so much later, by ``gather_each_ms`` for each
    record of the last poll: fewer and fuller fetches and batches (streams/runtime/consumer.py).
    """

    # About 12,000 commands: the ledger works on them during the next fetch.
    partition_max_bytes: int = 4 << 20
    poll_max_records: int = 2_000
    backoff_s: float = 0.1
    gather_max_ms: int = 0
    gather_each_ms: int = 4


FETCHING: Final[dict[Role, Fetching]] = {
    # The ledger's records are small, and it handles a batch of them in the time of a fetch.
    "ledger": Fetching(poll_max_records=6_000),
    # One poll takes a fetch from four partitions, so that no producer waits for what another has sent.
    "gate": Fetching(partition_max_bytes=128 << 10, backoff_s=0.01),
    # Several steps of a payment follow each other, so that small batches cost more than their records.
    "payments": Fetching(gather_max_ms=150, gather_each_ms=2),
    "sales": Fetching(gather_max_ms=100),
}


class App(faust.App):
    """The application with its settings, the records in flight, its counters and its hooks.

    ``before_seek`` is called once the tables are recovered, and may raise; ``before_agents`` once the committed offsets
    are known, before anything is read. ``guarded`` are the topics that may lose no record, with the watermark of a
    partition: the last decided record.
    ``on_rewind`` is called where a fetch began before the next offset, and ends the process if the log was truncated.
    ``isolate`` stores dead letters for what the fetcher can't read, and returns whether it did. ``on_unreadable`` is
    called after that.
    """

    settings: Settings
    fetching: Fetching
    in_flight: InFlight
    counters: Counters
    before_seek: list[Callable[[], Awaitable[None]]]
    before_agents: list[Callable[[], Awaitable[None]]]
    on_rewind: Callable[[TP, int], Awaitable[None]]
    isolate: Callable[[TP, Sequence[SkippedOffsets]], Awaitable[bool]]
    on_unreadable: list[Callable[[TP, Sequence[SkippedOffsets]], Awaitable[None]]]
    guarded: dict[str, Callable[[int], Watermark | None]]
    traces: Traces | None

    def add_agent(
        self, topic: str, handle: Handle, *, name: str, batch_max_records: int, commit_each: bool = False
    ) -> None:
        """Register an agent that gives ``handle`` the records of ``topic``, in order, a batch at a time.

        With ``commit_each`` a batch is committed before the next is begun: a killed worker then repeats no more than
        one. Keys and values stay bytes, so that the agent itself sees what can't be decoded.
        """

        async def consume(stream: StreamT[bytes]) -> None:
            await in_batches(
                stream,
                handle,
                in_flight=self.in_flight,
                max_records=batch_max_records,
                name=name,
                commit_each=commit_each,
            )

        self.counters.add_topic(topic)
        raw = self.topic(
            topic,
            key_type=bytes,
            value_type=bytes,
            key_serializer="raw",
            value_serializer="raw",
            allow_empty=True,
        )
        self.agent(raw, name=name, concurrency=1)(consume)

    def FlowControlQueue(self, maxsize: int | None = None, *, clear_on_resume: bool = False) -> RecordQueue:  # noqa: N802 (Faust's name)
        """A queue of agents; Faust calls this."""
        return RecordQueue(maxsize=maxsize, flow_control=self.flow_control, clear_on_resume=clear_on_resume)

    def _new_transport(self) -> BatchTransport:
        return BatchTransport(self.conf.broker_consumer, self)


def make_app(settings: Settings) -> App:
    """An application without agents."""
    data = settings.worker_data.absolute()
    data.mkdir(parents=True, exist_ok=True)
    fetching = FETCHING.get(settings.role, Fetching())
    app = App(
        group(settings.role),
        version=VERSION,
        broker=[f"kafka://{server}" for server in split(settings.kafka_servers)],
        broker_credentials=credentials(settings),
        datadir=Path(data),
        store="rocksdb://",
        autodiscover=False,
        # Effects happen once by the ledger's rules; Faust's exactly_once does not hold.
        processing_guarantee="at_least_once",
        # Faust's own order of recovery loses records under load.
        TableManager="streams.runtime.recovery:SafeTableManager",
        # A static member is back at once after a crash, and replaced after its session when gone.
        consumer_group_instance_id=_instance(settings),
        broker_session_timeout=float(settings.worker_session_seconds),
        broker_heartbeat_interval=settings.worker_session_seconds / 4,
        broker_rebalance_timeout=15.0,
        broker_request_timeout=REQUEST_TIMEOUT_S,
        broker_commit_interval=COMMIT_INTERVAL_S,
        broker_max_poll_records=fetching.poll_max_records,
        consumer_max_fetch_size=fetching.partition_max_bytes,
        consumer_auto_offset_reset="earliest",
        producer_acks=-1,
        producer_linger=0.0,
        producer_max_batch_size=PRODUCE_BATCH_MAX_BYTES,
        producer_max_request_size=RECORD_MAX_BYTES,
        producer_request_timeout=REQUEST_TIMEOUT_S,
        # Every topic is made by `python -m connect`.
        topic_allow_declare=False,
        topic_disable_leader=True,
        topic_partitions=settings.partitions,
        topic_replication_factor=settings.replication_factor,
        PartitionAssignor="streams.runtime.assignor:PartitionAssignor",
        # The other tables are small, and mails can wait for their recovery.
        table_standby_replicas=settings.standbys if settings.role == "ledger" else 0,
        stream_buffer_maxsize=QUEUE_MAX_POLLS * fetching.poll_max_records,
        stream_wait_empty=True,
        cython_optimizations=True,
        web_bind=settings.worker_bind,
        web_port=settings.worker_port,
        web_host=settings.worker_host,
        web_ssl_context=web_tls(settings),
        canonical_url=f"{scheme(settings)}://{settings.worker_host}:{settings.worker_port}",
        web_tables_enabled=False,
        web_router_enabled=False,
        web_cors_options={},
        web_application_options={"middlewares": [make_guard(settings.worker_token_list)]},
    )
    app.settings = settings
    app.fetching = fetching
    app.in_flight = InFlight()
    app.counters = Counters()
    app.before_seek = []
    app.before_agents = []
    app.guarded = {}
    app.on_unreadable = []
    app.traces = make_traces(group(settings.role), settings.zipkin_url)
    return app


def web_tls(settings: Settings) -> ssl.SSLContext | None:
    """The TLS context of the worker's web server; None without a certificate."""
    if settings.worker_certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(settings.worker_certificate)
    return context


def scheme(settings: Settings) -> str:
    """The scheme of the addresses of the workers' web servers."""
    return "http" if settings.worker_certificate is None else "https"


def credentials(settings: Settings) -> CredentialsT | None:
    """Faust's form of the user and the TLS context of the settings (connect/client_options.py); None without both."""
    context = tls_context(settings)
    if settings.kafka_user is None or settings.kafka_password is None:
        return None if context is None else faust.SSLCredentials(context)
    return faust.SASLCredentials(
        username=settings.kafka_user,
        password=settings.kafka_password.get_secret_value(),
        ssl_context=context,
        mechanism=settings.kafka_mechanism,
    )


def _instance(settings: Settings) -> str:
    """The static member's id. It includes the address: Faust fails where the address of a member has changed."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", f"{settings.worker_id}-{settings.worker_host}-{settings.worker_port}")
