"""Registration of connectors: an idempotent PUT of the configuration, and a restart of failed connectors."""

from collections.abc import Callable
from typing import TypeVar

from connect.connectors.configuration import Connector
from connect.connectors.rest_client import ConnectClient, ConnectUnavailable, first_line
from connect.errors import ConnectorFailed, ServerMissing
from connect.polling import Polling

RESTART_TIMEOUT_S = 5.0

Value = TypeVar("Value")


def wait_for_connect(worker: ConnectClient, polling: Polling) -> None:
    """Wait until Kafka Connect answers. Raises ServerMissing."""
    problem = f"Kafka Connect does not answer within {polling.seconds:g} s (TURNSTILE_CONNECT_URL)"
    _answer(worker.names, polling, problem)


def register(worker: ConnectClient, connector: Connector, polling: Polling) -> str:
    """Give a connector its configuration, if it hasn't; the result: made, changed or unchanged."""

    def put() -> str:
        if worker.config(connector.name) == connector.config:
            return "unchanged"
        return "made" if worker.put(connector) else "changed"

    return _answer(put, polling, f"Kafka Connect does not take connector {connector.name}")


def _answer(ask: Callable[[], Value], polling: Polling, problem: str) -> Value:
    """The first answer of Kafka Connect. Raises ServerMissing with the problem, and why, when none comes in time."""
    why = ""
    while polling.left:
        try:
            return ask()
        except ConnectUnavailable as error:
            why = str(error)
        polling.wait()
    raise ServerMissing(f"{problem}: {why}")


def revive(worker: ConnectClient, connector: Connector, polling: Polling) -> bool:
    """Restart a connector that has failed before; whether it had."""
    if not _state_failed(worker, connector):
        return False
    worker.restart(connector.name)
    while polling.left and _state_failed(worker, connector):
        polling.wait()
    return True


def check(worker: ConnectClient, connector: Connector) -> None:
    """Raise ConnectorFailed if the connector or its task has failed."""
    try:
        state = worker.state(connector.name)
    except ConnectUnavailable:
        return
    if state.failed:
        raise ConnectorFailed(f"connector {connector.name} has failed: {first_line(state.trace)}")


def _state_failed(worker: ConnectClient, connector: Connector) -> bool:
    try:
        return worker.state(connector.name).failed
    except ConnectUnavailable:
        return False
