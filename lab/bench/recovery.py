"""How soon the ledger decides again: after ``kill -9``, by a takeover, from an empty folder.

It runs on a broker and a folder of its own.
"""

import asyncio
import logging
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import psutil
from aiokafka import AIOKafkaProducer
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from connect.partitioning import home_of
from connect.provisioning import open_admin, provision
from connect.topics import COMMANDS, OUTCOMES, all_topics
from lab.bench.measurement import Figures, Lab, Measurement
from lab.bench.orders import random_id
from lab.trial_stack import TrialStack
from settings import Settings
from tables.messages.commands import (
    Buy,
    Command,
    DefineEvent,
    EventDefinition,
    TicketLine,
    TicketTypeDefinition,
    encode_command,
)
from tables.messages.statuses import EventStatus

MILLION: Final = 1_000_000
TAKEOVER_PURCHASES: Final = 10_000
EVENTS: Final = 64
STALL_TIMEOUT_S: Final = 300.0
PAUSE_S: Final = 0.02
# After this time the offsets are committed, so no outcome is repeated.
COMMITTED_S: Final = 2.0
PENDING_BATCHES_MAX: Final = 8


class Sale:
    """A broker with a filled topic, and ledger workers on it."""

    def __init__(self, stack: TrialStack, purchases: int) -> None:
        self.stack = stack
        key = stack.environment["TURNSTILE_TICKET_KEY"]
        self.settings = Settings.model_validate({"ticket_key": key, "kafka_servers": self.servers})
        self.rng = random.Random(4)
        self.events = [(random_id(self.rng), random_id(self.rng)) for _ in range(EVENTS)]
        self.purchases = purchases

    @property
    def servers(self) -> str:
        """The broker's address."""
        return self.stack.environment["TURNSTILE_KAFKA_SERVERS"]

    def prepare(self) -> None:
        """Start the broker, and fill the topic."""
        # It logs each try that a new topic refuses.
        logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
        self.stack.start("kafka")
        admin = open_admin(self.settings)
        provision(admin, all_topics(), self.settings)
        admin.close()
        self._consumer = KafkaConsumer(bootstrap_servers=self.servers, enable_auto_commit=False)
        asyncio.run(self._fill())

    def close(self) -> None:
        """Disconnect."""
        self._consumer.close()

    def decided(self) -> int:
        """How many outcomes there are."""
        places = [TopicPartition(OUTCOMES, number) for number in range(self.settings.partitions)]
        return sum(self._consumer.end_offsets(places).values())

    def ask(self) -> None:
        """Send a purchase to each partition."""
        producer = KafkaProducer(bootstrap_servers=self.servers, acks="all")
        for event, kind in {self._partition(event): (event, kind) for event, kind in self.events}.values():
            producer.send(COMMANDS, key=str(event).encode(), value=encode_command(self._purchase(event, kind)))
        producer.close()

    def answered(self, *, doing: Callable[[], None]) -> float:
        """Seconds from now until a purchase on each partition, sent now, is decided."""
        before = self.decided()
        began = time.monotonic()
        doing()
        self.ask()
        self.until(before + self.settings.partitions)
        return time.monotonic() - began

    def until(self, count: int) -> None:
        """Wait until there are so many outcomes. Raises TimeoutError."""
        deadline = time.monotonic() + STALL_TIMEOUT_S
        while self.decided() < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"only {self.decided()} of {count} were decided")
            time.sleep(PAUSE_S)

    def start(self, *names: str) -> None:
        """Start workers, and wait until they are ready."""
        for name in names:
            self.stack.members[name].needs = ()  # type: ignore[misc]
        self.stack.start(*names)

    def forget(self, name: str) -> None:
        """Delete a worker's folder."""
        shutil.rmtree(self.stack.settings.home / name)

    async def _fill(self) -> None:
        producer = AIOKafkaProducer(bootstrap_servers=self.servers, acks="all", max_batch_size=512 * 1024)
        await producer.start()
        try:
            builders: dict[int, Any] = {}
            sent: list[Any] = []
            for event, command in self._commands():
                key, partition = str(event).encode(), self._partition(event)
                value = encode_command(command)
                builder = builders.get(partition)
                if builder is None or builder.append(timestamp=None, key=key, value=value, headers=[]) is None:
                    if builder is not None:
                        sent.append(await producer.send_batch(builder, COMMANDS, partition=partition))
                    builder = builders[partition] = producer.create_batch()
                    builder.append(timestamp=None, key=key, value=value, headers=[])
                if len(sent) > PENDING_BATCHES_MAX:
                    await sent.pop(0)
            sent += [await producer.send_batch(builder, COMMANDS, partition=each) for each, builder in builders.items()]
            await asyncio.gather(*sent)
        finally:
            await producer.stop()

    def _commands(self) -> Iterator[tuple[UUID, Command]]:
        for event, kind in self.events:
            yield event, DefineEvent(event, 1, _definition(kind))
        for number in range(self.purchases):
            event, kind = self.events[number % EVENTS]
            yield event, self._purchase(event, kind)

    def _purchase(self, event: UUID, kind: UUID) -> Buy:
        return Buy(event, random_id(self.rng), random_id(self.rng), [TicketLine(kind, 1)])

    def _partition(self, event: UUID) -> int:
        return home_of(event, self.settings.partitions)


