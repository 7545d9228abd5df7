"""A failed connector continues after the one oversized change, and nothing else is skipped."""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connect.connectors.configuration import Connector
from connect.connectors.pgoutput import WalChange
from connect.connectors.rest_client import ConnectClient
from connect.connectors.skipping import RECORD_MAX_BYTES, find_oversized_change, open_pending_changes, skip_change
from connect.errors import NotSkipped
from tests.unit.connect.connectors.test_pgoutput import RELATION, relation, row
from tests.unit.connect.fakes import Clock, FakeConnect

STORED = {"partition": {"server": "s"}, "offset": {"lsn": 5, "lsn_proc": 5, "lsn_commit": 4, "messageType": "INSERT"}}
LARGE = WalChange(30, "UPDATE", "public.event", "large", RECORD_MAX_BYTES + 1_000 + 9)


@pytest.fixture
def server(wanted: list[Connector]) -> FakeConnect:
    made = FakeConnect()
    made.configs[wanted[0].name] = wanted[0].config
    made.traces[wanted[0].name] = "RecordTooLargeException"
    made.stored[wanted[0].name] = [STORED]
    return made


@pytest.fixture
def worker(server: FakeConnect) -> Iterator[ConnectClient]:
    made = ConnectClient("http://connect:8083", transport=server)
    yield made
    made.close()


def waiting(*changes: tuple[int, bytes, str, str]) -> Any:
    head = struct.pack(">I", RELATION) + b"N"
    messages = [(1, relation())] + [(lsn, kind + head + row(key, text)) for lsn, kind, key, text in changes]
    return lambda _: iter(messages)


SMALL = ((10, b"I", "small", "x"), (20, b"U", "small", "y"))


def test_the_first_change_that_is_larger_than_a_record_is_found(worker: ConnectClient, wanted: list[Connector]) -> None:
    slot = waiting(*SMALL, (30, b"U", "large", "x" * RECORD_MAX_BYTES), (40, b"U", "other", "x" * RECORD_MAX_BYTES))
    assert find_oversized_change(worker, wanted[0], slot) == (LARGE, 2)


def test_what_was_skipped_before_is_passed_over(
    server: FakeConnect, worker: ConnectClient, wanted: list[Connector]
) -> None:
    server.stored[wanted[0].name] = [{"partition": {"server": "s"}, "offset": {"lsn": 30}}]
    slot = waiting(
        *SMALL, (30, b"U", "large", "x" * RECORD_MAX_BYTES), SMALL[0], (40, b"U", "large", "x" * RECORD_MAX_BYTES)
    )
    assert find_oversized_change(worker, wanted[0], slot) == (LARGE._replace(lsn=40), 1)


def test_nothing_is_skipped_where_nothing_is_too_large(worker: ConnectClient, wanted: list[Connector]) -> None:
    with pytest.raises(NotSkipped, match="no pending change of connector"):
        find_oversized_change(worker, wanted[0], waiting(*SMALL))


def test_a_connector_that_has_not_failed_or_has_been_nowhere_is_left_alone(
    server: FakeConnect, worker: ConnectClient, wanted: list[Connector]
) -> None:
    server.stored.clear()
    with pytest.raises(NotSkipped, match="has stored no position yet"):
        find_oversized_change(worker, wanted[0], waiting(*SMALL))
    server.traces.clear()
    with pytest.raises(NotSkipped, match="has not failed; nothing is skipped"):
        find_oversized_change(worker, wanted[0], waiting(*SMALL))


def test_the_position_alone_is_moved_once_the_connector_has_come_to_its_end(
    server: FakeConnect, worker: ConnectClient, wanted: list[Connector], clock: Clock
) -> None:
    skip_change(worker, wanted[0], LARGE, clock.polling(5))
    offset = {"lsn": 30, "lsn_proc": 30, "lsn_commit": 4, "messageType": "UPDATE"}
    assert server.stored[wanted[0].name] == [{"partition": {"server": "s"}, "offset": offset}]
    assert server.resumed == [wanted[0].name]


def test_a_connector_that_does_not_stop_goes_on_where_it_was(
    server: FakeConnect, worker: ConnectClient, wanted: list[Connector], clock: Clock
) -> None:
    server.stopping[wanted[0].name] = 1_000
    with pytest.raises(NotSkipped, match="does not stop"):
        skip_change(worker, wanted[0], LARGE, clock.polling(5))
    assert (server.stored[wanted[0].name], server.resumed) == ([STORED], [wanted[0].name])


def test_a_password_that_cannot_be_read_here_is_told(make_settings: Any, tmp_path: Path) -> None:
    with (
        pytest.raises(NotSkipped, match="the password of turnstile_cdc"),
        open_pending_changes(make_settings(connect_secrets_dir=str(tmp_path))),
    ):
        pytest.fail("nothing can be read")
