"""Connectors are registered by PUT: the same configuration any number of times, and a failed one is started again."""

from connect.connectors.configuration import Connector
from connect.connectors.rest_client import ConnectWorker, Unavailable, first_line
from connect.errors import ConnectorFailed, ServerMissing
from connect.polling import Patience

SETTLE_S = 5.0


def wait_for_connect(worker: ConnectWorker, patience: Patience) -> None:
    """Return as soon as Kafka Connect answers. Raises ServerMissing."""
    why = ""
    while patience.left:
        try:
            worker.names()
            return
        except Unavailable as error:
            why = str(error)
        patience.wait()
    raise ServerMissing(
        f"Kafka Connect does not answer within {patience.seconds:g} s at {worker.url} (TURNSTILE_CONNECT_URL): {why}"
    )


def register(worker: ConnectWorker, connector: Connector, patience: Patience) -> str:
    """Bring one connector to its configuration; what was done: made, changed or unchanged."""
    why = ""
    while patience.left:
        try:
            if worker.config(connector.name) == connector.config:
                return "unchanged"
            return "made" if worker.put(connector) else "changed"
        except Unavailable as error:
            why = str(error)
        patience.wait()
    raise ServerMissing(f"Kafka Connect does not take connector {connector.name}: {why}")


def revive(worker: ConnectWorker, connector: Connector, patience: Patience) -> bool:
    """Start a connector again that failed before this run; whether that was needed."""
    if not _state_failed(worker, connector):
        return False
    worker.restart(connector.name)
    while patience.left and _state_failed(worker, connector):
        patience.wait()
    return True


def check(worker: ConnectWorker, connector: Connector) -> None:
    """Raise ConnectorFailed when the connector or its task has stopped with an error."""
    try:
        state = worker.state(connector.name)
    except Unavailable:
        return
    if state.failed:
        raise ConnectorFailed(f"connector {connector.name} has failed: {first_line(state.trace)}")


def _state_failed(worker: ConnectWorker, connector: Connector) -> bool:
    try:
        return worker.state(connector.name).failed
    except Unavailable:
        return False
