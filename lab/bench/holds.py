"""Expiry of holds: how long after its deadline each is ended, with very many open, after a ``kill -9``."""

import asyncio
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final
from uuid import UUID

from kafka import KafkaConsumer, TopicPartition

from connect.topics import OUTCOMES
from lab.bench.latency import percentile
from lab.bench.ledger import MANY_EVENTS, MANY_TYPES, SEED, STALL_TIMEOUT_S, ledgers
from lab.bench.measurement import Figures, Lab, Measurement
from lab.bench.orders import Show, definition, purchases, shows
from lab.bench.recovery import COMMITTED_S
from lab.bench.topics import Placed, fill, make_topics
from settings import Settings
from tables.messages.commands import Hold
from tables.messages.outcomes import OutcomeKind, decode_outcome

HOLD_COUNT: Final = 200_000
# All are held, and the worker has restarted, before the first deadline; then some 3,300 expire each second.
FIRST_DEADLINE_S: Final = 60
LAST_DEADLINE_S: Final = 120
POLL_MS: Final = 500


def end(lab: Lab) -> Figures:
    """200,000 holds of 64 events, the worker killed and started again while all are open."""
    count = lab.count(HOLD_COUNT)
    with lab.stack() as stack:
        settings = lab.settings(stack)
        with lab.step("starting the broker"):
            stack.start("kafka")
            make_topics(settings)
        with lab.step(f"filling the topic with {count:,} holds", count) as tick:
            on_sale = shows(MANY_EVENTS, MANY_TYPES, settings.partitions, random.Random(SEED))
            asyncio.run(fill(settings.kafka_servers, _commands(on_sale, count), tick))
        with _ends(settings) as ends:
            with lab.step("holding", count) as tick:
                stack.start(*ledgers(stack))
                ends.until(lambda: len(ends.deadlines), count, tick)
            time.sleep(COMMITTED_S)
            for name in ledgers(stack):
                stack.kill(name)
            stack.start(*ledgers(stack))
            if ends.late:
                raise RuntimeError("the first hold ended before the worker was back: this machine is too slow for that")
            with lab.step("ending", count) as tick:
                ends.until(lambda: len(ends.late), count, tick)
    return {
        "ledger.holds_late_p50_s": percentile(ends.late, 50),
        "ledger.holds_late_p99_s": percentile(ends.late, 99),
    }


def _commands(on_sale: list[Show], count: int) -> Iterator[Placed]:
    rng = random.Random(SEED)
    for show in on_sale:
        yield show.partition, show.key, definition(show)
    for show, bought in purchases(on_sale, count, rng):
        seconds = rng.randint(FIRST_DEADLINE_S, LAST_DEADLINE_S)
        yield show.partition, show.key, Hold(show.event, bought.purchase, bought.account, bought.lines, seconds)


class Ends:
    """The deadlines of holds, and how many seconds after its deadline each was ended, from the outcomes."""

    def __init__(self, consumer: KafkaConsumer) -> None:
        self._consumer = consumer
        self.deadlines: dict[UUID, float] = {}
        self.late: list[float] = []
        self._ended: set[UUID] = set()

    def until(self, have: Callable[[], int], wanted: int, tick: Callable[[int], None]) -> None:
        """Read until there are so many. Raises TimeoutError if nothing comes for longer than any hold lasts."""
        moved = time.monotonic()
        while (before := have()) < wanted:
            for records in self._consumer.poll(timeout_ms=POLL_MS).values():
                for record in records:
                    self.read(record.value, record.timestamp)
            if have() > before:
                moved = time.monotonic()
                tick(have())
            elif time.monotonic() - moved > LAST_DEADLINE_S + STALL_TIMEOUT_S:
                raise TimeoutError(f"only {before} of {wanted}")

    def read(self, value: bytes, at: int) -> None:
        """Take an outcome, appended at ``at`` (ms). A repeated one counts once."""
        outcome = decode_outcome(value)
        purchase = outcome.purchase
        if purchase is None or purchase in self._ended:
            return
        if outcome.kind is OutcomeKind.HELD and outcome.deadline is not None:
            self.deadlines[purchase] = outcome.deadline.timestamp()
        elif outcome.kind is OutcomeKind.EXPIRED:
            self._ended.add(purchase)
            self.late.append(at / 1000 - self.deadlines[purchase])


@contextmanager
def _ends(settings: Settings) -> Iterator[Ends]:
    consumer = KafkaConsumer(
        bootstrap_servers=settings.kafka_servers, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    try:
        consumer.assign([TopicPartition(OUTCOMES, number) for number in range(settings.partitions)])
        yield Ends(consumer)
    finally:
        consumer.close()


MEASUREMENTS: Final = (
    Measurement("ledger.holds", "200,000 open holds, the worker killed meanwhile: how late each ends", end),
)
