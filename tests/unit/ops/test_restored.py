"""After a restore nothing is touched while PostgreSQL's log would go over places that are known; payments have rows."""

import json
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import psycopg
import pytest
from kafka import TopicPartition

from connect.topics import ACCOUNT_ROWS, EVENT_ROWS
from ops import restored
from ops.restored import NotReady, check_positions
from tables.payments.records import PaymentRecord, encode_payment, payment_key
from tables.payments.transitions import PaymentState


@pytest.mark.parametrize(
    ("value", "position"),
    [
        (b'{"__lsn": 7, "id": "x"}', 7),
        (b'{"__lsn": 7, "revision": 6}', 7),
        (b'{"__lsn": 7, "revision": 9}', 9),
        (None, 0),
        (b"", 0),
        (b"{", 0),
        (b"{}", 0),
        (b'{"__lsn": "\xff"}', 0),
        (b'{"x":' + b"[" * 100_000, 0),
    ],
)
def test_a_record_that_nobody_can_read_tells_of_no_place(value: bytes | None, position: int) -> None:
    assert restored.position_of(value) == position


class FakeConsumer:
    """Topics of one partition, each of one record."""

    def __init__(self, values: dict[str, bytes]) -> None:
        self.values = values
        self.read: list[TopicPartition] = []

    def partitions_for_topic(self, topic: str) -> set[int] | None:
        return {0} if topic in self.values else None

    def end_offsets(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(places, 1)

    def assign(self, places: list[TopicPartition]) -> None:
        self.places = places

    def seek(self, place: TopicPartition, offset: int) -> None:
        assert (place in self.places, offset) == (True, 0)

    def position(self, place: TopicPartition) -> int:
        return int(place in self.read)

    def poll(self, **_: object) -> dict[TopicPartition, list[Any]]:
        self.read = self.places
        return {place: [SimpleNamespace(value=self.values[place.topic])] for place in self.places}

    def close(self) -> None:
        pass


@pytest.mark.parametrize(
    ("events", "accounts", "newest"),
    [
        (b'{"__lsn": 7}', b'{"__lsn": 6}', 7),
        (b'{"__lsn": 7}', b'{"__lsn": 8}', 8),
        (b'{"__lsn": 7, "revision": 70}', b'{"__lsn": 8, "revision": 60}', 70),
        (b'{"__lsn": 7, "revision": 6}', b'{"__lsn": 8, "revision": 90}', 90),
    ],
)
def test_places_are_known_of_events_and_of_accounts(
    monkeypatch: pytest.MonkeyPatch, events: bytes, accounts: bytes, newest: int
) -> None:
    consumer = FakeConsumer({EVENT_ROWS: events, ACCOUNT_ROWS: accounts})
    monkeypatch.setattr(restored, "make_consumer", lambda _: consumer)
    assert restored.newest_position({}) == newest


def database_at(position: int) -> Any:
    return SimpleNamespace(execute=lambda _: SimpleNamespace(fetchone=lambda: (position,)))


@pytest.mark.parametrize(
    ("position", "newest", "good"), [(100, 99, True), (100, 0, True), (100, 100, False), (7, 99, False)]
)
def test_places_that_are_known_are_not_gone_over_again(
    monkeypatch: pytest.MonkeyPatch, position: int, newest: int, good: bool
) -> None:
    monkeypatch.setattr(restored, "newest_position", lambda _: newest)
    if good:
        check_positions(database_at(position), {})
    else:
        with pytest.raises(NotReady, match="pg_resetwal -l 0000000100"):
            check_positions(database_at(position), {})


def test_each_payment_has_its_row_again_but_one_that_postgresql_rejects(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The newest record of a key counts; a deleted one has no row."""

    def change(number: int, offset: int) -> Any:
        record = PaymentRecord(offset, PaymentState.CAPTURED, UUID(int=1), UUID(int=2), "EUR", Decimal(7), 3, 4)
        return SimpleNamespace(key=payment_key(UUID(int=1), UUID(int=number)), value=encode_payment(record))

    written: list[list[tuple[str, int]]] = []

    def execute(_: str, values: list[str]) -> Any:
        rows = [(row["purchase_id"], row["record_offset"]) for row in json.loads(values[0])]
        if any(offset == 8 for _, offset in rows):
            raise psycopg.errors.CheckViolation
        written.append(rows)
        return SimpleNamespace(rowcount=len(rows))

    log = [change(5, 1), change(5, 2), SimpleNamespace(key=b"x", value=None), change(6, 8), change(7, 3)]
    monkeypatch.setattr(restored, "read_topic", lambda _, topic: iter(log if "payments" in topic else []))
    assert restored.restore_payments(SimpleNamespace(execute=execute), {}) == 2  # type: ignore[arg-type]
    assert written == [[(str(UUID(int=5)), 2)], [(str(UUID(int=7)), 3)]]
    assert f"the payment of {UUID(int=6)} has no row: CheckViolation" in caplog.text
