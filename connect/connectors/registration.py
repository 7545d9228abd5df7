"""Registration of connectors: an idempotent PUT of the configuration, and a restart of failed connectors."""

from connect.connectors.configuration import Connector
from connect.connectors.rest_client import ConnectClient, ConnectUnavailable, first_line
from connect.errors import ConnectorFailed, ServerMissing
from connect.polling import Polling

RESTART_TIMEOUT_S = 5.0


def wait_for_connect(worker: ConnectClient, polling: Polling) -> None:
    """Wait until Kafka Connect answers. Raises ServerMissing."""
    why = ""
    while polling.left:
        try:
            worker.names()
            return
        except ConnectUnavailable as error:
            why = str(error)
        polling.wait()
    raise ServerMissing(f"Kafka Connect does not answer within {polling.seconds:g} s (TURNSTILE_CONNECT_URL): {why}")


def register(worker: ConnectClient, connector: Connector, polling: Polling) -> str:
    """Give a connector its configuration, if it hasn't; the result: made, changed or unchanged."""
    why = ""
    while polling.left:
        try:
            if worker.config(connector.name) == connector.config:
                return "unchanged"
            return "made" if worker.put(connector) else "changed"
        except ConnectUnavailable as error:
            why = str(error)
        polling.wait()
    raise ServerMissing(f"Kafka Connect does not take connector {connector.name}: {why}")


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
