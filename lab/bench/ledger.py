"""The ledger alone: commands already on the topic, one or two workers and a broker, nothing else running.

Every purchase has an account of its own and leaves its records and its outcome behind. The worker's start is not
counted, nor is what it decides first: those records were handed over before the first decision.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import httpx

from connect.topics import COMMANDS, OUTCOMES, changelog
from lab.bench import disk
from lab.bench.cpu import cpu_seconds, resident_mb
from lab.bench.latency import latencies, percentile
from lab.bench.machine import Pacer
from lab.bench.measurement import Figures, Lab, Measurement, is_ledger
from lab.bench.orders import Show, definition, purchases, shows
from lab.bench.topics import Placed, counting, fill, make_topics
from lab.bench.track import Cost, Sample, Track, follow
from lab.trial_stack import TrialStack
from settings import Settings
from stack.member import HOST

SEED: Final = 8
MANY_EVENTS: Final = 64
MANY_TYPES: Final = 3
HOT_TYPES: Final = 20
WARM_UP_PURCHASES: Final = 50_000
PURCHASES: Final = 200_000
MILLION: Final = 1_000_000
STRETCH_PURCHASES: Final = 100_000
IDLE_PER_S: Final = 10
IDLE_COMMANDS: Final = 400
STALL_TIMEOUT_S: Final = 60.0
SETTLE_S: Final = 0.2
MEASURED_SHARE: Final = 0.95
# A hundredth of a core.
OBJECTS_PER_SAMPLE: Final = 2_000
LOGS: Final = (COMMANDS, OUTCOMES, changelog("ledger"))


@dataclass(frozen=True, slots=True)
class Sold:
    """The result of a topic full of purchases."""

    track: Track
    purchases: int
    first: int
    topics: int
    disk: int

    @property
    def cost(self) -> Cost:
        """The cost after the warm-up until MEASURED_SHARE of the purchases: at the very end a worker waits."""
        return self.track.between(self.first, round(MEASURED_SHARE * self.track.samples[-1].done))


def many(lab: Lab) -> Figures:
    """64 events on 4 partitions, one worker."""
    sold = sell(lab, events=MANY_EVENTS, types=MANY_TYPES, count=lab.count(PURCHASES))
    lab.series["ledger.many"] = sold.track.plain()
    return {
        "ledger.decisions_per_worker_cpu_s": sold.cost.per_cpu_second("worker"),
        "ledger.decisions_per_server_cpu_s": sold.cost.per_cpu_second("worker", "broker"),
        "ledger.worker_us": sold.cost.microseconds("worker"),
        "ledger.broker_us": sold.cost.microseconds("broker"),
        "ledger.decisions_per_s": sold.cost.per_second,
        "ledger.topic_bytes_per_purchase": sold.topics / sold.purchases,
        "ledger.disk_bytes_per_purchase": sold.disk / sold.purchases,
    }


def hot(lab: Lab) -> Figures:
    """One event with 20 ticket types, one worker."""
    sold = sell(lab, events=1, types=HOT_TYPES, count=lab.count(PURCHASES))
    return {"ledger.hot_decisions_per_worker_cpu_s": sold.cost.per_cpu_second("worker")}


def million(lab: Lab) -> Figures:
    """100,000 purchases after a million of one event, against the first 100,000 of a warm worker."""
    stretch, so_far = lab.count(STRETCH_PURCHASES), lab.count(MILLION)
    sold = sell(lab, events=1, types=HOT_TYPES, count=so_far + stretch)
    lab.series["ledger.million"] = sold.track.plain()
    early = sold.track.between(sold.first, sold.first + stretch).per_cpu_second("worker")
    late = sold.track.between(so_far, so_far + stretch).per_cpu_second("worker")
    return {
        "ledger.after_1m_ratio": late / early,
        "ledger.after_1m_pace": sold.track.pace(sold.first, sold.first + stretch)
        / sold.track.pace(so_far, so_far + stretch),
        "ledger.worker_rss_mb_after_1m": sold.track.samples[-1].resident["worker"],
    }


def two_workers(lab: Lab) -> Figures:
    """The same as ``many`` with two workers, without standby copies, since one worker alone keeps none."""
    cost = _by_two(lab, standbys=0)
    return {
        "ledger.two_decisions_per_s": cost.per_second,
        "ledger.two_decisions_per_worker_cpu_s": cost.per_cpu_second("worker"),
    }


def copies(lab: Lab) -> Figures:
    """The same with a standby copy of every partition at the other worker, which is the default."""
    cost = _by_two(lab, standbys=1)
    return {
        "ledger.copied_decisions_per_s": cost.per_second,
        "ledger.copied_decisions_per_worker_cpu_s": cost.per_cpu_second("worker"),
    }


def _by_two(lab: Lab, standbys: int) -> Cost:
    count = lab.count(2 * PURCHASES)
    return sell(lab, events=MANY_EVENTS, types=MANY_TYPES, count=count, workers=2, standbys=standbys).cost


def sell(lab: Lab, *, events: int, types: int, count: int, workers: int = 1, standbys: int = 1) -> Sold:
    """Fill the topic, start the workers, follow them to the last outcome, and check that all was sold."""
    with lab.stack(workers, standbys) as stack:
        stock = Stock(shows(events, types, lab.settings(stack).partitions, random.Random(SEED)))
        track = decide_all(lab, stack, stock.commands(count), events + count)
        stock.check(f"http://{HOST}:{stack.settings.worker_port}")
        topics = sum(disk.topic_bytes(stack.settings.home / "kafka" / "data", topic) for topic in LOGS)
        stored = sum(disk.folder_bytes(stack.settings.home / name) for name in ledgers(stack))
    first = next(sample.done for sample in track.samples if sample.done > events + lab.count(WARM_UP_PURCHASES))
    return Sold(track, count, first, topics, stored)


def decide_all(lab: Lab, stack: TrialStack, commands: Iterable[Placed], count: int) -> Track:
    """Fill the topic, start the workers, follow them to the last of ``count`` outcomes."""
    settings = lab.settings(stack)
    with lab.step("starting the broker"):
        stack.start("kafka")
        make_topics(settings)
    with lab.step(f"filling the topic with {count:,} commands", count) as tick:
        asyncio.run(fill(settings.kafka_servers, commands, tick))
    with lab.step("deciding", count) as tick, _looking(stack, settings) as look:
        stack.start(*ledgers(stack))
        with lab.profiling(stack):
            return follow(look, count, stall_timeout_s=STALL_TIMEOUT_S, tick=tick)


class Stock:
    """The events on sale, and how many tickets were asked for."""

    def __init__(self, on_sale: list[Show]) -> None:
        self.on_sale = on_sale
        self.asked: Counter[UUID] = Counter()

    def commands(self, count: int) -> Iterator[Placed]:
        """Every definition, then so many purchases."""
        for show in self.on_sale:
            yield show.partition, show.key, definition(show)
        for show, purchase in purchases(self.on_sale, count, random.Random(SEED)):
            self.asked[show.event] += sum(line.quantity for line in purchase.lines)
            yield show.partition, show.key, purchase

    def check(self, worker: str) -> None:
        """Raises RuntimeError where the views show other sales than were asked for: refusals are no purchases.

        An outcome may be there twice after a rebalance, so that as many outcomes as commands are not yet all of them.
        """
        deadline = time.monotonic() + STALL_TIMEOUT_S
        for event, asked in self.asked.items():
            while (sold := _sold(worker, event)) != asked:
                if time.monotonic() > deadline:
                    raise RuntimeError(f"event {event} sold {sold} tickets, {asked} were asked for")
                time.sleep(SETTLE_S)


def _sold(worker: str, event: UUID) -> int:
    view = httpx.get(f"{worker}/api/event/{event}/", timeout=10, trust_env=False).raise_for_status().json()
    return sum(shelf["sold"] for shelf in view["ticketTypes"])


def ledgers(stack: TrialStack) -> list[str]:
    """The ledger workers of the stack."""
    return [name for name in stack.members if is_ledger(name)]


@contextmanager
def _looking(stack: TrialStack, settings: Settings) -> Iterator[Callable[[], Sample]]:
    with counting(settings.kafka_servers, settings.partitions) as outcomes:
        began, pacer = time.monotonic(), Pacer()

        def look() -> Sample:
            done, cpu = outcomes(), cpu_seconds(stack.pids)
            resident, pace = resident_mb(stack.pids), pacer.step(OBJECTS_PER_SAMPLE)
            return Sample(time.monotonic() - began, done, cpu, resident, pace=pace)

        yield look


def idle(lab: Lab) -> Figures:
    """Ten commands a second, each from its intended moment to the outcome's receipt."""
    with lab.stack() as stack:
        settings = lab.settings(stack)
        on_sale = shows(MANY_EVENTS, MANY_TYPES, settings.partitions, random.Random(SEED))
        with lab.step("starting broker and worker"):
            stack.start("kafka")
            make_topics(settings)
            placed = [(show.partition, show.key, definition(show)) for show in on_sale]
            asyncio.run(fill(settings.kafka_servers, placed, lambda _: None))
            stack.start(*ledgers(stack))
        count = lab.count(IDLE_COMMANDS)
        with lab.step(f"{count} commands, {IDLE_PER_S} a second", count) as tick:
            seconds = asyncio.run(latencies(settings, on_sale, count, IDLE_PER_S, tick))
    lab.series["ledger.idle"] = sorted(1000 * each for each in seconds)
    return {
        "ledger.idle_p50_ms": 1000 * percentile(seconds, 50),
        "ledger.idle_p99_ms": 1000 * percentile(seconds, 99),
    }


MEASUREMENTS: Final = (
    Measurement("ledger.many", "purchases of 64 events from a filled topic, one worker", many),
    Measurement("ledger.hot", "the same on one event with 20 ticket types", hot),
    Measurement("ledger.million", "one event after 1,000,000 purchases: cost and memory", million),
    Measurement("ledger.two_workers", "the same as ledger.many, two workers", two_workers),
    Measurement("ledger.copies", "the same, each with warm copies of the other's partitions", copies),
    Measurement("ledger.idle", "command to outcome with 10 commands a second", idle),
)
