"""The search: its relevance, the CPU of indexing a backlog, its freshness under changes."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import msgspec
import psycopg
from elasticsearch import Elasticsearch
from kafka import KafkaProducer

from connect.partitioning import partition_of
from connect.topics import EVENT_ROWS
from lab.bench import relevance
from lab.bench.cpu import cpu_seconds, resident_mb
from lab.bench.latency import percentile
from lab.bench.measurement import Figures, Lab, Measurement
from lab.bench.topics import make_topics
from lab.bench.track import Sample, follow
from lab.demo_catalogue import demo_catalogue
from lab.trial_stack import TrialStack
from streams.search.mapping import ALIAS

SEED: Final = 8
BACKLOG: Final = 40_000
WARM_UP_SHARE: Final = 0.1
MEASURED_SHARE: Final = 0.95
STALL_TIMEOUT_S: Final = 60.0
CHANGES: Final = 3_000
CHANGES_PER_S: Final = 50
CHANGED_EVENTS: Final = 200
SEARCH_EVERY_S: Final = 0.01
INDEXER: Final = "indexer-0"

ACCOUNT: Final = "INSERT INTO account (id, first_name, last_name, email) VALUES (%s, 'Ada', 'Byron', 'ada@bench.test')"
EVENT: Final = """
INSERT INTO event (id, organizer_id, title, description, status, starts_at, ends_at, time_zone)
VALUES (%s, %s, '-1', %s, 'ACTIVE', now() + interval '1 day', now() + interval '2 days', 'Europe/Vienna')
"""
CHANGE: Final = "UPDATE event SET title = %s WHERE id = %s"


def ndcg(lab: Lab) -> Figures:
    """The judged queries over the demonstration catalogue."""
    with lab.stack() as stack:
        with lab.step("starting Elasticsearch"):
            stack.start("elasticsearch")
        with lab.step("asking the judged queries"):
            measured = relevance.measure(lab.settings(stack))
    return {"search.ndcg_at_10": relevance.figure(measured)}


def backlog(lab: Lab) -> Figures:
    """Rows of events already on the topic, one worker: from the first tenth in the index to MEASURED_SHARE."""
    count = lab.count(BACKLOG)
    with lab.stack() as stack:
        with lab.step("starting Kafka and Elasticsearch"):
            stack.start("kafka", "elasticsearch")
            make_topics(lab.settings(stack))
        with lab.step(f"filling the topic with {count:,} rows", count) as tick:
            fill(lab.settings(stack).kafka_servers, lab.settings(stack).partitions, count, tick)
        with lab.step("indexing", count) as tick, _counting(stack) as look:
            stack.start(INDEXER)
            track = follow(look, count, stall_timeout_s=STALL_TIMEOUT_S, tick=tick)
    cost = track.between(round(WARM_UP_SHARE * count), round(MEASURED_SHARE * count))
    return {
        "search.indexed_per_worker_cpu_s": cost.per_cpu_second("indexer"),
        "search.indexed_per_s": cost.per_second,
        "search.index_us": cost.microseconds("elasticsearch"),
    }


def fill(servers: str, partitions: int, count: int, tick: Callable[[int], None]) -> None:
    """Append changes of rows: those of the catalogue, repeated under other ids."""
    events = [relevance.row_of(event) for event in demo_catalogue(datetime.now(UTC)).events]
    plain = [msgspec.to_builtins(row) | {"__deleted": "false", "__op": "c"} for row in events]
    producer = KafkaProducer(bootstrap_servers=servers, acks="all", linger_ms=20, batch_size=256 * 1024)
    for number in range(count):
        key = str(UUID(int=number))
        value = msgspec.json.encode(plain[number % len(plain)] | {"id": key, "__lsn": number + 1})
        producer.send(EVENT_ROWS, key=key.encode(), value=value, partition=partition_of(key.encode(), partitions))
        tick(number)
    producer.close()


def fresh(lab: Lab) -> Figures:
    """Updates at a steady rate: seconds from each commit to the first search that finds it."""
    count = lab.count(CHANGES)
    with lab.stack() as stack:
        with lab.step("starting PostgreSQL, Kafka Connect, Kafka, Elasticsearch and the indexer"):
            stack.start("postgres", "kafka", "connect", "elasticsearch")
            stack.start("migrations", "connectors")
            stack.start(INDEXER)
        watch = Watch(stack.environment["TURNSTILE_ELASTICSEARCH_URL"])
        with lab.step(f"{count:,} changes, {CHANGES_PER_S} a second", count) as tick:
            seconds = watch.measure(stack.environment["TURNSTILE_DATABASE_URL"], count, tick)
    lab.series["search.fresh"] = sorted(1000 * each for each in seconds)
    return {
        "search.fresh_p50_ms": 1000 * percentile(seconds, 50),
        "search.fresh_p99_ms": 1000 * percentile(seconds, 99),
    }


class Watch:
    """Changes the titles of some events and searches for all of them repeatedly.

    Titles are numbers that grow: a search that has one has all changes of that event up to it.
    """

    def __init__(self, elasticsearch: str) -> None:
        self.client = Elasticsearch(elasticsearch, request_timeout=10)
        self.events = [str(UUID(int=number)) for number in range(1, CHANGED_EVENTS + 1)]
        self.waiting: dict[str, dict[int, float]] = {event: {} for event in self.events}
        self.seconds: list[float] = []
        self.lock = threading.Lock()

    def measure(self, database: str, count: int, tick: Callable[[int], None]) -> list[float]:
        """Seconds of each change. Raises TimeoutError if one is never found."""
        with psycopg.connect(database, autocommit=True) as connection:
            self._make(connection)
            writer = threading.Thread(target=self._write, args=(connection, count))
            writer.start()
            deadline = time.monotonic() + count / CHANGES_PER_S + STALL_TIMEOUT_S
            while len(self.seconds) < count:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{count - len(self.seconds)} changes were not found")
                self._look()
                tick(len(self.seconds))
                time.sleep(SEARCH_EVERY_S)
            writer.join()
        self.client.close()
        return self.seconds

    def _make(self, connection: psycopg.Connection[Any]) -> None:
        text = " ".join(random.Random(SEED).choices(["evening", "music", "stage", "garden"], k=60))
        organizer = UUID(int=0)
        connection.execute(ACCOUNT, (organizer,))
        for event in self.events:
            connection.execute(EVENT, (event, organizer, text))
        deadline = time.monotonic() + STALL_TIMEOUT_S
        while len(self._titles()) < CHANGED_EVENTS:
            if time.monotonic() > deadline:
                raise TimeoutError("the events were not found")
            time.sleep(SEARCH_EVERY_S)

    def _write(self, connection: psycopg.Connection[Any], count: int) -> None:
        began = time.monotonic()
        for number in range(count):
            time.sleep(max(0.0, began + number / CHANGES_PER_S - time.monotonic()))
            event = self.events[number % CHANGED_EVENTS]
            connection.execute(CHANGE, (str(number), event))
            with self.lock:
                self.waiting[event][number] = time.monotonic()

    def _look(self) -> None:
        titles = self._titles()
        now = time.monotonic()
        with self.lock:
            for event, title in titles.items():
                for number in [each for each in self.waiting[event] if each <= title]:
                    self.seconds.append(max(0.0, now - self.waiting[event].pop(number)))

    def _titles(self) -> dict[str, int]:
        found = self.client.options(ignore_status=(404, 503)).search(
            index=ALIAS, size=CHANGED_EVENTS, source_includes=["title"], track_total_hits=False
        )
        return {hit["_id"]: int(hit["_source"]["title"]) for hit in found.get("hits", {"hits": []})["hits"]}


@contextmanager
def _counting(stack: TrialStack) -> Iterator[Callable[[], Sample]]:
    """Samples of how many events are in the index, and of the CPU used."""
    client = Elasticsearch(stack.environment["TURNSTILE_ELASTICSEARCH_URL"], request_timeout=10)
    began = time.monotonic()

    def look() -> Sample:
        found = client.options(ignore_status=(404, 503)).count(index=ALIAS).get("count", 0)
        return Sample(time.monotonic() - began, found, cpu_seconds(stack.pids), resident_mb(stack.pids))

    try:
        yield look
    finally:
        client.close()


MEASUREMENTS: Final = (
    Measurement("search.relevance", "nDCG@10 of the judged queries over the demonstration catalogue", ndcg, runs=1),
    Measurement("search.backlog", "rows of events from a filled topic, one indexer", backlog),
    Measurement("search.fresh", "commit in PostgreSQL to search hit, 50 changes a second", fresh),
)
