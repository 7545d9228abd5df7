"""Settings of the workers, and of the exporter beside them."""

from pathlib import Path
from typing import Final, Literal, get_args

from pydantic import BaseModel, Field, SecretStr, ValidationInfo, field_validator

from settings.types import Bind, CaFile, CertificateFile, Host, OwnPort, Urls, check_key, is_loopback, split

# What a worker does. Each role is a consumer group with processes of its own, so each scales independently.
Role = Literal["ledger", "indexer", "notifications", "sales", "gate", "payments"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)


class WorkerSettings(BaseModel):
    """What a worker does, its web views, and its files."""

    role: Role = Field(
        "ledger", description="role of this worker: ledger, indexer, notifications, sales, gate or payments"
    )
    standbys: int = Field(
        1, ge=0, le=8, description="number of ledger workers with a warm copy of a partition, besides its owner"
    )
    ledger_workers: int = Field(
        1, ge=1, le=256, description="workers that the role ledger is meant to have; an alert fires if there are fewer"
    )
    worker_id: str = Field(
        "worker-0", description="stable name of this worker within its role (static group membership)"
    )
    worker_session_seconds: int = Field(
        6,
        ge=6,
        le=30,
        description="seconds after which Kafka gives the partitions of a silent worker to others; brokers allow "
        "no less than 6",
    )
    worker_bind: Bind = Field("127.0.0.1", description="address that the worker's HTTP views listen on")
    worker_tokens: SecretStr | None = Field(
        None,
        validate_default=True,
        description="tokens for reading the workers' HTTP views, separated by commas, 32 random characters or more "
        "each; our own parts send the first; required unless the views listen on loopback only",
    )
    worker_certificate: CertificateFile | None = Field(
        None, description="certificate, chain and key (one PEM file) of the worker's HTTP views; without it no TLS"
    )
    worker_ca: CaFile | None = Field(
        None, description="CA certificates of the workers' HTTP views (PEM), if the system doesn't know them"
    )
    worker_host: Host = Field("127.0.0.1", description="host at which other workers reach these views")
    worker_port: OwnPort = Field(6066, description="port of the worker's HTTP views")
    worker_data: Path = Field(Path(".turnstile/worker-0"), description="folder of the worker's RocksDB tables")
    ledger_snapshots: Path | None = Field(
        None,
        description="folder of the snapshots that `turnstile ledger snapshot` makes, for `why`, `event` and the views",
    )
    worker_url: Urls = Field(
        "http://127.0.0.1:6066",
        description="addresses of ledger workers' HTTP views, for the API, separated by commas; each answers for all",
    )
    exporter_bind: Bind = Field("127.0.0.1", description="address of the exporter's /metrics")
    exporter_port: OwnPort = Field(9101, description="port of the exporter's /metrics")
    exporter_pause: float = Field(5.0, gt=0, le=60, description="seconds between two queries of the exporter")

    @field_validator("worker_tokens")
    @classmethod
    def _are_hard_to_guess_and_there(cls, tokens: SecretStr | None, known: ValidationInfo) -> SecretStr | None:
        if tokens is None and not is_loopback(known.data.get("worker_bind", "localhost")):
            raise ValueError("is required where TURNSTILE_WORKER_BIND is not a loopback address")
        for token in [] if tokens is None else split(tokens.get_secret_value()):
            check_key(token)
        return tokens

    @property
    def worker_urls(self) -> list[str]:
        """The addresses of the ledger's workers, in order of preference."""
        return split(self.worker_url)

    @property
    def worker_token_list(self) -> list[str]:
        """The tokens for reading the workers' views; none where everybody may. Our own parts send the first."""
        return [] if self.worker_tokens is None else split(self.worker_tokens.get_secret_value())
