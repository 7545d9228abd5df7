"""Kafka in KRaft mode: one process is broker and controller."""

import signal
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from pathlib import Path

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from stack import jars
from stack.child import Command
from stack.java import SMALL, java, log_to_console
from stack.ports import listens
from stack.server import HOST, Server, properties, write

QUIET = {"org__apache__kafka__common__config": "warn", "org__apache__kafka__common__utils__AppInfoParser": "warn"}
PARTITIONS_OF_INTERNAL_TOPICS = 4


class Kafka(Server):
    """The broker. Topics are never made on demand: connect/topics.py provisions them."""

    name = "kafka"

    @property
    def data(self) -> Path:
        """The log folder."""
        return self.folder / "data"

    def preparations(self) -> Sequence[Command]:
        """Write server.properties and format the log folder, once."""
        write(self.folder / "log4j2.properties", log_to_console(**QUIET))
        write(self.folder / "server.properties", properties(self._configuration()))
        if (self.data / "meta.properties").exists():
            return ()
        cluster = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "A")
        options = ("format", "-t", cluster, "-c", str(self.folder / "server.properties"))
        argv = (*self._java("128m", "-XX:TieredStopAtLevel=1"), "kafka.tools.StorageTool", *options)
        return (Command(argv, self.log),)

    def command(self) -> Command:
        """The broker's process."""
        main = ("kafka.Kafka", str(self.folder / "server.properties"))
        return Command(
            self._java(self.settings.kafka_heap, "-Xms128m", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20") + main,
            self.log,
            env=SMALL,
            death_signal=signal.SIGTERM,
        )

    def ready(self) -> bool:
        """Whether the broker answers and has joined its own cluster."""
        if not listens(self.settings.kafka_port):
            return False
        try:
            client = KafkaAdminClient(
                bootstrap_servers=f"{HOST}:{self.settings.kafka_port}",
                request_timeout_ms=2000,
                bootstrap_timeout_ms=1000,
                security_protocol="PLAINTEXT",
            )
        except KafkaError:
            return False
        try:
            return len(client.describe_cluster()["brokers"]) == 1
        except KafkaError:
            return False
        finally:
            client.close()

    def _java(self, heap: str, *flags: str) -> tuple[str, ...]:
        class_path = [self.settings.jars / jar.name for jar in jars.locked("kafka")]
        return java(heap, class_path, self.folder / "log4j2.properties", *flags)

    def _configuration(self) -> dict[str, object]:
        broker, controller = self.settings.kafka_port, self.settings.kafka_controller_port
        return {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.voters": f"1@{HOST}:{controller}",
            "controller.listener.names": "CONTROLLER",
            "listeners": f"PLAINTEXT://{HOST}:{broker},CONTROLLER://{HOST}:{controller}",
            "advertised.listeners": f"PLAINTEXT://{HOST}:{broker}",
            "log.dirs": self.data,
            "auto.create.topics.enable": "false",
            "group.initial.rebalance.delay.ms": 0,
            "offsets.topic.replication.factor": 1,
            "offsets.topic.num.partitions": PARTITIONS_OF_INTERNAL_TOPICS,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "transaction.state.log.num.partitions": PARTITIONS_OF_INTERNAL_TOPICS,
            "share.coordinator.state.topic.replication.factor": 1,
            "share.coordinator.state.topic.min.isr": 1,
            "share.coordinator.state.topic.num.partitions": PARTITIONS_OF_INTERNAL_TOPICS,
            # A broker that was killed may register again as soon as its old session has ended.
            "broker.session.timeout.ms": 4000,
            "broker.heartbeat.interval.ms": 1000,
            "log.cleaner.dedupe.buffer.size": 16 * 2**20,
            "num.io.threads": 4,
            "num.network.threads": 2,
        }
