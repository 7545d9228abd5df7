"""The gate: what a request costs it, how long an answer takes, what others notice of a producer that floods.

Kafka, PostgreSQL with the events, one ledger worker and one worker of the gate run, and nothing else. Every request is
a purchase by an account of its own, which the gate has to know.
"""

import asyncio
import random
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from threading import Event
from typing import Final
from uuid import UUID, uuid4

import msgspec
import psycopg

from connect.topics import ACCOUNT_ROWS, DEFAULT_PRODUCERS, answers, requests
from lab.bench.cpu import cpu_seconds
from lab.bench.latency import WARM_UP_COUNT, Probed, Way, percentile, probe_way
from lab.bench.ledger import MANY_EVENTS, MANY_TYPES, MEASURED_SHARE, SEED, STALL_TIMEOUT_S, ledgers
from lab.bench.measurement import Figures, Lab, Measurement
from lab.bench.orders import Show, definition, purchases, shows
from lab.bench.topics import counting, fill_topic, make_topics
from lab.bench.track import Sample, Track, follow
from lab.trial_stack import TrialStack
from settings import Settings
from stack.child import Command
from tables.ids import id_bytes
from tables.messages.answers import decode_answer
from tables.messages.commands import Buy, encode_command

GATE: Final = "gate-0"
PRODUCER, OTHER = DEFAULT_PRODUCERS
UNLIMITED_PER_S: Final = 999_999
LIMITED_PER_S: Final = 1_000
REQUESTS: Final = 150_000
WARM_UP_REQUESTS: Final = 30_000
FLOOD_REQUESTS: Final = 400_000
IDLE_PER_S: Final = 10
IDLE_REQUESTS: Final = 400
BESIDE_PER_S: Final = 20
# More than are sent beside the longest flood.
BESIDE_REQUESTS_MAX: Final = 20_000
_OUTBOX: Final = """
INSERT INTO event_outbox (id, aggregate_id, event_type, version, payload) VALUES (%s, %s, 'event-defined', 1, %s)
"""

Orders = list[tuple[Show, Buy]]


@dataclass
class Site:
    """The running processes, the events on sale, and purchases by accounts that exist."""

    lab: Lab
    stack: TrialStack
    settings: Settings
    on_sale: list[Show]

    def orders(self, count: int, seed: int) -> Orders:
        """So many purchases; their accounts exist for a gate that starts after this."""
        made = list(purchases(self.on_sale, count, random.Random(seed)))
        values = ((show.partition, id_bytes(order.account), _row(order.account)) for show, order in made)
        with self.lab.step(f"{count:,} accounts", count) as tick:
            asyncio.run(fill_topic(self.settings.kafka_servers, ACCOUNT_ROWS, values, tick))
        return made

    def request(self, orders: Orders) -> None:
        """Append them to the producer's topic."""
        values = ((show.partition, show.key, encode_command(order)) for show, order in orders)
        with self.lab.step(f"{len(orders):,} requests", len(orders)) as tick:
            asyncio.run(fill_topic(self.settings.kafka_servers, requests(PRODUCER), values, tick))

    def follow(self, count: int) -> Track:
        """Follow the gate until so many requests of the producer are answered."""
        with (
            counting(self.settings.kafka_servers, self.settings.partitions, answers(PRODUCER)) as answered,
            self.lab.step(f"answering {count:,} requests", count) as tick,
            self.lab.profiling(self.stack),
        ):
            began = time.monotonic()

            def look() -> Sample:
                return Sample(time.monotonic() - began, answered(), cpu_seconds(self.stack.pids), {})

            return follow(look, count, stall_timeout_s=STALL_TIMEOUT_S, tick=tick)

    def probe(self, producer: str, orders: Orders, rate: float, more: Callable[[], bool]) -> list[Probed]:
        """Requests of a producer at a rate, each until its answer is there."""
        way = Way(requests(producer), answers(producer), lambda value: decode_answer(value).purchase)
        return asyncio.run(probe_way(self.settings, way, iter(orders), rate, more))


