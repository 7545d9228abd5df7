"""The whole pipeline on real servers, for tests: REST, topics, PostgreSQL, mails, processes."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4, uuid5

import httpx
import psycopg
from kafka import KafkaProducer, TopicPartition

from api.auth.tokens import Tokens
from api.roles import Role
from connect.client_options import client_options
from connect.partitioning import partition_of
from connect.records.consumer import make_consumer
from connect.topics import COMMANDS, OUTCOMES, dead_letters
from lab.trial_stack import TrialStack
from settings import Settings
from stack.child import last_lines
from stack.member import HOST, NO_CAS, get
from tables.errors import MalformedRecord
from tables.messages.outcomes import Outcome, decode_outcome
from tests.eventually import eventually

PARTITIONS = 4
WORKERS = ("ledger-0", "indexer-0", "notifications-0", "sales-0", "gate-0", "payments-0")
TOKEN_SECONDS = 3600
NOBODY = UUID(int=0)
Json = dict[str, Any]


@dataclass
class Pipeline:
    """A running stack with its API and one worker. ``http`` is signed in as an administrator."""

    stack: TrialStack
    http: httpx.Client = field(init=False)
    producer: KafkaProducer = field(init=False)
    _follower: Any = field(init=False)
    _outcomes: dict[bytes, list[Outcome]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.http = self.client(NOBODY, Role.ADMINISTRATOR)
        self.producer = KafkaProducer(bootstrap_servers=self.kafka, acks="all")
        self._follower = make_consumer(client_options(self.settings))

    def close(self) -> None:
        self.http.close()
        self.producer.close()
        self._follower.close()

    def start_again(self) -> list[str]:
        """Start the workers that have ended; each with its exit code and the last that it said."""
        members, processes = self.stack.members, self.stack.processes
        ended = {name: code for name in WORKERS if name in processes and (code := processes[name].poll()) is not None}
        said = [f"{name}, exit code {code}:\n{last_lines(members[name].log)}" for name, code in ended.items()]
        if ended:
            self.stack.start(*ended)
        return said

    @property
    def api(self) -> str:
        return f"http://{HOST}:{self.stack.settings.api_port}"

    @property
    def worker(self) -> str:
        return f"http://{HOST}:{self.stack.settings.worker_port}"

    @property
    def kafka(self) -> str:
        return self.stack.environment["TURNSTILE_KAFKA_SERVERS"]

    @property
    def elasticsearch(self) -> str:
        return self.stack.environment["TURNSTILE_ELASTICSEARCH_URL"]

    @property
    def settings(self) -> Settings:
        """The settings of the deployed parts."""
        told = {name.removeprefix("TURNSTILE_").lower(): value for name, value in self.stack.environment.items()}
        return Settings(**told)  # type: ignore[arg-type]

    # REST

    def client(self, account: UUID | str, *roles: Role) -> httpx.Client:
        """A client signed in as that account; its changes overwrite those of others (If-Match: *)."""
        headers = self.bearer(account, *roles) | {"If-Match": "*"}
        return httpx.Client(base_url=f"{self.api}/api/v3", timeout=30, headers=headers, trust_env=False, verify=NO_CAS)

    def bearer(self, account: UUID | str, *roles: Role) -> Json:
        """The header that shows a token of that account, made with the stack's own key."""
        tokens = Tokens([self.stack.environment["TURNSTILE_TOKEN_KEY"]], TOKEN_SECONDS)
        token, _ = tokens.issue(UUID(str(account)), frozenset({Role.BUYER, *roles}))
        return {"Authorization": f"Bearer {token}"}

    def account(self, **more: Any) -> str:
        body = {"firstName": "Ada", "lastName": "Byron", "email": f"{uuid4().hex}@buyer.example"}
        return str(self._created("/accounts", body | more)["id"])

    def event(self, *quantities: int, **more: Any) -> tuple[str, list[str]]:
        """An event on sale, known to the ledger with a ticket type for each of ``quantities``."""
        event = self.new_event(**more)
        types = [self.ticket_type(event, quantity) for quantity in quantities]
        self.settled(event, len(types))
        return event, types

    def new_event(self, **more: Any) -> str:
        starts = datetime.now(UTC) + timedelta(days=30)
        body = {
            "organizerId": self.account(),
            "title": f"Concert {uuid4().hex[:8]}",
            "venue": "Hall",
            "city": "Graz",
            "startsAt": starts.isoformat(),
            "endsAt": (starts + timedelta(hours=2)).isoformat(),
            "timeZone": "Europe/Vienna",
            "status": "ACTIVE",
        }
        return str(self._created("/events", body | more)["id"])

    def ticket_type(self, event: str, quantity: int, **more: Any) -> str:
        body = {"name": "Standing", "quantity": quantity, "price": {"amount": "10.50", "currency": "EUR"}}
        return str(self._created(f"/events/{event}/tickets", body | more)["id"])

    def settled(self, event: str, types: int) -> Json:
        """The worker's view of the event, once it shows so many ticket types."""

        def shown() -> Json | None:
            view = self._shown(event, 0)
            return view if view is not None and len(view["ticketTypes"]) == types else None

        return eventually(shown, within=30) or {}

    def view(self, event: str, worker: int = 0) -> Json:
        """The worker's web view of the event, as soon as it has one."""
        return eventually(lambda: self._shown(event, worker), within=30)

    def _shown(self, event: str, worker: int) -> Json | None:
        """The view now; None while the event's partition moves or the worker starts."""
        port = self.stack.settings.worker_port + worker
        try:
            answer = get(f"http://{HOST}:{port}/api/event/{event}/", 5)
        except httpx.TransportError:
            return None
        found: Json = answer.json()
        return found if answer.status_code == httpx.codes.OK else None

    def buy(self, event: str, ticket_type: str, quantity: int, account: str, **options: Any) -> httpx.Response:
        """One purchase over REST; ``key`` and ``headers`` may be given."""
        body = {
            "eventId": event,
            "accountId": account,
            "lines": [{"ticketTypeId": ticket_type, "quantity": quantity}],
        }
        headers = (
            self.bearer(account) | {"Idempotency-Key": options.get("key", uuid4().hex)} | options.get("headers", {})
        )
        return self.http.post("/purchases", json=body, headers=headers)

    def _created(self, path: str, body: Json) -> Json:
        answer = self.http.post(path, json=body)
        assert answer.status_code == httpx.codes.CREATED, answer.text
        created: Json = answer.json()
        return created

    # topics

    def send(self, event: UUID | str, value: bytes, partition: int | None = None) -> int:
        """Append a command as another producer would; the offset that it got."""
        key = str(event).encode()
        home = partition_of(key, PARTITIONS) if partition is None else partition
        return int(self.producer.send(COMMANDS, key=key, value=value, partition=home).get(30).offset)

    def records(self, topic: str) -> Iterator[Any]:
        """Every record that the topic holds now."""
        consumer = make_consumer(client_options(self.settings), consumer_timeout_ms=10_000)
        try:
            partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)]
            ends = consumer.end_offsets(partitions)
            consumer.assign(partitions)
            consumer.seek_to_beginning(*partitions)
            while any(consumer.position(partition) < ends[partition] for partition in partitions):
                for batch in consumer.poll(timeout_ms=500).values():
                    yield from batch
        finally:
            consumer.close()

    def outcomes(self, event: str) -> list[Outcome]:
        """The event's outcomes on the topic up to now, those that can be read."""
        for record in self._new_outcomes():
            try:
                self._outcomes.setdefault(record.key, []).append(decode_outcome(record.value))
            except MalformedRecord:
                continue
        return list(self._outcomes.get(event.encode(), ()))

    def _new_outcomes(self) -> Iterator[Any]:
        follower = self._follower
        if not follower.assignment():
            partitions = [TopicPartition(OUTCOMES, number) for number in range(PARTITIONS)]
            follower.assign(partitions)
            follower.seek_to_beginning(*partitions)
        ends = follower.end_offsets(list(follower.assignment()))
        while any(follower.position(partition) < end for partition, end in ends.items()):
            for batch in follower.poll(timeout_ms=300, max_records=5_000).values():
                yield from batch

    def dead_letters(self, consumer: str) -> list[Any]:
        return list(self.records(dead_letters(consumer)))

    # the rest

    def rows(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """The rows of a query on PostgreSQL."""
        with psycopg.connect(self.stack.environment["TURNSTILE_DATABASE_URL"]) as connection:
            cursor = connection.execute(query.encode(), parameters)
            return cursor.fetchall() if cursor.description else []

    def mails(self, title: str) -> list[Json]:
        """The mails received whose subject has the title."""
        query = urlencode({"q": title})
        answer = get(f"http://{HOST}:{self.stack.settings.mail_port}/mails.json?{query}", 10)
        return [mail for mail in answer.json() if title in mail["subject"]]

    def found(self, words: str) -> list[str]:
        """The ids that a search finds."""
        answer = self.http.get("/events/search", params={"q": words})
        return [item["id"] for item in answer.json()["items"]] if answer.is_success else []

    def title(self, event: str) -> str:
        return str(self.http.get(f"/events/{event}").json()["title"])


def purchase_id(account: str, key: str) -> UUID:
    """The purchase id that the API makes of an account and a key."""
    return uuid5(UUID(account), key)
