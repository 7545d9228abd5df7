"""Which offsets an operator may skip; a real broker is in tests/chaos/test_lost_logs.py."""

import asyncio
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from aiokafka import TopicPartition
from pydantic import SecretStr

from ops import skipping
from ops.skipping import CHUNK_RECORDS, FILL_MAX_RECORDS, append_all, refusal
from settings import Settings
from tables.ledger.continuity import LogBounds


@pytest.mark.parametrize(
    ("log", "committed", "first", "last"),
    [
        # Deleted before they were read, with the group's offset and without it.
        (LogBounds(5000, 6000), 1000, 1000, 4999),
        (LogBounds(5000, 6000), None, 901, 4999),
        # The log has lost its end; the second time it is filled up already.
        (LogBounds(0, 950), 1000, 950, 999),
        (LogBounds(0, 1000), 1000, 950, 999),
        (LogBounds(0, 0), None, 0, 999),
        # It was decided, but not committed.
        (LogBounds(0, 1100), 1000, 1100, 1200),
        # Records are missing in its middle.
        (LogBounds(0, 2000), 1000, 1000, 1003),
    ],
)
def test_what_the_log_lacks_can_be_skipped(log: LogBounds, committed: int | None, first: int, last: int) -> None:
    assert refusal(log, committed, first, last, None) is None


@pytest.mark.parametrize(
    ("log", "committed", "first", "last", "there", "why"),
    [
        (LogBounds(0, 2000), 1000, 1000, 1003, 1002, "offset 1002 is still in the log"),
        (LogBounds(5000, 6000), 1000, 1000, 2000, None, "skip up to 4999"),
        (LogBounds(5000, 6000), 1000, 2000, 4999, None, "skip from 1000 on"),
        (LogBounds(0, 950), 1000, 950, 960, None, "the ledger has read up to offset 999"),
        (LogBounds(0, 950), 1000, 999, 950, None, "are not offsets"),
        (LogBounds(0, 950), None, -1, 950, None, "are not offsets"),
        (LogBounds(0, 950), 1000, 950, 950 + FILL_MAX_RECORDS, None, "a new ledger is needed"),
    ],
)
def test_what_would_skip_a_command_or_lead_nowhere_is_refused(
    log: LogBounds, committed: int | None, first: int, last: int, there: int | None, why: str
) -> None:
    assert why in str(refusal(log, committed, first, last, there))


@pytest.mark.parametrize(
    ("verb", "log", "first", "done"),
    [
        (skipping.skip, LogBounds(0, 1100), 1100, [("accepted", 1201), ("filled", 101), ("appended", 1000, 1200)]),
        (skipping.resend, LogBounds(0, 2000), 1100, [("accepted", 1201), ("appended", 1000, 1200)]),
        (skipping.resend, LogBounds(1050, 2000), 1100, [("accepted", 1201), ("appended", 1050, 1200)]),
    ],
)
def test_what_a_ledger_that_crashed_had_decided_and_not_committed_is_appended_again(
    monkeypatch: pytest.MonkeyPatch, verb: Callable[..., int], log: LogBounds, first: int, done: list[Any]
) -> None:
    found: list[Any] = []

    async def nothing(*_: Any) -> None: ...

    async def filled(_: Any, __: Any, count: int) -> None:
        found.append(("filled", count))

    async def appended(_: Any, __: Any, first: int, last: int) -> int:
        found.append(("appended", first, last))
        return last + 1 - first

    monkeypatch.setattr(skipping, "make_client", lambda _: StringIO())
    monkeypatch.setattr(skipping, "_state", lambda *_: (log, 1000))
    monkeypatch.setattr(skipping, "_first_of", nothing)
    monkeypatch.setattr(skipping, "_accept", lambda *given: found.append(("accepted", given[2])))
    monkeypatch.setattr(skipping, "_fill", filled)
    monkeypatch.setattr(skipping, "_append_again", appended)
    monkeypatch.setattr("ops.actions.record", lambda *_, **__: None)
    settings = Settings(ticket_key=SecretStr("k" * 32))
    assert verb(settings, TopicPartition("t", 2), first, 1200, "the disk was lost") == done[-1][2] + 1 - done[-1][1]
    assert found == done


class FakeProducer:
    """A producer whose records are stored a turn of the loop later."""

    def __init__(self, **_: Any) -> None:
        self.values: list[bytes] = []
        self.under_way = self.most_under_way = 0
        self.is_stopped = False

    async def start(self) -> None: ...

    async def stop(self) -> None:
        assert not self.under_way
        self.is_stopped = True

    async def send(self, topic: str, value: bytes, key: bytes, partition: int, headers: list[Any]) -> Any:
        assert (topic, key, partition, headers) == ("t", b"k" + value, 2, [])
        self.values.append(value)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        return asyncio.create_task(self._store())

    async def _store(self) -> None:
        await asyncio.sleep(0)
        self.under_way -= 1


def test_all_is_appended_in_its_order_and_stored_at_the_end_a_limited_number_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    producer = FakeProducer()
    monkeypatch.setattr(skipping, "AIOKafkaProducer", lambda **_: producer)
    values = [b"%d" % number for number in range(2 * CHUNK_RECORDS + 1)]
    rows = [(b"k" + value, value) for value in values]
    asyncio.run(append_all(Settings(ticket_key=SecretStr("k" * 32)), TopicPartition("t", 2), rows))
    assert producer.values == values
    assert producer.most_under_way == CHUNK_RECORDS
    assert producer.is_stopped
