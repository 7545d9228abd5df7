"""Kafka Connect with Debezium. Passwords come from files: a connector names ``${directory:<folder>:<file>}``."""

import signal
from collections.abc import Sequence
from contextlib import closing

from connect.access.principals import CONNECT, CONNECT_GROUP
from connect.client_options import connect_properties
from connect.connectors.rest_client import ConnectClient, ConnectUnavailable
from stack import jars
from stack.broker_access import password_files
from stack.child import Command
from stack.java import JAVA_ENVIRONMENT, class_archive, java, log_to_console, metrics_agent
from stack.kafka import brokers
from stack.member import HOST, StackMember, answers, emptied, properties, write
from stack.secret_files import KAFKA_PASSWORDS, secret
from stack.settings import StackSettings

LOG_LEVELS = {
    "org__apache__kafka__common__config": "warn",
    "org__apache__kafka__clients": "warn",
    "org__eclipse__jetty": "warn",
    "org__glassfish": "error",
}
JSON = "org.apache.kafka.connect.json.JsonConverter"


class KafkaConnect(StackMember):
    """One Connect worker. It creates its own three topics and no others."""

    name = "connect"
    stop_timeout_s = 5.0
    after = ("kafka",)  # it waits for the broker by itself, so both start at the same time

    def __init__(self, settings: StackSettings) -> None:
        if settings.brokers > 1:
            self.counts_on = tuple(broker.name for broker in brokers(settings))  # type: ignore[misc]
        if settings.kafka_security:
            self.needs = ("kafka",)  # type: ignore[misc]  # its user is made when the broker is ready
        super().__init__(settings)

    def preparations(self) -> Sequence[Command]:
        """Write the worker's configuration and its password file, and fill the plugin folder."""
        for name in ("cdc_password", KAFKA_PASSWORDS[CONNECT]):
            secret(self.settings.home, name)
        write(self.folder / "log4j2.properties", log_to_console(**LOG_LEVELS))
        write(self.folder / "worker.properties", properties(self._configuration()))
        plugin = emptied(self.folder / "plugins" / "debezium")
        for jar in jars.locked("debezium"):
            (plugin / jar.name).symlink_to(self.settings.jars / jar.name)
        return ()

    def command(self) -> Command:
        """The worker's process. It is killed with its parent: a graceful stop waits for the broker, which ends too."""
        class_path = [self.settings.jars / jar.name for jar in jars.locked("kafka")]
        agent = metrics_agent(self.settings.jars, self.settings.connect_metrics_port, self.name)
        flags = (agent, "-Xms64m", "-XX:+UseSerialGC", *class_archive(self.settings.jars, self.name))
        logging = self.folder / "log4j2.properties"
        main = ("org.apache.kafka.connect.cli.ConnectDistributed", str(self.folder / "worker.properties"))
        argv = java(self.settings.connect_heap, class_path, logging, *flags) + main
        return Command(argv, self.log, env=JAVA_ENVIRONMENT, death_signal=signal.SIGKILL)

    def ready(self) -> bool:
        """Whether the worker has joined its group and takes connectors."""
        return answers(f"http://{HOST}:{self.settings.connect_port}/connectors")

    def complaint(self) -> str:
        """The connectors that have FAILED, each with its error."""
        with closing(ConnectClient(f"http://{HOST}:{self.settings.connect_port}", timeout=1)) as rest:
            try:
                states = rest.states()
            except ConnectUnavailable:
                return ""
        failed = {name: state for name, state in states.items() if state.failed}
        return "; ".join(f"connector {name} has FAILED: {state.error}" for name, state in failed.items())

    def _configuration(self) -> dict[str, object]:
        secrets = self.settings.home / "secrets" / "connect"
        password = f"${{directory:{secrets}:{KAFKA_PASSWORDS[CONNECT]}}}"
        return {
            "bootstrap.servers": self.settings.kafka_servers,
            **(connect_properties(CONNECT, password) if self.settings.kafka_security else {}),
            "group.id": CONNECT_GROUP,
            "listeners": f"http://{HOST}:{self.settings.connect_port}",
            "rest.advertised.host.name": HOST,
            "plugin.path": self.folder / "plugins",
            "plugin.discovery": "service_load",
            "topic.creation.enable": "false",
            "key.converter": JSON,
            "key.converter.schemas.enable": "false",
            "value.converter": JSON,
            "value.converter.schemas.enable": "false",
            **password_files(secrets),
            **{f"{topic}.storage.topic": f"connect-{topic}" for topic in ("config", "offset", "status")},
            **{
                f"{topic}.storage.replication.factor": self.settings.replicas
                for topic in ("config", "offset", "status")
            },
            **{f"{topic}.storage.partitions": 1 for topic in ("offset", "status")},
            "offset.flush.interval.ms": 5000,
            # A worker that restarts after a crash resumes its connectors at once.
            "scheduled.rebalance.max.delay.ms": 0,
            "session.timeout.ms": 6000,
            "heartbeat.interval.ms": 2000,
        }