def load(lab: Lab) -> Figures:
    """Purchases from a filled topic, within the quota; each is answered once."""
    with _site(lab, UNLIMITED_PER_S) as site:
        count = lab.count(REQUESTS)
        site.request(site.orders(count, SEED))
        site.stack.start(GATE)
        track = site.follow(count)
    if track.samples[-1].done != count:
        raise RuntimeError(f"{track.samples[-1].done} answers to {count} requests")
    lab.series["gate.load"] = track.plain()
    cost = track.between(lab.count(WARM_UP_REQUESTS), round(MEASURED_SHARE * count))
    return {"gate.cpu_us": cost.microseconds("gate"), "gate.requests_per_s": cost.per_second}


def idle(lab: Lab) -> Figures:
    """Ten requests a second, each from its intended moment to the answer's receipt."""
    with _site(lab, LIMITED_PER_S) as site:
        count = lab.count(IDLE_REQUESTS)
        orders = site.orders(WARM_UP_COUNT + count, SEED)
        site.stack.start(GATE)
        left = iter(orders)
        with lab.step(f"{count} requests, {IDLE_PER_S} a second"):
            probed = site.probe(PRODUCER, orders, IDLE_PER_S, lambda: next(left, None) is not None)
    milliseconds = sorted(1000 * one.seconds for one in probed)
    lab.series["gate.idle"] = milliseconds
    return {"gate.idle_p50_ms": percentile(milliseconds, 50), "gate.idle_p99_ms": percentile(milliseconds, 99)}


def flood(lab: Lab) -> Figures:
    """Twenty requests a second of one producer, while another sends far more than its quota lets through."""
    with _site(lab, LIMITED_PER_S) as site, ThreadPoolExecutor(1) as thread:
        orders, beside = site.orders(lab.count(FLOOD_REQUESTS), SEED), site.orders(BESIDE_REQUESTS_MAX, SEED + 1)
        site.stack.start(GATE)
        over = Event()
        probed = thread.submit(site.probe, OTHER, beside, BESIDE_PER_S, lambda: not over.is_set())
        try:
            site.request(orders)
            site.follow(len(orders))
        finally:
            over.set()
        seconds = [one.seconds for one in probed.result()]
    return {
        "gate.flooded_p50_ms": 1000 * percentile(seconds, 50),
        "gate.flooded_p99_ms": 1000 * percentile(seconds, 99),
    }


@contextmanager
def _site(lab: Lab, quota_per_s: int) -> Iterator[Site]:
    """Everything but the gate started; each producer has that quota for a partition."""
    with lab.stack(measured="gate") as stack:
        _with_quota(stack, quota_per_s)
        settings = lab.settings(stack)
        on_sale = shows(MANY_EVENTS, MANY_TYPES, settings.partitions, random.Random(SEED))
        with lab.step("starting Kafka, PostgreSQL and a ledger worker"):
            stack.start("kafka", "postgres")
            stack.start("migrations")
            make_topics(settings)
            _announce(settings, on_sale)
            stack.start(*ledgers(stack))
        yield Site(lab, stack, settings, on_sale)


def _with_quota(stack: TrialStack, quota_per_s: int) -> None:
    gate = stack.members[GATE]
    plain = gate.command
    quotas = ",".join(f"{producer}={quota_per_s}" for producer in DEFAULT_PRODUCERS)

    def command() -> Command:
        was = plain()
        return replace(was, env={**was.env, "TURNSTILE_PRODUCERS": quotas})

    gate.command = command  # type: ignore[method-assign]


def _announce(settings: Settings, on_sale: Iterable[Show]) -> None:
    """Put the events into the outbox, where the gate reads their definitions."""
    with psycopg.connect(settings.database_url.get_secret_value()) as connection:
        for show in on_sale:
            payload = msgspec.json.encode(definition(show)).decode()
            connection.execute(_OUTBOX, (uuid4(), show.event, payload))


def _row(account: UUID) -> bytes:
    return msgspec.json.encode({"id": account, "__lsn": 1})


MEASUREMENTS: Final = (
    Measurement("gate.load", "requests of a producer from a filled topic: what they cost the gate", load),
    Measurement("gate.idle", "request to answer with 10 requests a second", idle),
    Measurement("gate.flood", "request to answer of one producer while another floods", flood),
)