def rebuild(lab: Lab) -> Figures:
    """The only worker is killed after a million purchases: it restarts with its folder, then from an empty one."""
    purchases = lab.count(MILLION)
    with lab.step("a million purchases, a kill, a rebuild"), _sale(purchases) as sale:
        sale.start("ledger-0")
        sale.until(EVENTS + purchases)
        time.sleep(COMMITTED_S)
        restart_s = sale.answered(doing=lambda: _restart(sale))
        sale.stack.kill("ledger-0")
        sale.forget("ledger-0")
        began = time.monotonic()
        sale.start("ledger-0")
        rebuild_s = time.monotonic() - began
        times = psutil.Process(sale.stack.pids["ledger-0"]).cpu_times()
    return {
        "recovery.worker_s": restart_s,
        "recovery.rebuild_1m_s": rebuild_s,
        "recovery.rebuild_1m_cpu_s": times.user + times.system,
    }


def takeover(lab: Lab) -> Figures:
    """One of two workers is killed; the other one reads what it lacks and decides for it."""
    with lab.step("two workers, one is killed"), _sale(TAKEOVER_PURCHASES) as sale:
        sale.start("ledger-0", "ledger-1")
        sale.until(EVENTS + TAKEOVER_PURCHASES)
        sale.answered(doing=lambda: None)
        time.sleep(COMMITTED_S)
        return {"recovery.takeover_s": sale.answered(doing=lambda: sale.stack.kill("ledger-1"))}


def _restart(sale: Sale) -> None:
    sale.stack.kill("ledger-0")
    sale.start("ledger-0")


@contextmanager
def _sale(purchases: int) -> Iterator[Sale]:
    folder = Path(tempfile.mkdtemp(prefix="turnstile-recovery-"))
    stack = TrialStack.on_free_ports(folder / "home", workers=2)
    try:
        sale = Sale(stack, purchases)
        sale.prepare()
        yield sale
        sale.close()
    finally:
        stack.remove()
        shutil.rmtree(folder, ignore_errors=True)


def _definition(kind: UUID) -> EventDefinition:
    return EventDefinition(
        title="Recovery",
        status=EventStatus.ACTIVE,
        starts_at=datetime(2040, 6, 1, 18, tzinfo=UTC),
        ends_at=datetime(2040, 6, 1, 22, tzinfo=UTC),
        time_zone="Europe/Vienna",
        ticket_types=[
            TicketTypeDefinition(id=kind, name="Floor", price=Decimal("49.90"), currency="EUR", quantity=10_000_000)
        ],
    )


MEASUREMENTS: Final = (
    Measurement("recovery.rebuild", "the ledger worker killed after 1,000,000 purchases; an empty folder", rebuild),
    Measurement("recovery.takeover", "another worker takes over", takeover),
)
