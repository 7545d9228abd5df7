"""The soak: a season of 1,000,000 purchases over 2,000 events at a steady rate, and whether anything grows.

Broker and one ledger worker; commands go straight to the topic. Latency is that of probes beside the load.
"""

import asyncio
import random
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, Final

import httpx
from aiokafka import AIOKafkaProducer

from lab.bench import disk
from lab.bench.cpu import cpu_seconds, resident_mb
from lab.bench.latency import Probed, percentile, probe
from lab.bench.ledger import LOGS, ledgers
from lab.bench.measurement import Figures, Lab, Measurement, Tick
from lab.bench.orders import Show, definition, shows
from lab.bench.season import HOLD_S, Season
from lab.bench.topics import BATCH_MAX_BYTES, Placed, append_all, counting, fill, make_topics
from lab.bench.track import Sample, Track
from lab.trial_stack import TrialStack
from settings import Settings
from stack.member import HOST

SEED: Final = 8
EVENTS: Final = 2_000
TYPES: Final = 3
PURCHASES: Final = 1_000_000
PURCHASES_PER_S: Final = 4_000
PROBES_PER_S: Final = 10
PROBED_EVENTS: Final = 8
SEND_EVERY_S: Final = 0.05
SAMPLE_EVERY_S: Final = 1.0
PARTS: Final = 5
SETTLING_S: Final = 60.0 + HOLD_S


def soak(lab: Lab) -> Figures:
    """The whole season, then the views must show exactly what was sold, and nothing held."""
    with lab.stack() as stack:
        settings = lab.settings(stack)
        on_sale = shows(lab.count(EVENTS), TYPES, settings.partitions, random.Random(SEED))
        probed = shows(PROBED_EVENTS, TYPES, settings.partitions, random.Random(SEED + 1))
        with lab.step("starting broker and worker"):
            stack.start("kafka")
            make_topics(settings)
            placed = [(show.partition, show.key, definition(show)) for show in (*on_sale, *probed)]
            asyncio.run(fill(settings.kafka_servers, placed, lambda _: None))
            stack.start(*ledgers(stack))
        season, count = Season(on_sale, SEED), lab.count(PURCHASES)
        with lab.step(f"{count:,} purchases, {PURCHASES_PER_S:,} commands a second") as tick:
            track, probes = asyncio.run(_Soak(stack, settings, tick).run(season.commands(count), probed))
        with lab.step("holds run out"):
            _settled(f"http://{HOST}:{stack.settings.view_port('ledger', 0)}", season)
    lab.series["soak"] = track.plain()
    lab.series["soak.probes"] = [{"at": one.at - probes[0].at, "ms": 1000 * one.seconds} for one in probes]
    return figures(track, probes)


def figures(track: Track, probes: list[Probed]) -> Figures:
    """The last fifth of the season against the first, without the warm-up."""
    total = track.samples[-1].done
    warm = track.samples[0].done + total // 50
    early = track.between(warm, warm + total // PARTS)
    late = track.between(total - total // PARTS, total)
    part = len(probes) // PARTS
    first, last = track.samples[0], track.samples[-1]
    begin, end = ([one.seconds for one in some] for some in (probes[:part], probes[-part:]))
    return {
        "soak.worker_cost_ratio": late.microseconds("worker") / early.microseconds("worker"),
        "soak.broker_cost_ratio": late.microseconds("broker") / early.microseconds("broker"),
        "soak.first_p99_ms": 1000 * percentile(begin, 99),
        "soak.last_p99_ms": 1000 * percentile(end, 99),
        "soak.p50_ms": 1000 * percentile([one.seconds for one in probes], 50),
        "soak.worker_rss_mb": last.resident["worker"],
        "soak.disk_bytes_per_decision": (last.disk - first.disk) * 1e6 / (last.done - first.done),
    }


class _Soak:
    """The load, the probes and the samples at the same time."""

    def __init__(self, stack: TrialStack, settings: Settings, tick: Tick) -> None:
        self.stack, self.settings, self.tick = stack, settings, tick
        self.track = Track()
        self.sending = True

    async def run(self, commands: Iterator[Placed], probed: list[Show]) -> tuple[Track, list[Probed]]:
        """Until the last command is sent."""
        probes = asyncio.create_task(probe(self.settings, probed, PROBES_PER_S, lambda: self.sending))
        looks = asyncio.create_task(self._look(probes))
        try:
            await self._send(commands)
        finally:
            self.sending = False
        seconds = await probes
        await looks
        return self.track, seconds

    async def _send(self, commands: Iterator[Placed]) -> None:
        servers = self.settings.kafka_servers
        producer = AIOKafkaProducer(bootstrap_servers=servers, acks="all", max_batch_size=BATCH_MAX_BYTES)
        await producer.start()
        try:
            began, sent = time.monotonic(), 0
            while batch := list(islice(commands, round(PURCHASES_PER_S * SEND_EVERY_S))):
                await append_all(producer, batch)
                sent += len(batch)
                self.tick(sent)
                await asyncio.sleep(max(0.0, began + sent / PURCHASES_PER_S - time.monotonic()))
        finally:
            await producer.stop()

    async def _look(self, probes: asyncio.Task[list[Probed]]) -> None:
        """The last sample is taken when the last probe is answered, which follows all the rest."""
        with counting(self.settings.kafka_servers, self.settings.partitions) as outcomes:
            began = time.monotonic()
            while not probes.done():
                self.track.samples.append(await asyncio.to_thread(self._sample, began, outcomes))
                await asyncio.sleep(SAMPLE_EVERY_S)
            self.track.samples.append(await asyncio.to_thread(self._sample, began, outcomes))

    def _sample(self, began: float, outcomes: Callable[[], int]) -> Sample:
        done = outcomes()
        home, pids = self.stack.settings.home, self.stack.pids
        stored = sum(disk.folder_bytes(home / name) for name in ledgers(self.stack))
        stored += sum(disk.topic_bytes(home / "kafka" / "data", topic) for topic in LOGS)
        return Sample(time.monotonic() - began, done, cpu_seconds(pids), resident_mb(pids), stored / 1e6)


def _settled(worker: str, season: Season) -> None:
    """Wait until the views show what was sold. Raises RuntimeError, naming the first event that differs."""
    deadline = time.monotonic() + SETTLING_S
    with httpx.Client(base_url=worker, timeout=10, trust_env=False) as http:
        for event, should in season.sold.items():
            while (has := _counts(http.get(f"/api/event/{event}/").raise_for_status().json())) != (should, 0):
                if time.monotonic() > deadline:
                    raise RuntimeError(f"event {event} has (sold, held) {has}, should have {(should, 0)}")
                time.sleep(0.2)


def _counts(view: dict[str, Any]) -> tuple[int, int]:
    shelves: Iterable[dict[str, int]] = view["ticketTypes"]
    rows = [(shelf["sold"], shelf["held"]) for shelf in shelves]
    return sum(sold for sold, _ in rows), sum(held for _, held in rows)


MEASUREMENTS: Final = (
    Measurement("soak", "1,000,000 purchases over 2,000 events with holds, cancels, changes", soak, runs=1),
)
