"""Wait until the pipeline has settled, and read everything: topics, tables, views, documents, mails."""

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from email import policy
from email.parser import BytesParser
from pathlib import Path
from typing import Any, Final

import httpx
import psycopg
from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from psycopg.rows import dict_row

from lab.chaos.evidence import Evidence, Record

Json = dict[str, Any]

READ_BY: Final = {
    "turnstile-ledger": ("ticket-commands", "outbox.event.event_status"),
    "turnstile-indexer": ("event_ticket_db.public.event",),
    "turnstile-notifications": (
        "ticket-purchase",
        "notification-jobs",
        "notification-retries",
        "notification-requests",
        "event_ticket_db.public.account",
    ),
    "turnstile-sales": ("ticket-purchase", "notification-log"),
    "turnstile-gate": ("ticket-purchase",),
    "turnstile-payments": ("ticket-purchase", "payment-events", "payment-requests"),
}
KEPT: Final = ("ticket-commands", "ticket-purchase", "turnstile-ledger-changelog", "notification-jobs")
DEAD_LETTERS: Final = "dlq."
TABLES: Final = {
    "event": "SELECT * FROM event",
    "ticket_type": "SELECT * FROM ticket_type",
    "purchase": "SELECT * FROM purchase",
    "notification": "SELECT * FROM notification",
    "payment": "SELECT * FROM payment",
    "account": "SELECT id, first_name, last_name, email, locale FROM account",
}
OPEN: Final = {
    "holds": "SELECT count(*) FROM purchase WHERE status = 'held'",
    "payments": """SELECT count(*) FROM payment WHERE state IN
        ('authorizing', 'declined', 'confirming', 'capturing', 'revoking', 'refunding', 'voiding')""",
}
# Of so many purchases the worker's view is read, too.
VIEWS_MAX: Final = 400
PAUSE_S: Final = 0.5
PAGE_DOCUMENTS: Final = 1_000
PAGE_SECTIONS: Final = 100


class Unsettled(Exception):
    """Something is still under way long after the last fault."""


