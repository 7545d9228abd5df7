"""Which agents' dead letters have the records that the client can't read; appending is a fake."""

import asyncio
from typing import Any

import pytest
from faust.types import TP

import streams.runtime.produce
from connect.records.fetching import BadChecksum, SkippedOffsets
from connect.topics import ACCOUNT_ROWS, COMMANDS, EVENT_ROWS, EVENT_STATUS, JOBS, OUTCOMES, RESENDS, RETRIES, requests
from settings import Role, Settings
from streams.runtime.agents import Interrupted
from streams.runtime.app import App
from streams.runtime.unreadable import UnreadableRecords
from streams.worker import make_worker
from tables.messages.dead_letters import DeadLetterInfo, Origin, decode_info
from tests.unit.streams.mailing import LINK_KEY

SKIP = SkippedOffsets(4, 6, BadChecksum("the checksum of the batch is wrong"), b"raw")


def worker(role: Role, tmp_path: Any) -> App:
    return make_worker(Settings(role=role, ticket_key="k" * 32, link_key=LINK_KEY, worker_data=tmp_path))


@pytest.mark.parametrize(
    ("role", "topic", "consumers"),
    [
        ("ledger", COMMANDS, ["ledger"]),
        ("ledger", EVENT_STATUS, ["catalogue"]),
        ("indexer", EVENT_ROWS, ["indexer"]),
        ("notifications", OUTCOMES, ["notifications"]),
        ("notifications", ACCOUNT_ROWS, ["contacts"]),
        ("notifications", JOBS, ["mailer"]),
        ("notifications", RETRIES, ["retries"]),
        ("notifications", RESENDS, ["resends"]),
        ("sales", OUTCOMES, ["sales"]),
        ("gate", requests("partner"), ["gate"]),
        ("gate", OUTCOMES, ["answers"]),
    ],
)
def test_each_input_has_somebody_whose_dead_letters_tell(
    role: Role, topic: str, consumers: list[str], tmp_path: Any
) -> None:
    app = worker(role, tmp_path)
    assert UnreadableRecords(app).consumers(topic) == consumers


def test_a_dead_letter_names_the_offsets_and_has_the_bytes(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    app = worker("ledger", tmp_path)
    stored: list[Any] = []

    async def append(app: App, topic: str, partition: int, records: Any) -> None:
        stored.extend((topic, partition, record) for record in records)

    monkeypatch.setattr(streams.runtime.produce, "append", append)
    assert asyncio.run(UnreadableRecords(app).isolate(TP(COMMANDS, 2), [SKIP]))
    [(topic, partition, record)] = stored
    assert (topic, partition, record.key, record.value) == ("dlq.ledger", 2, None, b"raw")
    said = DeadLetterInfo(Origin(COMMANDS, 2, 4, 6), "BadChecksum: the checksum of the batch is wrong")
    assert decode_info(record.headers) == (said, [])
    assert app.counters.unreadable == {COMMANDS: 3}


def test_a_rebalance_while_the_brokers_are_away_leaves_it_to_be_read_again(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = worker("ledger", tmp_path)

    async def append(*_: Any) -> None:
        raise Interrupted

    monkeypatch.setattr(streams.runtime.produce, "append", append)
    assert not asyncio.run(UnreadableRecords(app).isolate(TP(COMMANDS, 2), [SKIP]))
    assert not app.counters.unreadable
