"""Kafka in KRaft mode: each process is broker and controller."""

import signal
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from kafka.errors import KafkaError

from connect.access.principals import ADMIN
from stack import jars
from stack.broker_access import (
    CLIENTS,
    CONTROLLER,
    admin_client,
    broker_properties,
    listener_protocol,
    make_principals,
)
from stack.child import Command
from stack.java import JAVA_ENVIRONMENT, class_archive, java, log_to_console, metrics_agent
from stack.member import HOST, StackMember, properties, write
from stack.ports import listens
from stack.secret_files import KAFKA_PASSWORDS, secret
from stack.settings import StackSettings

LOG_LEVELS = {"org__apache__kafka__common__config": "warn", "org__apache__kafka__common__utils__AppInfoParser": "warn"}
PARTITIONS_OF_INTERNAL_TOPICS = 4

# An embedded broker runs for minutes, in which Java's second compiler costs more than it saves.
SHORT_LIFE_FLAGS = ("-Xms128m", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", "-XX:TieredStopAtLevel=1")


class Kafka(StackMember):
    """A broker. It creates no topics on demand: connect/topics.py provisions them."""

    name = "kafka"

    def __init__(self, settings: StackSettings, number: int = 0) -> None:
        self.number = number
        if number:
            self.name = f"kafka-{number}"  # type: ignore[misc]
        super().__init__(settings)

    @property
    def node(self) -> int:
        """Its id in the cluster."""
        return self.number + 1

    @property
    def data(self) -> Path:
        """The log folder."""
        return self.folder / "data"

    def preparations(self) -> Sequence[Command]:
        """Write server.properties and format the log folder, once."""
        write(self.folder / "log4j2.properties", log_to_console(**LOG_LEVELS))
        if self.settings.kafka_security:
            secret(self.settings.home, KAFKA_PASSWORDS[ADMIN])
        write(self.folder / "server.properties", properties(self._configuration()))
        if (self.data / "meta.properties").exists():
            return ()
        # The same for all brokers of a data folder.
        cluster = urlsafe_b64encode(uuid5(NAMESPACE_URL, str(self.settings.home)).bytes).decode()
        cluster = cluster.rstrip("=").replace("-", "A")
        options = ("format", "-t", cluster, "-c", str(self.folder / "server.properties"))
        argv = (*self._java("128m", "-XX:TieredStopAtLevel=1"), "kafka.tools.StorageTool", *options)
        return (Command(argv, self.log, env=JAVA_ENVIRONMENT),)

    def command(self) -> Command:
        main = ("kafka.Kafka", str(self.folder / "server.properties"))
        port = self.settings.kafka_metrics_port + self.number
        agent = metrics_agent(self.settings.jars, port, "kafka")
        archive = class_archive(self.settings.jars, self.name)
        return Command(
            self._java(self.settings.kafka_heap, agent, *SHORT_LIFE_FLAGS, *archive) + main,
            self.log,
            env=JAVA_ENVIRONMENT,
            death_signal=signal.SIGTERM,
        )

    def ready(self) -> bool:
        """Whether the broker answers and has joined its cluster."""
        address = f"{HOST}:{self.settings.broker_port(self.number)}"
        if not listens(self.settings.broker_port(self.number)):
            return False
        try:
            client = admin_client(self.settings, address, request_timeout_ms=2000, bootstrap_timeout_ms=1000)
        except KafkaError:
            return False
        try:
            members = client.describe_cluster()["brokers"]
            return self.node in {member["broker_id"] for member in members if not member["is_fenced"]}
        except KafkaError:
            return False
        finally:
            client.close()

    def settle(self) -> None:
        """Create the users and ACLs, where clients have to sign in; once for all brokers."""
        if self.settings.kafka_security and self.number == 0:
            make_principals(self.settings, self.settings.kafka_servers)

    def _java(self, heap: str, *flags: str) -> tuple[str, ...]:
        class_path = [self.settings.jars / jar.name for jar in jars.locked("kafka")]
        return java(heap, class_path, self.folder / "log4j2.properties", *flags)

    def _configuration(self) -> dict[str, object]:
        settings = self.settings
        broker, controller = settings.broker_port(self.number), settings.controller_port(self.number)
        voters = [f"{number + 1}@{HOST}:{settings.controller_port(number)}" for number in range(settings.brokers)]
        protocol = listener_protocol(settings)
        return {
            "process.roles": "broker,controller",
            "node.id": self.node,
            "controller.quorum.voters": ",".join(voters),
            "controller.listener.names": CONTROLLER,
            "listeners": f"{CLIENTS}://{HOST}:{broker},{CONTROLLER}://{HOST}:{controller}",
            "advertised.listeners": f"{CLIENTS}://{HOST}:{broker}",
            "listener.security.protocol.map": f"{CLIENTS}:{protocol},{CONTROLLER}:{protocol}",
            "inter.broker.listener.name": CLIENTS,
            **broker_properties(settings),
            "log.dirs": self.data,
            "auto.create.topics.enable": "false",
            "group.initial.rebalance.delay.ms": 0,
            "default.replication.factor": settings.replicas,
            "min.insync.replicas": settings.in_sync,
            "offsets.topic.replication.factor": settings.replicas,
            "offsets.topic.num.partitions": PARTITIONS_OF_INTERNAL_TOPICS,
            "transaction.state.log.replication.factor": settings.replicas,
            "transaction.state.log.min.isr": settings.in_sync,
            "transaction.state.log.num.partitions": PARTITIONS_OF_INTERNAL_TOPICS,
            "share.coordinator.state.topic.replication.factor": settings.replicas,
            "share.coordinator.state.topic.min.isr": settings.in_sync,
            "share.coordinator.state.topic.num.partitions": PARTITIONS_OF_INTERNAL_TOPICS,
            # A killed broker can register again once its old session has expired.
            "broker.session.timeout.ms": 4000,
            "broker.heartbeat.interval.ms": 1000,
            "log.cleaner.dedupe.buffer.size": 16 * 2**20,
            "num.io.threads": 4,
            "num.network.threads": 2,
        }


def brokers(settings: StackSettings) -> list[Kafka]:
    """All brokers of a stack."""
    return [Kafka(settings, number) for number in range(settings.brokers)]
