from collections.abc import Iterator
from dataclasses import replace

import pytest

from connect.connectors.configuration import Connector
from connect.connectors.registration import check, register, revive, wait_for_connect
from connect.connectors.rest_client import ConnectClient, first_line
from connect.errors import ConnectorFailed, ConnectorRefused, ServerMissing
from tests.unit.connect.fakes import Clock, FakeConnect

TRACE = """org.apache.kafka.connect.errors.ConnectException: An exception occurred in the change event producer
\tat io.debezium.pipeline.ErrorHandler.setProducerThrowable(ErrorHandler.java:67)
Caused by: io.debezium.DebeziumException: could not start
\tat io.debezium.Somewhere
Caused by: org.postgresql.util.PSQLException: ERROR: permission denied for table event
\t... 12 more
"""


@pytest.fixture
def server() -> FakeConnect:
    return FakeConnect()


@pytest.fixture
def worker(server: FakeConnect) -> Iterator[ConnectClient]:
    made = ConnectClient("http://user:hidden@connect:8083", transport=server)
    yield made
    made.close()


@pytest.fixture
def connector(wanted: list[Connector]) -> Connector:
    return wanted[0]


def test_the_same_configuration_is_put_once(
    worker: ConnectClient, server: FakeConnect, connector: Connector, clock: Clock
) -> None:
    assert register(worker, connector, clock.polling(5)) == "made"
    assert register(worker, connector, clock.polling(5)) == "unchanged"
    assert server.puts == [connector.name]


def test_another_configuration_is_put_again(
    worker: ConnectClient, server: FakeConnect, connector: Connector, clock: Clock
) -> None:
    register(worker, connector, clock.polling(5))
    changed = replace(connector, config=connector.config | {"poll.interval.ms": "200"})
    assert register(worker, changed, clock.polling(5)) == "changed"
    assert server.configs[connector.name]["poll.interval.ms"] == "200"


def test_a_rebalance_is_waited_for(
    worker: ConnectClient, server: FakeConnect, connector: Connector, clock: Clock
) -> None:
    server.busy = 3
    assert register(worker, connector, clock.polling(5)) == "made"


def test_a_rebalance_without_end_names_connector_and_reason(
    worker: ConnectClient, server: FakeConnect, connector: Connector, clock: Clock
) -> None:
    server.busy = 1_000
    with pytest.raises(ServerMissing, match=f"{connector.name}: http://connect:8083: 409: a rebalance is in process"):
        register(worker, connector, clock.polling(5))


def test_a_refused_configuration_is_told_at_once_in_one_line(
    worker: ConnectClient, server: FakeConnect, connector: Connector, clock: Clock
) -> None:
    server.refusal = "Connector configuration is invalid:\n  database.user: no such role\n"
    with pytest.raises(ConnectorRefused) as error:
        register(worker, connector, clock.polling(5))
    reason = "Connector configuration is invalid: database.user: no such role"
    assert str(error.value) == f"connector {connector.name}: config is refused: {reason}"
    assert clock.now == 0


def test_a_server_that_is_down_is_named_with_its_setting(
    worker: ConnectClient, server: FakeConnect, clock: Clock
) -> None:
    server.down = True
    with pytest.raises(ServerMissing, match=r"\(TURNSTILE_CONNECT_URL\): http://connect:8083: connection refused"):
        wait_for_connect(worker, clock.polling(5))
    assert clock.now >= 5


def test_a_server_whose_web_server_is_up_before_itself_is_waited_for(
    worker: ConnectClient, server: FakeConnect, clock: Clock
) -> None:
    server.starting = 3
    wait_for_connect(worker, clock.polling(5))
    assert server.starting == 0


def test_a_server_that_is_something_else_is_told_so(worker: ConnectClient, server: FakeConnect, clock: Clock) -> None:
    server.starting = 1_000
    with pytest.raises(ServerMissing, match="404 from a server that is not Kafka Connect, or not yet"):
        wait_for_connect(worker, clock.polling(5))


def test_a_server_that_is_up_is_not_waited_for(worker: ConnectClient, clock: Clock) -> None:
    wait_for_connect(worker, clock.polling(5))
    assert clock.now == 0


def test_a_connector_that_failed_before_is_started_again(
    worker: ConnectClient, server: FakeConnect, connector: Connector, clock: Clock
) -> None:
    register(worker, connector, clock.polling(5))
    server.traces[connector.name] = TRACE
    assert revive(worker, connector, clock.polling(5))
    check(worker, connector)
    assert server.restarts == [connector.name]


def test_a_healthy_connector_is_left_alone(
    worker: ConnectClient, server: FakeConnect, connector: Connector, clock: Clock
) -> None:
    register(worker, connector, clock.polling(5))
    assert not revive(worker, connector, clock.polling(5))
    assert server.restarts == []


def test_a_connector_that_fails_again_is_named_with_the_head_and_the_cause_of_its_trace(
    worker: ConnectClient, server: FakeConnect, connector: Connector, clock: Clock
) -> None:
    register(worker, connector, clock.polling(5))
    server.traces[connector.name] = TRACE
    server.incurable = True
    assert revive(worker, connector, clock.polling(5))
    with pytest.raises(ConnectorFailed) as error:
        check(worker, connector)
    assert str(error.value) == (
        f"connector {connector.name} has failed: org.apache.kafka.connect.errors.ConnectException: "
        "An exception occurred in the change event producer; "
        "Caused by: org.postgresql.util.PSQLException: ERROR: permission denied for table event"
    )


def test_a_connector_just_made_has_no_state_and_has_not_failed(worker: ConnectClient, connector: Connector) -> None:
    check(worker, connector)


def test_a_check_that_can_not_be_made_is_no_failure(
    worker: ConnectClient, server: FakeConnect, connector: Connector
) -> None:
    server.down = True
    check(worker, connector)


@pytest.mark.parametrize(("trace", "line"), [("", "no trace"), ("\n \n", "no trace"), ("one\n\ttwo", "one")])
def test_a_short_trace_is_its_first_line(trace: str, line: str) -> None:
    assert first_line(trace) == line
