"""Contacts: the newest row wins, and deleted data are erased from the disk."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest

from streams.mail.contacts import Contact, ContactsAgent
from streams.runtime import produce
from streams.runtime.app import App
from streams.runtime.table import OffsetTable

ACCOUNT = UUID(int=7)
KEY = str(ACCOUNT).encode()


@pytest.fixture
def agent(app: App, monkeypatch: pytest.MonkeyPatch) -> Iterator[ContactsAgent]:
    async def publish(self: OffsetTable, partition: int, *groups: dict[bytes, bytes]) -> None:
        return

    async def append(*args: Any) -> None:
        return

    monkeypatch.setattr(OffsetTable, "publish", publish)
    monkeypatch.setattr(produce, "append", append)
    agent = ContactsAgent(app)
    yield agent
    agent.table.close()


def row(lsn: int, **columns: Any) -> Any:
    value = {"id": str(ACCOUNT), "first_name": "Ada", "last_name": "Byron", "locale": "de", "__lsn": lsn} | columns
    return SimpleNamespace(topic="t", partition=1, offset=lsn, key=KEY, headers=[], value=json.dumps(value).encode())


def learn(agent: ContactsAgent, *messages: Any) -> Contact | None:
    asyncio.run(agent._handle(list(messages)))
    return agent.find(1, KEY)


def deleted(lsn: int) -> Any:
    return row(lsn, first_name="", last_name="", __deleted="true")


def test_the_rows_own_revision_counts_where_a_snapshot_has_one_position_for_all(agent: ContactsAgent) -> None:
    """A transaction wrote at 11, before the snapshot at 20, and committed after it."""
    learn(agent, row(20, email="old@x.example", revision=10))
    found = learn(agent, row(11, email="new@x.example", revision=11), row(20, email="old@x.example", revision=10))
    assert found == Contact(11, "Ada Byron", "new@x.example", "de")
    assert learn(agent, deleted(15)) == Contact(15, "", "", "")
    assert learn(agent, row(30, email="old@x.example", revision=10)) == Contact(15, "", "", "")


def test_an_account_is_deleted_though_the_positions_began_anew(agent: ContactsAgent) -> None:
    """Its row came with a restore; the deletion tells the row's last revision."""
    state = row(10, email="a@x.example", revision=1_000_000)
    gone = row(20, first_name="", last_name="", revision=1_000_000, __deleted="true")
    assert learn(agent, state, gone) == Contact(1_000_001, "", "", "")
    assert learn(agent, state) == Contact(1_000_001, "", "", "")
    again = row(30, email="b@x.example", revision=1_000_005)
    assert learn(agent, again, state, gone) == Contact(1_000_005, "Ada Byron", "b@x.example", "de")


def test_a_row_becomes_a_contact(agent: ContactsAgent) -> None:
    assert learn(agent, row(5, email="a@x.example")) == Contact(5, "Ada Byron", "a@x.example", "de")


@pytest.mark.parametrize("together", [True, False])
def test_a_row_that_comes_late_undoes_nothing(agent: ContactsAgent, together: bool) -> None:
    rows = [row(5, email="old@x.example"), row(9, email="new@x.example"), row(5, email="old@x.example")]
    found = learn(agent, *rows) if together else [learn(agent, one) for one in rows][-1]
    assert found is not None
    assert found.email == "new@x.example"


def test_a_late_row_does_not_bring_an_erased_account_back(agent: ContactsAgent) -> None:
    learn(agent, row(5, email="a@x.example"), deleted(8))
    assert learn(agent, row(5, email="a@x.example")) == Contact(8, "", "", "")


def test_poison_between_two_rows_delays_neither(agent: ContactsAgent) -> None:
    poison = row(6)
    poison.value = b"{"
    found = learn(agent, row(5, email="a@x.example"), poison, row(7, email="b@x.example"))
    assert found is not None
    assert found.email == "b@x.example"


def test_what_was_deleted_is_gone_from_the_disk(agent: ContactsAgent, tmp_path: Path) -> None:
    address = f"{uuid4().hex}@x.example"
    learn(agent, row(5, email=address))
    agent.table._database(1).flush()
    learn(agent, deleted(8))
    agent.table._database(1).flush()
    assert files_with(tmp_path, address)  # RocksDB alone keeps it

    agent.table.compact(1)

    assert not files_with(tmp_path, address)
    assert agent.find(1, KEY) == Contact(8, "", "", "")


def files_with(folder: Path, word: str) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and word.encode() in path.read_bytes()]