class Collector:
    """Reads a stack at its own addresses, without proxies."""

    def __init__(self, kafka: str, database: str, elasticsearch: str, worker: str, home: Path) -> None:
        self.kafka, self.database = kafka, database
        self.elasticsearch, self.worker, self.home = elasticsearch, worker, home
        self._http = httpx.Client(timeout=10, trust_env=False)

    def settle(self, max_s: float) -> None:
        """Wait until every group has read everything, and no hold or payment is open. Raises Unsettled: why not."""
        deadline = time.monotonic() + max_s
        admin = KafkaAdminClient(bootstrap_servers=self.kafka)
        consumer = _reader(self.kafka)
        try:
            while waiting := [*_behind(admin, consumer), *self._open()]:
                if time.monotonic() > deadline:
                    raise Unsettled(f"{max_s:.0f} s after the last fault: {'; '.join(waiting)}")
                time.sleep(PAUSE_S)
        finally:
            consumer.close()
            admin.close()

    def collect(self, evidence: Evidence) -> None:
        """Read everything into ``evidence``."""
        evidence.topics = self._topics()
        evidence.tables = self._tables()
        events = [row["id"] for row in evidence.tables["event"]]
        evidence.views = {event: self._view(f"/api/event/{event}/") for event in events}
        evidence.purchases = {
            f"{row['event_id']}.{row['id']}": self._view(f"/api/purchase/{row['event_id']}/{row['id']}/")
            for row in evidence.tables["purchase"][:: max(1, len(evidence.tables["purchase"]) // VIEWS_MAX)]
        }
        evidence.sections = {event: list(self._sections(event)) for event in events}
        evidence.documents = self._documents()
        evidence.mails = self._mails()
        evidence.books = self._books()
        self._http.close()

    def _open(self) -> list[str]:
        with psycopg.connect(self.database) as connection:
            counts = {name: connection.execute(query.encode()).fetchone() or (0,) for name, query in OPEN.items()}
        return [f"{count} {name} are open" for name, [count] in counts.items() if count]

    def _topics(self) -> dict[str, list[Record]]:
        consumer = _reader(self.kafka)
        try:
            dead_letters = [topic for topic in consumer.topics() if topic.startswith(DEAD_LETTERS)]
            return {topic: list(_records(consumer, topic)) for topic in (*KEPT, *dead_letters)}
        finally:
            consumer.close()

    def _tables(self) -> dict[str, list[Json]]:
        with psycopg.connect(self.database, row_factory=dict_row) as connection:
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            return {name: [_plain(row) for row in connection.execute(query.encode())] for name, query in TABLES.items()}

    def _sections(self, event: str) -> Iterator[Json]:
        """The sections of an event's hall, from the ledger's worker."""
        path = f"/api/sections/{event}/?limit={PAGE_SECTIONS}"
        page = self._view(path)
        while page is not None:
            yield from page["items"]
            page = self._view(f"{path}&cursor={page['next']}") if page["next"] else None

    def _view(self, path: str) -> Json | None:
        try:
            answer = self._http.get(f"{self.worker}{path}")
        except httpx.TransportError:  # the nemesis reports a worker that did not come back
            return None
        found: Json = answer.json()
        return found if answer.is_success else None

    def _documents(self) -> dict[str, Json]:
        """All documents behind the alias, with those of deleted events."""
        self._http.post(f"{self.elasticsearch}/events/_refresh").raise_for_status()
        found: dict[str, Json] = {}
        after: list[Any] | None = None
        while True:
            query: Json = {"size": PAGE_DOCUMENTS, "sort": [{"id": "asc"}], "query": {"match_all": {}}}
            if after:
                query["search_after"] = after
            answer = self._http.post(f"{self.elasticsearch}/events/_search", json=query).raise_for_status()
            hits = answer.json()["hits"]["hits"]
            found |= {hit["_id"]: hit["_source"] for hit in hits}
            if len(hits) < PAGE_DOCUMENTS:
                return found
            after = hits[-1]["sort"]

    def _mails(self) -> list[Json]:
        return [_mail(path) for path in sorted((self.home / "mail").glob("*.eml"))]

    def _books(self) -> list[Json]:
        """Paper's payments, from its own file."""
        with closing(sqlite3.connect(f"file:{self.home / 'paper' / 'payments.sqlite'}?mode=ro", uri=True)) as books:
            books.row_factory = sqlite3.Row
            return [dict(row) for row in books.execute("SELECT * FROM payment")]


def _reader(servers: str) -> KafkaConsumer:
    """A consumer of committed records."""
    return KafkaConsumer(bootstrap_servers=servers, enable_auto_commit=False, isolation_level="read_committed")


def _behind(admin: KafkaAdminClient, consumer: KafkaConsumer) -> Iterator[str]:
    for group, topics in READ_BY.items():
        places = [TopicPartition(topic, n) for topic in topics for n in consumer.partitions_for_topic(topic) or ()]
        [found] = admin.list_group_offsets({group: places}).values()
        for place, end in consumer.end_offsets(places).items():
            committed = max(0, found[place].offset) if place in found else 0
            if committed < end:
                yield f"{group} is at {committed} of {end} of {place.topic}[{place.partition}]"


def _records(consumer: KafkaConsumer, topic: str) -> Iterator[Record]:
    places = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
    ends = consumer.end_offsets(places)
    for place in places:
        consumer.assign([place])
        consumer.seek_to_beginning(place)
        while consumer.position(place) < ends[place]:
            for batch in consumer.poll(timeout_ms=500, max_records=5_000).values():
                yield from (_record(one) for one in batch)


def _record(one: Any) -> Record:
    headers = tuple((name, (value or b"").decode(errors="replace")) for name, value in one.headers or ())
    return Record(one.partition, one.offset, one.timestamp, one.key or b"", one.value, headers)


def _plain(row: Json) -> Json:
    """A row as JSON can hold it."""
    plain: Json = json.loads(json.dumps(row, default=str))
    return plain


def _mail(path: Path) -> Json:
    mail = BytesParser(policy=policy.default).parsebytes(path.read_bytes())
    text = mail.get_body(("plain",))
    return {
        "received": int(path.stem.partition("-")[0]) / 1e9,
        "delivered": [str(value) for value in mail.get_all("Delivered-To", [])],
        "to": str(mail["To"] or ""),
        "subject": str(mail["Subject"] or ""),
        "id": str(mail["Message-ID"] or ""),
        "text": text.get_content() if text else "",
    }
