"""A client of Kafka Connect's REST interface for connectors. Transient errors raise ConnectUnavailable."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import httpx
import msgspec

from connect.connectors.configuration import Connector
from connect.errors import ConnectorRefused
from settings.types import without_user
from telemetry.call_deadlines import TimedTransport

TIMEOUT_S: Final = 30.0
REBALANCING_STATUS: Final = 409
SERVER_ERROR_STATUS: Final = 500

Shape = TypeVar("Shape")


class ConnectUnavailable(Exception):
    """Kafka Connect can't answer now; a retry may help. The message begins with its address."""


@dataclass(frozen=True, slots=True)
class ConnectorState:
    """The states of a connector and its tasks, in this order, and the trace of a failed one."""

    states: tuple[str, ...]
    trace: str

    @property
    def failed(self) -> bool:
        """Whether it or one of its tasks has failed."""
        return "FAILED" in self.states

    @property
    def stopped(self) -> bool:
        """Whether it was stopped and not resumed."""
        return "STOPPED" in self.states

    @property
    def summary(self) -> str:
        """The distinct states in lower case."""
        return " ".join(dict.fromkeys(self.states)).lower()

    @property
    def error(self) -> str:
        """The trace in one line; empty if there is none."""
        return first_line(self.trace) if self.trace else ""


class PartStatus(msgspec.Struct):
    """A connector or a task, as Kafka Connect describes it."""

    state: str
    trace: str = ""


class ConnectorStatus(msgspec.Struct):
    """A connector with its tasks, as Kafka Connect describes them."""

    connector: PartStatus
    tasks: list[PartStatus]


class KnownConnector(msgspec.Struct):
    """A connector in a list of Kafka Connect's."""

    status: ConnectorStatus


class StoredOffsets(msgspec.Struct):
    """What a connector has read."""

    offsets: list[dict[str, Any]]


MISSING_CONNECTOR: Final = ConnectorState(("MISSING",), "")


class ConnectClient:
    """A client of a Kafka Connect worker. Any worker of a cluster answers for all."""

    def __init__(self, url: str, transport: httpx.BaseTransport | None = None, *, timeout: float = TIMEOUT_S) -> None:
        self._place = without_user(url)
        self._client = httpx.Client(base_url=url, timeout=timeout, transport=transport or TimedTransport())

    def names(self) -> list[str]:
        """The known connectors; an answer means that the worker has joined its cluster."""
        return self._read(self._ask("GET", "/connectors"), list[str])

    def put(self, connector: Connector) -> bool:
        """Set a connector's configuration; whether it is new. Raises ConnectorRefused with the reason."""
        answer = self._order("PUT", connector.name, "config", connector.config)
        return answer.status_code == httpx.codes.CREATED

    def config(self, name: str) -> dict[str, str] | None:
        """A connector's configuration; None if it doesn't exist."""
        answer = self._ask("GET", f"/connectors/{name}/config")
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        return {key: value for key, value in self._read(answer, dict[str, str]).items() if key != "name"}

    def state(self, name: str) -> ConnectorState:
        """A connector's state. A new connector may have none yet."""
        answer = self._ask("GET", f"/connectors/{name}/status")
        if answer.status_code == httpx.codes.NOT_FOUND:
            return ConnectorState((), "")
        return _state(self._read(answer, ConnectorStatus))

    def states(self) -> dict[str, ConnectorState]:
        """The states of all connectors, by name."""
        found = self._read(self._ask("GET", "/connectors?expand=status"), dict[str, KnownConnector])
        return {name: _state(each.status) for name, each in found.items()}

    def restart(self, name: str) -> None:
        """Restart a connector and its failed tasks."""
        self._order("POST", name, "restart?includeTasks=true&onlyFailed=true")

    def has_read(self, name: str) -> bool:
        """Whether a connector has stored offsets, so that it has read before."""
        return bool(self.offsets(name))

    def offsets(self, name: str) -> list[dict[str, Any]]:
        """The stored offsets of a connector, each with its partition."""
        answer = self._ask("GET", f"/connectors/{name}/offsets")
        return [] if answer.status_code == httpx.codes.NOT_FOUND else self._read(answer, StoredOffsets).offsets

    def set_offsets(self, name: str, offsets: list[dict[str, Any]]) -> bool:
        """Set the offsets of a stopped connector; False if it has not stopped yet."""
        return self._ask("PATCH", f"/connectors/{name}/offsets", {"offsets": offsets}).is_success

    def stop(self, name: str) -> None:
        """Stop a connector until it is resumed; its tasks end a moment later."""
        self._order("PUT", name, "stop")

    def delete_offsets(self, name: str) -> bool:
        """Delete the offsets of a stopped connector; False if it has not stopped yet."""
        return self._ask("DELETE", f"/connectors/{name}/offsets").is_success

    def pause(self, name: str) -> None:
        """Pause a connector until it is resumed; its tasks stay."""
        self._order("PUT", name, "pause")

    def resume(self, name: str) -> None:
        """Start a stopped or paused connector."""
        self._order("PUT", name, "resume")

    def close(self) -> None:
        self._client.close()

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> httpx.Response:
        try:
            answer = self._client.request(method, path, json=body)
        except httpx.RequestError as error:
            raise ConnectUnavailable(f"{self._place}: {str(error) or type(error).__name__}") from error
        if answer.status_code == REBALANCING_STATUS or answer.status_code >= SERVER_ERROR_STATUS:
            raise ConnectUnavailable(f"{self._place}: {answer.status_code}: {_message(answer)}")
        if answer.content and "json" not in answer.headers.get("content-type", ""):
            # While it starts, its web server answers every request with 404 in HTML.
            raise self._strange(answer)
        return answer

    def _order(self, method: str, name: str, what: str, body: Mapping[str, Any] | None = None) -> httpx.Response:
        """Raises ConnectorRefused with the reason."""
        answer = self._ask(method, f"/connectors/{name}/{what}", body)
        if not answer.is_success:
            raise ConnectorRefused(f"connector {name}: {what.partition('?')[0]} is refused: {_message(answer)}")
        return answer

    def _read(self, answer: httpx.Response, shape: type[Shape]) -> Shape:
        try:
            return msgspec.json.decode(answer.raise_for_status().content, type=shape)
        except (httpx.HTTPStatusError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise self._strange(answer) from error

    def _strange(self, answer: httpx.Response) -> ConnectUnavailable:
        return ConnectUnavailable(
            f"{self._place}: {answer.status_code} from a server that is not Kafka Connect, or not yet"
        )


def not_yet(action: Callable[[], object]) -> bool:
    """Carry out an action; whether to try it again, as it gave False or Kafka Connect is not available."""
    try:
        return action() is False
    except ConnectUnavailable:
        return True


def first_line(trace: str) -> str:
    """The first line of a Java stack trace, and its root cause, which says more."""
    lines = [line.strip() for line in trace.splitlines() if line.strip()]
    causes = [line for line in lines if line.startswith("Caused by: ")]
    return "; ".join(dict.fromkeys(lines[:1] + causes[-1:])) or "no trace"


def _state(status: ConnectorStatus) -> ConnectorState:
    parts = [status.connector, *status.tasks]
    return ConnectorState(tuple(part.state for part in parts), next((part.trace for part in parts if part.trace), ""))


def _message(answer: httpx.Response) -> str:
    try:
        text = str(answer.json()["message"])
    except (ValueError, KeyError, TypeError):
        text = answer.text
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " ".join(lines) or f"answer {answer.status_code}"
