"""Kafka Connect's REST interface, as far as connectors are concerned. Faults that pass raise Unavailable."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx

from connect.connectors.configuration import Connector
from connect.errors import ConnectorRefused

TIMEOUT_S: Final = 30.0
REBALANCING: Final = 409
SERVER_ERROR: Final = 500


class Unavailable(Exception):
    """Kafka Connect can't answer now; asking again may help."""


@dataclass(frozen=True, slots=True)
class State:
    """How a connector is doing: the words for itself and its tasks, and what a failed one wrote."""

    words: tuple[str, ...]
    trace: str

    @property
    def failed(self) -> bool:
        """Whether it, or a task of it, has stopped with an error."""
        return "FAILED" in self.words

    @property
    def text(self) -> str:
        """The words in small letters, each once."""
        return " ".join(dict.fromkeys(self.words)).lower()

    @property
    def error(self) -> str:
        """What a failed one wrote, in a line; empty where none did."""
        return first_line(self.trace) if self.trace else ""


MISSING: Final = State(("MISSING",), "")


class ConnectWorker:
    """A Kafka Connect worker. Any one of a group answers for all."""

    def __init__(self, url: str, transport: httpx.BaseTransport | None = None, *, timeout: float = TIMEOUT_S) -> None:
        self.url = url
        self._client = httpx.Client(base_url=url, timeout=timeout, trust_env=False, transport=transport)

    def names(self) -> list[str]:
        """The connectors that it knows; an answer means that the worker has joined its group."""
        found: list[str] = self._ask("GET", "/connectors").json()
        return found

    def put(self, connector: Connector) -> bool:
        """Give a connector its configuration; whether it was new. Raises ConnectorRefused with the reason."""
        answer = self._ask("PUT", f"/connectors/{connector.name}/config", connector.config)
        if answer.is_client_error:
            raise ConnectorRefused(f"connector {connector.name} is refused: {_message(answer)}")
        return answer.status_code == httpx.codes.CREATED

    def config(self, name: str) -> dict[str, str] | None:
        """The configuration that a connector has, or None where it doesn't exist."""
        answer = self._ask("GET", f"/connectors/{name}/config")
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        found: dict[str, str] = answer.json()
        return {key: value for key, value in found.items() if key != "name"}

    def state(self, name: str) -> State:
        """How a connector is doing. A connector that was just made may have no state yet."""
        answer = self._ask("GET", f"/connectors/{name}/status")
        if answer.status_code == httpx.codes.NOT_FOUND:
            return State((), "")
        return _state(answer.json())

    def states(self) -> dict[str, State]:
        """How all connectors are doing, by name."""
        found: dict[str, Any] = self._ask("GET", "/connectors?expand=status").json()
        return {name: _state(each["status"]) for name, each in found.items()}

    def restart(self, name: str) -> None:
        """Start a connector and those of its tasks again that have failed."""
        self._ask("POST", f"/connectors/{name}/restart?includeTasks=true&onlyFailed=true")

    def has_read(self, name: str) -> bool:
        """Whether a connector has been somewhere in the log: it has stored offsets."""
        return bool(self.offsets(name))

    def offsets(self, name: str) -> list[dict[str, Any]]:
        """The stored offsets of a connector, each with its partition; none where it has never been anywhere."""
        answer = self._ask("GET", f"/connectors/{name}/offsets")
        return list(answer.json()["offsets"]) if answer.is_success else []

    def set_offsets(self, name: str, offsets: list[dict[str, Any]]) -> bool:
        """Give a stopped connector other offsets; whether that was possible yet."""
        return self._ask("PATCH", f"/connectors/{name}/offsets", {"offsets": offsets}).is_success

    def stop(self, name: str) -> None:
        """Stop a connector until it is resumed; it ends its tasks a moment later."""
        self._ask("PUT", f"/connectors/{name}/stop")

    def forget(self, name: str) -> bool:
        """Delete the offsets of a stopped connector; whether that was possible yet."""
        return self._ask("DELETE", f"/connectors/{name}/offsets").is_success

    def pause(self, name: str) -> None:
        """Let a connector wait until it is resumed; its tasks stay."""
        self._ask("PUT", f"/connectors/{name}/pause")

    def resume(self, name: str) -> None:
        """Start a stopped or paused connector."""
        self._ask("PUT", f"/connectors/{name}/resume")

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> httpx.Response:
        try:
            answer = self._client.request(method, path, json=body)
        except httpx.TransportError as error:
            raise Unavailable(str(error) or type(error).__name__) from error
        if answer.status_code == REBALANCING or answer.status_code >= SERVER_ERROR:
            raise Unavailable(f"{answer.status_code}: {_message(answer)}")
        if answer.content and "json" not in answer.headers.get("content-type", ""):
            # While it starts, its web server is there before its resources are, and knows no page.
            raise Unavailable(f"{answer.status_code} from a server that is not Kafka Connect, or not yet")
        return answer


def first_line(trace: str) -> str:
    """The first line of a Java trace, and its last cause, which tells more."""
    lines = [line.strip() for line in trace.splitlines() if line.strip()]
    causes = [line for line in lines if line.startswith("Caused by: ")]
    return "; ".join(dict.fromkeys(lines[:1] + causes[-1:])) or "no trace"


def _state(status: dict[str, Any]) -> State:
    parts: list[dict[str, Any]] = [status["connector"], *status["tasks"]]
    traces = [part["trace"] for part in parts if part.get("trace")]
    return State(tuple(part["state"] for part in parts), traces[0] if traces else "")


def _message(answer: httpx.Response) -> str:
    try:
        text = str(answer.json()["message"])
    except (ValueError, KeyError, TypeError):
        text = answer.text
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " ".join(lines) or f"answer {answer.status_code}"
