"""The gate's agents without servers: topics, PostgreSQL and the accounts' topic are fakes; the table is a real one."""

import asyncio
import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import msgspec
import pytest

import streams.gate.replies
import streams.gate.requests
import streams.runtime.produce
from connect.partitioning import partition_of
from connect.topics import COMMANDS, OUTCOMES, answers, requests
from streams.gate.accounts import KnownAccounts
from streams.gate.answers import AnswersAgent
from streams.gate.events import KnownEvents
from streams.gate.journal import Journal
from streams.gate.requests import RequestsAgent
from streams.inventory.ledger import _outcome_headers
from streams.runtime.app import App, make_app
from streams.runtime.kafka_types import Record
from streams.runtime.produce import Produced
from streams.runtime.table import OffsetTable
from streams.runtime.unreadable import UnreadableRecords
from tables.messages.answers import Answer, decode_answer
from tables.messages.commands import DefineEvent, decode_command
from tables.messages.outcomes import Outcome, encode_outcome
from tables.messages.sections import DefineSection
from tests.unit.streams.worker_settings import settings_in
from tests.unit.tables.ledger_driver import ADA, EVENT, FLOOR, NOW, LedgerDriver, definition, purchase_id, ticket_type

PARTNER, KIOSK = requests("partner"), requests("kiosk")
KEY = str(EVENT).encode()
HOME = partition_of(KEY, 4)
RATE = 10
NOBODY = UUID(int=0xBAD)
ID = purchase_id(1)
DRAFT = UUID(int=0xD)


class Stopped(Exception):
    """The process has ended here."""


class World:
    """The topics, and what is in PostgreSQL. ``ends_at`` names the topic at which the process ends, once."""

    def __init__(self) -> None:
        self.records: dict[str, list[tuple[int, Record]]] = {}
        self.appended: list[int] = []
        self.ends_at = ""
        self.reads = 0
        self.version = 1
        self.waited: list[float] = []
        self.pieces: dict[UUID, list[DefineSection]] = {}
        self.events = {EVENT: definition(ticket_type()), DRAFT: definition(ticket_type(), status="DRAFT")}

    async def append(self, app: App, topic: str, partition: int, records: list[Record]) -> Produced:
        if topic == self.ends_at and records:
            self.ends_at = ""
            raise Stopped
        self.appended.append(len(records))
        self.records.setdefault(topic, []).extend((partition, record) for record in records)
        return Produced()

    async def sleep(self, app: App, seconds: float) -> None:
        self.waited.append(seconds)

    async def read(self, events: set[UUID]) -> list[str]:
        self.reads += 1
        pieces = [piece for event in events for piece in self.pieces.get(event, ())]
        found = [DefineEvent(event, self.version, self.events[event]) for event in events if event in self.events]
        return [msgspec.json.encode(each).decode() for each in (*pieces, *found)]

    def commands(self) -> list[Any]:
        """The commands on the log, without definitions."""
        found = [decode_command(record.value) for _, record in self.records.get(COMMANDS, [])]
        return [command for command in found if not isinstance(command, DefineEvent)]

    def answers(self, producer: str = "partner") -> list[Answer]:
        return [decode_answer(record.value) for _, record in self.records.get(answers(producer), [])]

    def statuses(self, producer: str = "partner") -> list[str]:
        return [answer.status.value for answer in self.answers(producer)]


class Gate:
    """The agents of one worker."""

    def __init__(self, app: App, world: World) -> None:
        self.journal = Journal(app)
        self.accounts = KnownAccounts(app)
        self.accounts.apply([json.dumps({"id": str(ADA), "__lsn": 1}).encode()])
        self.events = KnownEvents(app)
        self.events._read = world.read  # type: ignore[method-assign]
        self.requests = {
            name: RequestsAgent(app, name, self.journal, self.accounts, self.events) for name in ("partner", "kiosk")
        }
        self.answers = AnswersAgent(app, self.journal)
        self.unreadable = UnreadableRecords(app)

    def handle(self, *messages: Any, producer: str = "partner") -> None:
        asyncio.run(self.requests[producer]._handle(list(messages)))

    def decide(self, *messages: Any) -> None:
        asyncio.run(self.answers._handle(list(messages)))


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    world = World()
    for module in (streams.gate.replies, streams.runtime.produce):
        monkeypatch.setattr(module, "append", world.append)

    monkeypatch.setattr(streams.gate.requests, "interruptible_sleep", world.sleep)

    async def publish(self: OffsetTable, partition: int, *groups: dict[bytes, bytes]) -> None:
        if world.ends_at == "changelog":
            world.ends_at = ""
            raise Stopped

    monkeypatch.setattr(OffsetTable, "publish", publish)
    return world


@pytest.fixture
def gate(tmp_path: Any, world: World) -> Iterator[Gate]:
    now = settings_in(
        tmp_path,
        producers=f"partner={RATE},kiosk={RATE}",
        role="gate",
        producers_with_payments="kiosk",
    )
    app = make_app(now)
    app.conf.tabledir.mkdir(parents=True, exist_ok=True)
    gate = Gate(app, world)
    yield gate
    gate.journal.table.close()


def body(kind: str = "purchase", **changes: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {"kind": kind, "event": str(EVENT), "purchase": str(ID), "account": str(ADA)}
    lines = {"lines": [{"ticketType": str(FLOOR), "quantity": 1}]} if kind in ("purchase", "hold") else {}
    return fields | lines | changes


def message(offset: int, value: Any = None, *, key: bytes | None = KEY, **more: Any) -> Any:
    content = value if isinstance(value, bytes) else json.dumps(value or body()).encode()
    fields = {
        "topic": PARTNER,
        "partition": HOME,
        "timestamp": NOW / 1000,
        "headers": [("correlation-id", b"c%d" % offset)],
    }
    return SimpleNamespace(**(fields | {"offset": offset, "key": key, "value": content} | more))


def outcome_of(record: Record, outcome: Outcome, offset: int = 0) -> Any:
    """The ledger's outcome of a command that the gate has written, with the headers that the ledger gives it."""
    command: Any = SimpleNamespace(headers=list(record.headers))
    value = encode_outcome(outcome)
    return SimpleNamespace(
        topic=OUTCOMES, partition=HOME, offset=offset, key=KEY, value=value, headers=list(_outcome_headers(command))
    )


def decision(number: int = 1) -> Outcome:
    ledger = LedgerDriver(1)
    ledger.define(ticket_type())
    return ledger.buy(number)
