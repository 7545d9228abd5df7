"""A lost replication slot is found, named and started over; the others are not touched."""

from collections.abc import Iterator

import pytest

from connect.connectors.configuration import Connector
from connect.connectors.probe import Slot
from connect.connectors.rest_client import ConnectClient
from connect.connectors.resync import start_over
from connect.connectors.slots import check_slots, lost_slots, unread_slots
from connect.errors import ServerMissing, SlotLost
from connect.polling import Polling
from tests.unit.connect.fakes import Clock, FakeConnect, FakeWay


@pytest.fixture
def server(wanted: list[Connector]) -> FakeConnect:
    server = FakeConnect()
    server.offsets = {connector.name for connector in wanted}
    return server


@pytest.fixture
def worker(server: FakeConnect) -> Iterator[ConnectClient]:
    made = ConnectClient("http://connect:8083", transport=server)
    yield made
    made.close()


@pytest.fixture
def way(wanted: list[Connector]) -> FakeWay:
    return FakeWay(wanted)


def test_where_every_slot_is_there_nothing_is_lost(
    way: FakeWay, worker: ConnectClient, wanted: list[Connector]
) -> None:
    check_slots(way, worker, wanted)
    assert unread_slots(way, wanted) == []


def test_a_slot_that_is_gone_is_named_with_its_connector_and_what_helps(
    way: FakeWay, worker: ConnectClient, wanted: list[Connector]
) -> None:
    del way.known["turnstile_event"]
    with pytest.raises(SlotLost, match=r"turnstile-event: replication slot turnstile_event is gone.*connectors resync"):
        check_slots(way, worker, wanted)


def test_a_slot_whose_log_postgresql_has_removed_is_lost_too(
    way: FakeWay, worker: ConnectClient, wanted: list[Connector]
) -> None:
    way.known["turnstile_event"] = Slot(active=False, lost=True)
    assert lost_slots(way, worker, wanted) == {
        "turnstile-event": "replication slot turnstile_event has lost its log; drop it"
    }


def test_a_connector_that_has_never_read_has_lost_nothing(
    way: FakeWay, server: FakeConnect, worker: ConnectClient, wanted: list[Connector]
) -> None:
    way.known.clear()
    server.offsets.clear()
    check_slots(way, worker, wanted)
    assert unread_slots(way, wanted) == [connector.slot for connector in wanted]


def test_a_connector_starts_over_once_it_has_come_to_an_end(
    way: FakeWay, server: FakeConnect, worker: ConnectClient, wanted: list[Connector], clock: Clock
) -> None:
    start_over(worker, way, wanted[1], clock.polling(5))
    assert server.offsets == {wanted[0].name, wanted[2].name}
    assert server.resumed == [wanted[1].name]


def test_a_connector_starts_over_at_the_server_that_the_settings_name_now(
    way: FakeWay, server: FakeConnect, worker: ConnectClient, wanted: list[Connector], clock: Clock
) -> None:
    server.configs[wanted[1].name] = wanted[1].config | {"database.hostname": "the server that is gone"}
    start_over(worker, way, wanted[1], clock.polling(5))
    assert worker.config(wanted[1].name) == wanted[1].config
    assert server.resumed == [wanted[1].name]


def test_a_connector_that_does_not_stop_is_named(
    way: FakeWay, server: FakeConnect, worker: ConnectClient, wanted: list[Connector], clock: Clock
) -> None:
    server.stopping = {wanted[1].name: 1_000}
    with pytest.raises(ServerMissing, match="turnstile-event"):
        start_over(worker, way, wanted[1], clock.polling(5))
    assert server.resumed == []


def test_a_kafka_connect_that_distributes_its_connectors_anew_is_asked_again(
    way: FakeWay, server: FakeConnect, worker: ConnectClient, wanted: list[Connector], clock: Clock
) -> None:
    server.busy = 3
    start_over(worker, way, wanted[1], clock.polling(5))
    assert server.offsets == {wanted[0].name, wanted[2].name}
    assert server.resumed == [wanted[1].name]


def test_nobody_writes_to_the_table_until_the_slot_is_made(
    way: FakeWay, server: FakeConnect, worker: ConnectClient, wanted: list[Connector], clock: Clock
) -> None:
    way.known["turnstile_event"] = Slot(active=True, lost=False, begun=False)
    seen = []

    def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        if server.resumed:
            seen.append(way.closed)
            way.known["turnstile_event"] = Slot(active=True, lost=False)

    start_over(worker, way, wanted[1], Polling(5, clock=clock, sleep=sleep))
    assert seen == [["public.event"]]
    assert way.closed == []


def test_a_slot_that_is_not_made_in_time_is_named_and_the_table_is_open_again(
    way: FakeWay, worker: ConnectClient, wanted: list[Connector], clock: Clock
) -> None:
    del way.known["turnstile_event"]
    with pytest.raises(ServerMissing, match="connector turnstile-event does not make its slot within 5 s"):
        start_over(worker, way, wanted[1], clock.polling(5))
    assert way.closed == []


def test_a_connector_that_was_stopped_to_start_over_and_then_left_is_found(
    way: FakeWay, server: FakeConnect, worker: ConnectClient, wanted: list[Connector], clock: Clock
) -> None:
    """Whoever ran the command was killed after the offsets were deleted: the connector does not go on by itself."""
    name = wanted[1].name
    server.configs = {each.name: each.config for each in wanted}
    way.known.clear()
    server.offsets.clear()
    assert lost_slots(way, worker, wanted) == {}
    worker.stop(name)
    assert list(lost_slots(way, worker, wanted)) == [name]
