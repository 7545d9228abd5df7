"""A recovery that finds an event's record older than its purchases; the table is real, Kafka is not."""

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP

from connect.topics import COMMANDS, changelog
from settings import Settings
from streams.app import App, make_app
from streams.mending import Mending
from streams.table import OffsetTable
from tables.deadlines import index
from tables.records import account_key, event_key, record_offset
from tests.unit.tables.office import ADA, EVENT, Desk, ticket_type

PARTITION = 1


@pytest.fixture
def app(tmp_path: Path) -> App:
    app = make_app(Settings(ticket_key="k" * 32, worker_data=tmp_path))
    app.conf.tabledir.mkdir(parents=True, exist_ok=True)
    return app


@pytest.fixture
def table(app: App, monkeypatch: pytest.MonkeyPatch) -> Iterator[OffsetTable]:
    table = OffsetTable.add(app, "ledger", 4, record_offset, index)
    yield table
    database: Any = table.data
    database._dbs.clear()


def changes(*records: tuple[bytes, bytes]) -> list[Any]:
    topic = changelog("ledger")
    return [
        SimpleNamespace(message=SimpleNamespace(topic=topic, partition=PARTITION, offset=number, key=key, value=value))
        for number, (key, value) in enumerate(records)
    ]


def recovered(app: App, table: OffsetTable, records: list[tuple[bytes, bytes]], committed: int) -> dict[bytes, bytes]:
    """What is mended, and published, when a changelog was read and ``committed`` is the next input."""
    published: dict[bytes, bytes] = {}

    async def publish(partition: int, *groups: dict[bytes, bytes]) -> None:
        assert partition == PARTITION
        for group in groups:
            published.update(group)

    consumer: Any = SimpleNamespace(_committed_offset={TP(COMMANDS, PARTITION): committed})
    app.consumer = consumer
    table.publish = publish  # type: ignore[method-assign]
    mending = Mending(app, table)
    assert app.before_agents == [mending.mend]
    table.apply_changelog_batch(changes(*records))
    asyncio.run(mending.mend())
    return published


def sold_with_old_records() -> tuple[Desk, list[tuple[bytes, bytes]]]:
    """Three sales, and a changelog that has the event and the account as they were after the first."""
    desk = Desk(batch=1)
    desk.define(ticket_type())
    desk.buy(1)
    old = {key: desk.table[key] for key in (event_key(EVENT), account_key(EVENT, ADA))}
    desk.buy(2)
    desk.buy(3)
    return desk, list((desk.table | old).items())


def test_records_that_lack_committed_decisions_are_made_anew_stored_published_and_logged(
    app: App, table: OffsetTable, caplog: pytest.LogCaptureFixture
) -> None:
    desk, records = sold_with_old_records()
    with caplog.at_level(logging.WARNING):
        published = recovered(app, table, records, committed=4)

    assert published == {key: desk.table[key] for key in (event_key(EVENT), account_key(EVENT, ADA))}
    assert {key: table.read(PARTITION, key) for key in desk.table} == desk.table
    assert f"2 records of event {EVENT} lacked" in caplog.text


@pytest.mark.parametrize("committed", [0, 2])
def test_what_the_replay_will_bring_is_left_to_it(app: App, table: OffsetTable, committed: int) -> None:
    _, records = sold_with_old_records()
    assert recovered(app, table, records, committed) == {}
