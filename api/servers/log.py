"""The producer of ``ticket-commands``. A record is sent or given up soon: the request that waits has little time."""

import logging
import threading
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from kafka import KafkaProducer
from kafka.errors import KafkaError
from kafka.partitioner.default import murmur2

from api.problems import Unavailable
from connect.topics import COMMANDS
from tables.commands import DefineEvent, encode_command
from telemetry.seldom import Seldom
from telemetry.traces import HEADER, carried

KAFKA: Final = "kafka"
GIVE_UP_S: Final = 1.5
MARGIN_S: Final = 0.3
RETRY_S: Final = 0.5
# Shared by what comes meanwhile: under load fewer and fuller requests, at the price of this when nearly idle.
LINGER_MS: Final = 5

seldom = Seldom(logging.getLogger(__name__))

Done = Callable[[object], None]
Failed = Callable[[Exception], None]


class CommandLog:
    """Appends commands; connects in the background, again and again until it works."""

    def __init__(self, servers: str) -> None:
        self._servers = servers.split(",")
        self._producer: Any = None
        self._partitions = 0
        self._closed = False

    def open(self) -> None:
        """Begin to connect."""
        threading.Thread(target=self._connect, name="command-log", daemon=True).start()

    @property
    def is_open(self) -> bool:
        """Whether the cluster was reached once and the topic is known."""
        return self._producer is not None

    def append(
        self, key: bytes, value: bytes, done: Callable[[object], Any], failed: Callable[[Exception], Any]
    ) -> None:
        """Send a record and return; one of the two functions is called within GIVE_UP_S. Raises Unavailable."""
        if self._producer is None:
            raise Unavailable(KAFKA)
        try:
            place = partition_of(key, self._partitions)
            future = self._producer.send(COMMANDS, key=key, value=value, partition=place, headers=trace_headers())
        except KafkaError as error:
            raise Unavailable(KAFKA) from error
        future.add_callback(done).add_errback(failed)

    def announce(self, event: DefineEvent) -> None:
        """Send a definition and return once it is in the log for good. Raises Unavailable."""
        settled = threading.Event()
        failures: list[Exception] = []

        def fail(error: Exception) -> None:
            failures.append(error)
            settled.set()

        self.append(str(event.event).encode(), encode_command(event), lambda _: settled.set(), fail)
        if not settled.wait(GIVE_UP_S + MARGIN_S) or failures:
            raise Unavailable(KAFKA) from (failures[0] if failures else None)

    def close(self) -> None:
        """Send what is on its way, and disconnect."""
        self._closed = True
        if self._producer is not None:
            self._producer.close(timeout=2)

    def _connect(self) -> None:
        while not self._closed:
            try:
                producer = make_producer(self._servers)
                self._partitions = len(producer.partitions_for(COMMANDS) or ())
                if not self._partitions:
                    raise KafkaError(f"the topic {COMMANDS} is not there yet")
            except KafkaError as error:
                seldom.warning("connect", "no way to %s yet: %r", COMMANDS, error)
                time.sleep(RETRY_S)
            else:
                self._producer = producer
                return


@lru_cache(maxsize=65_536)
def partition_of(key: bytes, partitions: int) -> int:
    """The partition of a key, as Kafka's default has it; kept, since counting it out is most of a send."""
    return int((murmur2(key) & 0x7FFFFFFF) % partitions)


def trace_headers() -> list[tuple[str, bytes]] | None:
    """The headers of a record that follows from the request under way; None unless that is sampled."""
    text = carried()
    return None if text is None else [(HEADER, text.encode())]


def make_producer(servers: list[str]) -> Any:
    """A producer that waits for all replicas and gives up after GIVE_UP_S.

    It is not idempotent: the ledger answers a repeated command as it did the first, and a producer
    whose records expire would have to begin a new sequence each time.
    """
    milliseconds = int(GIVE_UP_S * 1000)
    return KafkaProducer(
        bootstrap_servers=servers,
        client_id="turnstile-api",
        acks="all",
        enable_idempotence=False,
        max_in_flight_requests_per_connection=1,
        linger_ms=LINGER_MS,
        batch_size=256 * 1024,
        request_timeout_ms=milliseconds - 100,
        delivery_timeout_ms=milliseconds,
        max_block_ms=1_000,
        retry_backoff_ms=50,
        reconnect_backoff_max_ms=500,
        bootstrap_timeout_ms=5_000,
        allow_auto_create_topics=False,
        metrics_enabled=False,
    )
