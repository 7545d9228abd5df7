"""The agents of the role payments without servers: topics, PostgreSQL and the provider are fakes, the table is real."""

import asyncio
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

import streams.runtime.produce
from connect.partitioning import partition_of
from connect.topics import PAYMENT_EVENTS
from providers.port import PageFields, PaymentQuestion, Provider, ProviderUnavailable
from streams.payments.checks import PaymentChecks
from streams.payments.executor import ExecutorAgent
from streams.payments.outcomes import OutcomesAgent
from streams.payments.payments import PaymentsAgent
from streams.payments.provider_calls import ProviderCalls
from streams.runtime.app import App, make_app
from streams.runtime.kafka_types import Record
from streams.runtime.produce import Produced
from streams.runtime.projection import Projection, Rows
from streams.runtime.table import OffsetTable
from tables.messages.payment_events import PaymentEvent, decode_payment_event, encode_payment_event
from tables.messages.payment_requests import PaymentRequest, decode_payment_request, encode_payment_request
from tables.payments.records import PaymentRecord, decode_payment, payment_key
from tests.unit.streams.worker_settings import settings_in
from tests.unit.tables.payments.payment_world import AT_MS, EVENT, PURCHASE

KEY = str(PURCHASE).encode()
HOME = partition_of(KEY, 4)


class Stopped(Exception):
    """The process has ended here."""


class FakeProvider:
    """Answers as it was told, or not at all, or fails."""

    name = "paper"
    asks_about_webhooks = False

    def __init__(self) -> None:
        self.asked: list[PaymentRequest] = []
        self.looked: list[PaymentQuestion] = []
        self.answers: list[PaymentEvent] = []
        self.down = self.broken = False

    async def carry_out(self, request: PaymentRequest) -> list[PaymentEvent]:
        self.asked.append(request)
        return self._answer()

    async def look(self, question: PaymentQuestion) -> list[PaymentEvent]:
        self.looked.append(question)
        return self._answer()

    def page_fields(self, reference: str) -> PageFields | None:
        raise NotImplementedError

    def read_webhook(self, body: bytes, headers: Mapping[str, str], now: float) -> list[PaymentEvent]:
        raise NotImplementedError

    def _answer(self) -> list[PaymentEvent]:
        if self.down:
            raise KeyError("of a library") if self.broken else ProviderUnavailable("down")
        return self.answers


class Role:
    """The agents, and everything that they wrote. ``ends_at`` names where the process ends, once."""

    def __init__(self, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
        self.records: dict[str, list[tuple[int, Record]]] = {}
        self.rows: list[dict[str, Any]] = []
        self.writes = 0
        self.ends_at = ""
        self.now = AT_MS / 1000
        monkeypatch.setattr(streams.runtime.produce, "append", self.append)
        monkeypatch.setattr(OffsetTable, "publish", self._publish)
        monkeypatch.setattr(Projection, "write", self._write)
        self.provider = FakeProvider()
        providers: dict[str, Provider] = {"paper": self.provider}
        calls = ProviderCalls(providers)
        self.outcomes = OutcomesAgent(app)
        self.payments = PaymentsAgent(app)
        self.payments.projection._clock = lambda: self.now
        self.executor = ExecutorAgent(app, self.payments.table, calls)
        self.checks = PaymentChecks(app, self.payments.table, calls, lambda: self.now)

    async def append(self, app: App, topic: str, partition: int, records: list[Record]) -> Produced:
        self._end(topic)
        self.records.setdefault(topic, []).extend((partition, record) for record in records)
        return Produced()

    async def _publish(self, *_: Any) -> None:
        self._end("changelog")

    async def _write(self, rows: Rows) -> list[Record]:
        self._end("postgres")
        self.writes += 1
        self.rows += [row for _, row in rows]
        return []

    def _end(self, where: str) -> None:
        if where == self.ends_at:
            self.ends_at = ""
            raise Stopped

    def fold(self, *events: tuple[int, PaymentEvent | bytes], purchase: UUID = PURCHASE) -> None:
        """Handle payment events at their offsets."""
        messages = [message(offset, event, key=str(purchase).encode()) for offset, event in events]
        asyncio.run(self.payments._handle(messages))

    def last(self, seconds: float) -> None:
        """Let so much time pass, and the timer of rows that were put off work once."""
        self.now += seconds
        asyncio.run(self.payments.projection.write_lasting())

    def carry_out(self, *requests: PaymentRequest | Record) -> None:
        """Handle payment requests."""
        messages = [message(number, request) for number, request in enumerate(requests)]
        asyncio.run(self.executor._handle(messages))

    def forward(self, *outcomes: bytes) -> None:
        """Handle outcomes."""
        asyncio.run(self.outcomes._handle([message(number, value) for number, value in enumerate(outcomes)]))

    def check(self) -> None:
        """Let the timer work once."""
        asyncio.run(self.checks.check(HOME))

    def record(self) -> PaymentRecord:
        value = self.payments.table.read(HOME, payment_key(EVENT, PURCHASE))
        assert value is not None
        return decode_payment(value)

    def requests(self) -> list[PaymentRequest]:
        return [decode_payment_request(record.value) for _, record in self.records.get("payment-requests", [])]

    def events(self) -> list[PaymentEvent]:
        return [decode_payment_event(record.value) for _, record in self.records.get(PAYMENT_EVENTS, [])]


def message(offset: int, value: Any, key: bytes = KEY, partition: int = HOME) -> Any:
    content = value
    if isinstance(value, PaymentEvent):
        content = encode_payment_event(value)
    elif isinstance(value, Record):
        content = value.value
    elif not isinstance(value, bytes):
        content = encode_payment_request(value)
    fields = {"topic": PAYMENT_EVENTS, "partition": partition, "timestamp": AT_MS / 1000 + offset, "headers": []}
    return SimpleNamespace(**fields, offset=offset, key=key, value=content)


@pytest.fixture
def role(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Role]:
    app = make_app(settings_in(tmp_path, role="payments"))
    app.conf.tabledir.mkdir(parents=True, exist_ok=True)
    made = Role(app, monkeypatch)
    yield made
    made.payments.table.close()
