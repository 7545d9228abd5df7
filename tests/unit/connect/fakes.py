"""Fakes of Kafka's admin client, Kafka Connect, PostgreSQL and the heartbeat topic, as far as connect uses them."""

import json
from collections.abc import Callable
from typing import Any

import httpx
from kafka.errors import TopicAlreadyExistsError

from connect.connectors.configuration import Connector
from connect.connectors.probe import Slot
from connect.polling import Polling

BROKER_DEFAULTS = {
    "cleanup.policy": "delete",
    "message.timestamp.type": "CreateTime",
    "max.message.bytes": "1048588",
    "min.insync.replicas": "1",
    "retention.ms": "604800000",
    "unclean.leader.election.enable": "true",
}


class Clock:
    """A clock that advances only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def polling(self, seconds: float) -> Polling:
        return Polling(seconds, clock=self, sleep=self.sleep)


class FakeAdmin:
    """A broker's topics, in the data structures of kafka-python's admin client."""

    def __init__(self) -> None:
        self.topics: dict[str, dict[str, Any]] = {}
        self.refusals: dict[str, tuple[int, str]] = {}
        self.unlisted: set[str] = set()
        self.vague = 0

    def list_topics(self) -> list[str]:
        return [name for name in self.topics if name not in self.unlisted]

    def create_topics(self, new_topics: dict[str, Any], *, raise_errors: bool) -> dict[str, Any]:
        assert not raise_errors
        return {"topics": [self._create(name, topic) for name, topic in new_topics.items()]}

    def wait_for_topics(self, topic_names: list[str]) -> None:
        assert set(topic_names) <= set(self.topics)

    def describe_topics(self, topics: list[str]) -> list[dict[str, Any]]:
        self.vague -= 1
        return [{"name": name, "partitions": [] if self.vague >= 0 else self._partitions(name)} for name in topics]

    def describe_configs(self, config_resources: list[Any], *, config_filter: str) -> dict[str, Any]:
        assert config_filter == "all"
        names = [resource.name for resource in config_resources]
        return {"topic": {name: self._config(name) for name in names}}

    def alter_configs(self, config_resources: list[Any]) -> None:
        for resource in config_resources:
            self.topics[resource.name]["configs"] |= resource.configs

    def close(self) -> None:
        return

    def _create(self, name: str, topic: dict[str, Any]) -> dict[str, Any]:
        if name in self.topics:
            return {"name": name, "error_code": TopicAlreadyExistsError.errno, "error_message": "exists"}
        if name in self.refusals:
            code, message = self.refusals[name]
            return {"name": name, "error_code": code, "error_message": message}
        self.topics[name] = topic | {"configs": BROKER_DEFAULTS | topic["configs"]}
        return {"name": name, "error_code": 0, "error_message": None}

    def _partitions(self, name: str) -> list[dict[str, Any]]:
        topic = self.topics[name]
        return [{"replica_nodes": list(range(topic["replication_factor"]))}] * topic["num_partitions"]

    def _config(self, name: str) -> dict[str, dict[str, str]]:
        return {key: {"value": value} for key, value in self.topics[name]["configs"].items()}


class FakeConnect(httpx.MockTransport):
    """A Kafka Connect worker behind httpx. It answers 409 ``busy`` times first; ``refusal`` is its answer to PUT."""

    def __init__(self) -> None:
        super().__init__(self._answer)
        self.configs: dict[str, dict[str, str]] = {}
        self.traces: dict[str, str] = {}
        self.restarts: list[str] = []
        self.puts: list[str] = []
        self.down = False
        self.starting = 0
        self.busy = 0
        self.refusal: str | None = None
        self.incurable = False
        self.offsets: set[str] = set()
        self.stored: dict[str, list[dict[str, Any]]] = {}
        self.stopping: dict[str, int] = {}
        self.resumed: list[str] = []
        self.on_resume: Callable[[], object] = lambda: None

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if self.down:
            raise httpx.ConnectError("connection refused")
        return self._unwilling() or self._willing(request)

    def _unwilling(self) -> httpx.Response | None:
        if self.starting:
            self.starting -= 1
            return httpx.Response(404, html="<h1>Not Found</h1>")
        if self.busy:
            self.busy -= 1
            return httpx.Response(409, json={"error_code": 409, "message": "a rebalance is in process"})
        return None

    def _willing(self, request: httpx.Request) -> httpx.Response:
        _, _, name, what = (*request.url.path.split("/"), "", "")[:4]
        match request.method, what:
            case "GET", "":
                return httpx.Response(200, json=list(self.configs))
            case "PUT", "config":
                return self._put(name, json.loads(request.content))
            case "POST", "restart":
                return self._restart(name)
            case "GET", "offsets":
                known = [{"lsn": 1}] if name in self.offsets else []
                return httpx.Response(200, json={"offsets": self.stored.get(name, known)})
            case "PATCH", "offsets":
                return self._forget(name) if self.stopping[name] > 0 else self._set(name, json.loads(request.content))
            case "DELETE", "offsets":
                return self._forget(name)
            case "PUT", "stop":
                self.stopping.setdefault(name, 2)
                return httpx.Response(204)
            case "PUT", "resume":
                self.resumed.append(name)
                self.stopping.pop(name, None)
                self.on_resume()
                return httpx.Response(202)
        if name not in self.configs:
            return httpx.Response(404, json={"error_code": 404, "message": f"connector {name} not found"})
        return httpx.Response(200, json=self._status(name) if what == "status" else self.configs[name])

    def _put(self, name: str, config: dict[str, str]) -> httpx.Response:
        if self.refusal is not None:
            return httpx.Response(400, json={"error_code": 400, "message": self.refusal})
        self.puts.append(name)
        new = name not in self.configs
        self.configs[name] = config | {"name": name}
        return httpx.Response(201 if new else 200, json={"name": name})

    def _restart(self, name: str) -> httpx.Response:
        self.restarts.append(name)
        if not self.incurable:
            self.traces.pop(name, None)
        return httpx.Response(202, json={})

    def _forget(self, name: str) -> httpx.Response:
        """Offsets can be deleted once the connector has come to an end, which takes a while."""
        self.stopping[name] -= 1
        if self.stopping[name] >= 0:
            return httpx.Response(400, json={"error_code": 400, "message": "the connector is not stopped"})
        self.offsets.discard(name)
        return httpx.Response(200, json={})

    def _set(self, name: str, told: dict[str, Any]) -> httpx.Response:
        self.stored[name] = told["offsets"]
        return httpx.Response(200, json={})

    def _status(self, name: str) -> dict[str, Any]:
        if name in self.stopping:
            return {"connector": {"state": "STOPPED"}, "tasks": []}
        trace = self.traces.get(name)
        task = {"id": 0, "state": "FAILED", "trace": trace} if trace else {"id": 0, "state": "RUNNING"}
        return {"connector": {"state": "RUNNING"}, "tasks": [task]}


class FakeWay:
    """PostgreSQL and the heartbeat topic; only the first connector of each slot gets its rows."""

    def __init__(self, connectors: list[Connector], *, deaf_beats: int = 0) -> None:
        self.readers: dict[str, str] = {}
        for connector in connectors:
            self.readers.setdefault(connector.slot, connector.name)
        self.publications = {connector.publication: set(connector.tables) for connector in connectors}
        self.rows: set[str] = set()
        self.known = {connector.slot: Slot(active=True, lost=False) for connector in connectors}
        self.beats = 0
        self.deaf_beats = deaf_beats

    def published_tables(self, publication: str) -> set[str]:
        return self.publications.get(publication, set())

    def write_heartbeat(self, key: str) -> None:
        self.beats += 1
        self.rows.add(key)

    def delete_heartbeat(self, key: str) -> None:
        self.rows.discard(key)

    def slot_state(self, name: str) -> str:
        return "read, 0 bytes behind"

    def slots(self) -> dict[str, Slot]:
        return self.known

    def connectors_seen(self, key: str) -> set[str]:
        if key not in self.rows or self.beats <= self.deaf_beats:
            return set()
        return set(self.readers.values())
