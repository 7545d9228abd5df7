"""A world: its own topics on a shared broker, ledger workers on them, and a producer without rules."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import MemberToRemove
from kafka.errors import KafkaError

from connect.provisioning import topic_request
from connect.topics import APP, COMMANDS, EVENT_STATUS, OUTCOMES, all_topics, changelog, dead_letters, group
from lab.chaos.log_audit import LogAudit, Row
from lab.free_ports import free
from settings import Settings
from stack import child
from stack.member import HOST, get
from tests.eventually import eventually

ROOT = Path(__file__).parents[2]
KEY = "k" * 32


class WorkerEnded(Exception):
    """A worker has ended unexpectedly."""


@dataclass
class World:
    """``broker`` is Kafka's address, or several; ``home`` takes the workers' folders and logs."""

    broker: str
    home: Path
    partitions: int = 2
    replicas: int = 1
    name: str = field(default_factory=lambda: uuid4().hex[:8])
    workers: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)
    sent: list[tuple[Any, bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ports = free(3)
        self.admin = KafkaAdminClient(bootstrap_servers=self.broker)
        self.producer = KafkaProducer(bootstrap_servers=self.broker, acks="all", linger_ms=2)
        self.commands = f"{COMMANDS}-{self.name}"
        self.outcomes = f"{OUTCOMES}-{self.name}"
        self.group = group("ledger").replace(APP, f"{APP}-{self.name}")
        self.changelog = changelog("ledger").replace(APP, f"{APP}-{self.name}")
        self._make_topics()

    def _make_topics(self) -> None:
        copies = {"replication_factor": self.replicas, "min_insync_replicas": max(1, self.replicas - 1)}
        settings = Settings.model_validate({"partitions": self.partitions, "ticket_key": KEY} | copies)
        names = {
            COMMANDS: self.commands,
            OUTCOMES: self.outcomes,
            changelog("ledger"): self.changelog,
            EVENT_STATUS: f"{EVENT_STATUS}-{self.name}",
            **{dead_letters(name): f"{dead_letters(name)}-{self.name}" for name in ("ledger", "catalogue")},
        }
        topics = [replace(topic, name=names[topic.name]) for topic in all_topics() if topic.name in names]
        self.admin.create_topics({topic.name: topic_request(topic, settings) for topic in topics})
        self.admin.wait_for_topics([topic.name for topic in topics])

    def close(self) -> None:
        """End all processes."""
        for process in self.workers.values():
            child.kill(process)
        self.producer.close()
        self.admin.close()

    # workers

    def start(self, number: int = 0, *, ready: bool = True, **chaos: str) -> None:
        """Start a worker; ``chaos`` are the variables of tests/chaos/worker.py (trap, effect, without, slow)."""
        environment = {
            "CHAOS_WORLD": self.name,
            **{f"CHAOS_{name.upper()}": value for name, value in chaos.items()},
            "TURNSTILE_KAFKA_SERVERS": self.broker,
            "TURNSTILE_PARTITIONS": str(self.partitions),
            "TURNSTILE_TICKET_KEY": KEY,
            # Tests set their own limits on holds.
            "TURNSTILE_HOLD_SECONDS_MAX": "0",
            "TURNSTILE_HOLD_TICKETS_MAX": "0",
            "TURNSTILE_HOLD_COOLDOWN_SECONDS": "0",
            "TURNSTILE_WORKER_ID": f"{self.name}-{number}",
            "TURNSTILE_WORKER_PORT": str(self.ports[number]),
            "TURNSTILE_WORKER_DATA": str(self.folder(number)),
        }
        argv = (sys.executable, "-m", "tests.chaos.worker")
        command = child.Command(argv, self.log(number), env=environment, cwd=ROOT, death_signal=signal.SIGKILL)
        self.workers[number] = child.spawn(command)
        if ready:
            eventually(lambda: self.ready(number), within=60)

    def ready(self, number: int = 0) -> bool:
        """Whether the worker reads its input. Fails when it has ended."""
        if self.workers[number].poll() is not None:
            raise self._why_ended(number)
        try:
            answer = get(f"http://{HOST}:{self.ports[number]}/health/ready")
        except httpx.TransportError:
            return False
        return answer.is_success

    def _why_ended(self, number: int) -> WorkerEnded:
        code, lines = self.workers[number].returncode, child.last_lines(self.log(number), 40)
        return WorkerEnded(f"worker {number} ended with {code}:\n{lines}")

    def view(self, number: int) -> dict[str, Any]:
        """A worker's view of itself; an empty one while it can't be asked."""
        try:
            answer = get(f"http://{HOST}:{self.ports[number]}/api/worker/", 2)
        except httpx.TransportError:
            return {"decides": {}, "standsBy": {}}
        found: dict[str, Any] = answer.json() if answer.is_success else {"decides": {}, "standsBy": {}}
        return found

    def shares(self, *numbers: int) -> list[int]:
        """How many partitions each of these workers decides; nothing until every partition is decided by one."""
        views = [self.view(number) for number in numbers]
        decided = sorted(int(partition) for one in views for partition in one["decides"])
        return sorted(len(one["decides"]) for one in views) if decided == list(range(self.partitions)) else []

    def kill(self, number: int = 0) -> None:
        """``kill -9``."""
        child.kill(self.workers[number])

    def stop(self, number: int = 0) -> None:
        """Ask the worker to end."""
        child.stop(self.workers[number], signal.SIGTERM, 20)

    def empty_group(self) -> None:
        """Remove all members from the group, as the broker would once their sessions expire."""
        members = self.admin.describe_groups([self.group])[self.group]["members"]
        self.admin.remove_group_members(self.group, [MemberToRemove(each["member_id"]) for each in members])

    def signal(self, number: int, which: signal.Signals) -> None:
        """Send the worker a signal."""
        self.workers[number].send_signal(which)

    def ended(self, number: int = 0, within: float = 60) -> int:
        """How the worker ended (a negative signal number or its exit code), once it has."""
        return self.workers[number].wait(within)

    def has_ended(self, number: int = 0) -> bool:
        """Whether the worker has ended by itself."""
        return self.workers[number].poll() is not None

    def stopped(self, number: int = 0) -> bool:
        """Whether the worker is frozen."""
        state = Path(f"/proc/{self.workers[number].pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state == "T"

    def folder(self, number: int = 0) -> Path:
        """The worker's data folder."""
        return self.home / f"{self.name}-{number}"

    def lose_folder(self, number: int = 0) -> None:
        """Delete the worker's data folder."""
        shutil.rmtree(self.folder(number), ignore_errors=True)

    def log(self, number: int = 0) -> Path:
        """The worker's log."""
        return self.home / "logs" / f"{self.name}-{number}.log"

    # topics

    def send(self, body: dict[str, Any], partition: int | None = None) -> None:
        """Append a command, as any producer might; see ``flush``."""
        key, value = str(body.get("event", "")).encode(), json.dumps(body).encode()
        future = self.producer.send(self.commands, key=key, value=value, partition=partition)
        self.sent.append((future, value))

    def flush(self) -> None:
        """Wait until Kafka has acknowledged all that was sent."""
        self.producer.flush()

    def append_change(self, partition: int, key: bytes, value: bytes) -> None:
        """Append a record to the changelog, as a worker would that was paused."""
        self.producer.send(self.changelog, key=key, value=value, partition=partition).get(30)

    def settled(self) -> bool:
        """Whether all that is in the log has been decided and committed."""
        places = [TopicPartition(self.commands, number) for number in range(self.partitions)]
        try:
            [found] = self.admin.list_group_offsets({self.group: places}).values()
            ends = self.ends(places)
        except KafkaError:  # a broker that comes back does not know its groups yet
            return False
        committed = {place: entry.offset for place, entry in found.items()}
        return all(end == max(0, committed.get(place, 0)) for place, end in ends.items())

    def ends(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        """The ends of topics' partitions."""
        consumer = KafkaConsumer(
            bootstrap_servers=self.broker, enable_auto_commit=False, isolation_level="read_committed"
        )
        try:
            ends: dict[TopicPartition, int] = consumer.end_offsets(places)
            return ends
        finally:
            consumer.close()

    def changelog_ends(self) -> list[int]:
        """The end of each of the changelog's partitions."""
        places = [TopicPartition(self.changelog, number) for number in range(self.partitions)]
        ends = self.ends(places)
        return [ends[place] for place in places]

    def settle(self, within: float = 90) -> None:
        """Wait until the log is drained. A worker that ends meanwhile is an error."""

        def drained() -> bool:
            for number, process in self.workers.items():
                if process.poll() not in (None, 0, -signal.SIGKILL):
                    raise self._why_ended(number)
            return self.settled()

        self.flush()
        eventually(drained, within=within, pause=0.2)

    def last_is_told(self) -> bool:
        """Whether the last purchase of all that were sent has an outcome."""
        bodies = [json.loads(value) for _, value in self.sent]
        last = next(body["purchase"] for body in reversed(bodies) if body["kind"] == "purchase")
        return any(json.loads(row.value).get("purchase") == last for row in self.rows(self.outcomes))

    def rest(self) -> None:
        """Wait until the log is drained and no expired hold is left."""

        def nothing_due() -> bool:
            return not self.audit().due_holds(datetime.now(UTC))

        self.settle()
        eventually(nothing_due, within=30, pause=1)
        self.settle()

    def rows(self, topic: str) -> Iterator[Row]:
        """Every record of a topic, partition by partition."""
        consumer = KafkaConsumer(
            bootstrap_servers=self.broker, enable_auto_commit=False, isolation_level="read_committed"
        )
        try:
            places = [TopicPartition(topic, number) for number in range(self.partitions)]
            ends = consumer.end_offsets(places)
            for place in places:
                consumer.assign([place])
                consumer.seek_to_beginning(place)
                while consumer.position(place) < ends[place]:
                    for batch in consumer.poll(timeout_ms=500, max_records=5_000).values():
                        yield from (Row(one.partition, one.offset, one.timestamp, one.key, one.value) for one in batch)
        finally:
            consumer.close()

    def audit(self) -> LogAudit:
        """The audit of everything sent and written so far."""
        sent = [(future.value.partition, future.value.offset, value) for future, value in self.sent]
        topics = (self.commands, self.outcomes, self.changelog)
        return LogAudit(self.partitions, sent, *(list(self.rows(topic)) for topic in topics))
