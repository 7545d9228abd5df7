"""Every setting of the embedded stack, read from the environment (prefix ``TURNSTILE_``).

The deployed parts have settings of their own (``settings.py``); ``stack.environment`` derives them from these.
"""

import json
import os
import re
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from settings.types import Address, Port, readable
from stack.errors import StackError

# What `run` was started with, in the data folder.
CHOSEN: Final = "chosen.json"
FOLDERS: Final = {"home", "jars"}
# What ends a path in a class path, in a list of Kafka's, in a reference to a secret, or in the option of an agent.
SEPARATORS: Final = frozenset(':,=}"\\')


def jar_cache() -> Path:
    """Where jars are kept between runs and shared by all clones of one user."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111 (pathlib's needs a home)
    return Path(cache) / "turnstile" / "jars"


def _heap(text: str) -> str:
    if not re.fullmatch(r"[1-9][0-9]{0,5}[kmgKMG]", text):
        raise ValueError("must be a size such as 512m")
    return text


Heap = Annotated[str, AfterValidator(_heap)]


class StackSettings(BaseSettings):
    """Where the embedded servers keep their data and which ports they take. All of them listen on 127.0.0.1."""

    model_config = SettingsConfigDict(env_prefix="TURNSTILE_", frozen=True, extra="ignore")

    home: Path = Field(
        Path(".turnstile"), description="data folder of the embedded stack: one of an earlier run, or an empty one"
    )
    jars: Path = Field(
        default_factory=jar_cache, description="folder that keeps the downloaded jars and Java's class archives"
    )

    postgres_folder: Path = Field(
        Path("/var/lib/turnstile"),
        description="folder for PostgreSQL's files where root starts the stack and PostgreSQL's own user can't reach "
        "the data folder or the programs",
    )

    kafka_port: Port = Field(19092, description="port of the embedded Kafka broker")
    kafka_controller_port: Port = Field(19093, description="port of the embedded Kafka controller")
    postgres_port: Port = Field(15432, description="port of the embedded PostgreSQL")
    connect_port: Port = Field(18083, description="port of the embedded Kafka Connect")
    elasticsearch_port: Port = Field(19200, description="HTTP port of the embedded Elasticsearch")
    elasticsearch_transport_port: Port = Field(19300, description="transport port of the embedded Elasticsearch")
    smtp_port: Port = Field(11025, description="port of the embedded mail server")
    mail_port: Port = Field(18025, description="port of the page that shows the mails received")
    worker_port: Port = Field(6066, description="port of the first ledger worker's web views; the next add one")
    indexer_port: Port = Field(6166, description="port of the indexer's web views")
    notifications_port: Port = Field(6266, description="port of the notifications worker's web views")
    sales_port: Port = Field(6366, description="port of the sales worker's web views")
    gate_port: Port = Field(6466, description="port of the gate's web views")
    payments_port: Port = Field(6566, description="port of the payments worker's web views")
    paper_port: Port = Field(18090, description="port of Paper, the provider of payments to try with")
    zipkin_port: Port = Field(19411, description="port of Zipkin")
    api_port: Port = Field(9000, description="port of the API")
    api_metrics_port: Port = Field(9100, description="port of the API's /metrics")
    exporter_port: Port = Field(9101, description="port of the exporter's /metrics")
    connect_metrics_port: Port = Field(9102, description="port of the embedded Kafka Connect's /metrics")
    kafka_metrics_port: Port = Field(
        9103, description="port of the first embedded Kafka broker's /metrics; the next add one"
    )

    admin_email: Address = Field("admin@turnstile.example", description="address of the first administrator's account")

    kafka_heap: Heap = Field("512m", description="heap of the embedded Kafka broker")
    connect_heap: Heap = Field("384m", description="heap of the embedded Kafka Connect")
    elasticsearch_heap: Heap = Field("512m", description="heap of the embedded Elasticsearch")
    zipkin_heap: Heap = Field("128m", description="heap of Zipkin")

    paper: Literal["honest", "hostile"] = Field(
        "honest",
        description="how Paper behaves: honest, or hostile, which repeats, delays, drops and forges its notices",
    )
    zipkin: bool = Field(False, description="start Zipkin too, and trace every request")

    brokers: int = Field(
        1,
        ge=1,
        le=5,
        description="embedded Kafka brokers, on every second port from the first one's on; three or more keep each "
        "record three times and acknowledge it when two have it. Another number needs another data folder",
    )
    log_format: Literal["json", "text"] = Field(
        "text", description="a line of the log: json, or text to be read by people"
    )

    kafka_security: bool = Field(
        False, description="every client of the embedded Kafka signs in (SCRAM) and has the rights of its part (ACLs)"
    )

    workers: int = Field(
        1, ge=1, le=64, description="ledger workers of the embedded stack; the other roles have one worker each"
    )

    standbys: int = Field(
        1, ge=0, le=8, description="ledger workers that keep a warm copy of a partition beside the one that decides it"
    )

    _is_readable = field_validator("*", mode="before")(readable)

    @field_validator("home", "jars", "postgres_folder")
    @classmethod
    def _absolute(cls, folder: Path) -> Path:
        try:
            return folder.expanduser().resolve()
        except (OSError, RuntimeError) as error:  # there is no such user, or no home
            raise ValueError(f"can't be found: {error}") from None

    @field_validator(*FOLDERS)
    @classmethod
    def _is_whole_for_java_and_kafka(cls, folder: Path) -> Path:
        if SEPARATORS.intersection(str(folder)):
            raise ValueError(f"must be a folder without any of {' '.join(sorted(SEPARATORS))} in its path")
        return folder

    def remember(self) -> None:
        """Note in the data folder what `run` was started with."""
        partial = self.home / f"{CHOSEN}.partial"
        partial.write_text(self.model_dump_json(exclude=FOLDERS))
        partial.replace(self.home / CHOSEN)

    def chosen(self) -> dict[str, Any]:
        """What the last `run` on the data folder was started with; empty before the first. Raises StackError."""
        note = self.home / CHOSEN
        try:
            return dict(json.loads(note.read_text())) if note.exists() else {}
        except (ValueError, TypeError):
            raise StackError(f"{note} is damaged: delete it, and `make run` writes it again") from None

    @classmethod
    def remembered(cls) -> Self:
        """Those of the last `run` on the data folder, for the commands beside it; the environment comes first."""
        here = cls()
        return cls.model_validate(here.chosen() | here.model_dump(include=here.model_fields_set))

    @property
    def kafka_servers(self) -> str:
        """The addresses of the brokers, with commas between."""
        return ",".join(f"127.0.0.1:{self.broker_port(number)}" for number in range(self.brokers))

    @property
    def replicas(self) -> int:
        """On how many brokers each record is."""
        return min(3, self.brokers)

    @property
    def in_sync(self) -> int:
        """How many of them must have it before it is acknowledged."""
        return max(1, self.replicas - 1)

    def broker_port(self, number: int) -> int:
        return self.kafka_port + 2 * number

    def controller_port(self, number: int) -> int:
        """The port of one broker's controller."""
        return self.kafka_controller_port + 2 * number

    def server_ports(self) -> dict[str, int]:
        """Ports of the servers, by the name of the setting that moves each."""
        names = ("kafka", "kafka_controller", "postgres", "connect")
        more = ("elasticsearch", "elasticsearch_transport", "smtp", "mail", "paper", "kafka_metrics", "connect_metrics")
        most = ("zipkin",) if self.zipkin else ()
        ports = {f"TURNSTILE_{name.upper()}_PORT": int(getattr(self, f"{name}_port")) for name in names + more + most}
        for number in range(1, self.brokers):
            ports[f"TURNSTILE_KAFKA_PORT (kafka-{number})"] = self.broker_port(number)
            ports[f"TURNSTILE_KAFKA_CONTROLLER_PORT (kafka-{number})"] = self.controller_port(number)
            ports[f"TURNSTILE_KAFKA_METRICS_PORT (kafka-{number})"] = self.kafka_metrics_port + number
        return ports

    def app_ports(self) -> dict[str, int]:
        """Ports of the API and the workers, by the name of the setting that moves each."""
        names = ("api", "api_metrics", "exporter", "worker", "indexer", "notifications", "sales", "gate", "payments")
        ports = {f"TURNSTILE_{name.upper()}_PORT": int(getattr(self, f"{name}_port")) for name in names}
        for number in range(1, self.workers):
            ports[f"TURNSTILE_WORKER_PORT (ledger-{number})"] = self.worker_port + number
        return ports

    def view_port(self, role: str, number: int = 0) -> int:
        """The port of the web views of one worker."""
        first = self.worker_port if role == "ledger" else int(getattr(self, f"{role}_port"))
        return first + number
