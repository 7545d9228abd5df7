"""A lost replication slot is found, named and started over; the others are not touched."""

from collections.abc import Iterator

import pytest
from psycopg import OperationalError

from connect.connectors.configuration import Connector
from connect.connectors.probe import Slot
from connect.connectors.rest_client import ConnectClient
from connect.connectors.resync import start_over
from connect.connectors.slots import check_slots, lost_slots, unread_slots
from connect.errors import ServerMissing, SlotLost
from connect.polling import Polling
from tests.unit.connect.fakes import Clock, FakeConnect, FakeWay

NAME = "turnstile-event"


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


@pytest.fixture
def lost(way: FakeWay, server: FakeConnect) -> FakeWay:
    """The slot of one connector is gone; a new one is made as soon as the connector starts over."""
    slot = way.known.pop("turnstile_event")
    server.on_resume = lambda: way.known.update(turnstile_event=slot)
    return way


def does_not_finish(way: FakeWay, server: FakeConnect) -> None:
    """The new slot waits for a transaction that is open."""
    unfinished = Slot(active=True, lost=False, begun=False)
    server.on_resume = lambda: way.known.update(turnstile_event=unfinished)


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
    lost: FakeWay, server: FakeConnect, worker: ConnectClient, wanted: list[Connector], clock: Clock
) -> None:
    start_over(worker, lost, wanted[1], clock.polling(5))
    assert server.offsets == {wanted[0].name, wanted[2].name}
    assert server.resumed == [wanted[1].name]


def test_a_connector_starts_over_at_the_server_that_the_settings_name_now(
    lost: FakeWay, server: FakeConnect, worker: ConnectClient, wanted: list[Connector], clock: Clock
) -> None:
    server.configs[wanted[1].name] = wanted[1].config | {"database.hostname": "the server that is gone"}
    start_over(worker, lost, wanted[1], clock.polling(5))
    assert worker.config(wanted[1].name) == wanted[1].config
    assert server.resumed == [wanted[1].name]


def test_a_connector_that_does_not_stop_is_named(
    lost: FakeWay, server: FakeConnect, worker: ConnectClient, wanted: list[Connector], clock: Clock
) -> None:
    server.stopping = {wanted[1].name: 1_000}
    with pytest.raises(ServerMissing, match="turnstile-event"):
        start_over(worker, lost, wanted[1], clock.polling(5))
    assert server.resumed == []


def test_a_kafka_connect_that_distributes_its_connectors_anew_is_asked_again(
    lost: FakeWay, server: FakeConnect, worker: ConnectClient, wanted: list[Connector], clock: Clock
) -> None:
    server.busy = 3
    start_over(worker, lost, wanted[1], clock.polling(5))
    assert server.offsets == {wanted[0].name, wanted[2].name}
    assert server.resumed == [wanted[1].name]


def test_a_slot_that_waits_for_open_transactions_is_waited_for(
    lost: FakeWay, server: FakeConnect, worker: ConnectClient, wanted: list[Connector], clock: Clock
) -> None:
    does_not_finish(lost, server)
    waited = []

    def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        if server.resumed:
            waited.append(seconds)
            lost.known["turnstile_event"] = Slot(active=True, lost=False)

    start_over(worker, lost, wanted[1], Polling(5, clock=clock, sleep=sleep))
    assert len(waited) == 1


def test_a_slot_that_is_not_made_in_time_is_named(
    lost: FakeWay, server: FakeConnect, worker: ConnectClient, wanted: list[Connector], clock: Clock
) -> None:
    server.on_resume = lambda: None
    with pytest.raises(ServerMissing, match="connector turnstile-event does not make its slot within 5 s"):
        start_over(worker, lost, wanted[1], clock.polling(5))


@pytest.mark.parametrize("end", [OperationalError, KeyboardInterrupt])
def test_a_connector_whose_resync_ends_midway_is_stopped_and_found_by_the_next(
    lost: FakeWay,
    server: FakeConnect,
    worker: ConnectClient,
    wanted: list[Connector],
    clock: Clock,
    end: type[BaseException],
) -> None:
    server.configs = {each.name: each.config for each in wanted}
    does_not_finish(lost, server)

    def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        if server.resumed and NAME not in server.stopping:
            server.offsets.add(NAME)
            raise end

    with pytest.raises(end):
        start_over(worker, lost, wanted[1], Polling(5, clock=clock, sleep=sleep))
    assert NAME not in server.offsets
    del lost.known["turnstile_event"]
    assert lost_slots(lost, worker, wanted) == {NAME: "a resync did not finish"}


def test_a_slot_that_a_resync_left_behind_has_to_be_dropped(
    lost: FakeWay, server: FakeConnect, worker: ConnectClient, wanted: list[Connector], clock: Clock
) -> None:
    server.configs = {each.name: each.config for each in wanted}
    lost.known["turnstile_event"] = Slot(active=False, lost=False)
    worker.stop(NAME)
    assert lost_slots(lost, worker, wanted) == {}
    server.offsets.remove(NAME)
    assert lost_slots(lost, worker, wanted) == {NAME: "a resync did not finish; drop replication slot turnstile_event"}
    with pytest.raises(SlotLost, match=r"pg_drop_replication_slot\('turnstile_event'\)"):
        start_over(worker, lost, wanted[1], clock.polling(5))
    assert server.resumed == []


def test_a_slot_whose_making_is_given_up_is_waited_for(
    lost: FakeWay, server: FakeConnect, worker: ConnectClient, wanted: list[Connector], clock: Clock
) -> None:
    lost.known["turnstile_event"] = Slot(active=True, lost=False, begun=False)

    def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        if clock.now > 2:
            lost.known.pop("turnstile_event", None)

    start_over(worker, lost, wanted[1], Polling(5, clock=clock, sleep=sleep))
    assert server.resumed == [NAME]


def test_a_connector_that_was_stopped_to_start_over_and_then_left_is_found(
    lost: FakeWay, server: FakeConnect, worker: ConnectClient, wanted: list[Connector], clock: Clock
) -> None:
    """The command was killed after the offsets were deleted: the connector does not go on by itself."""
    server.configs = {each.name: each.config for each in wanted}
    lost.known.clear()
    server.offsets.clear()
    assert lost_slots(lost, worker, wanted) == {}
    worker.stop(NAME)
    assert list(lost_slots(lost, worker, wanted)) == [NAME]
