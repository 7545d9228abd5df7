"""Every setting of the deployed parts, read once from the environment (prefix ``TURNSTILE_``).

A value may also come from a file with the setting's name in the folder ``TURNSTILE_SECRETS_DIR``, so that secrets need
not be in the environment.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Final, Literal, NoReturn

from limits import parse_many
from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from setting_types import (
    CaFile,
    CertificateFile,
    DatabaseUrl,
    ExistingFile,
    Host,
    Origin,
    OwnPort,
    Port,
    Producers,
    Sender,
    Servers,
    SslMode,
    Url,
    Urls,
    producer_quotas,
    tls_parameters,
    with_options,
)

# What a worker does. Each role is a consumer group with processes of its own, so each scales independently.
Role = Literal["ledger", "indexer", "notifications", "sales", "gate", "payments"]

PREFIX: Final = "TURNSTILE_"
SECRETS_FOLDER: Final = f"{PREFIX}SECRETS_DIR"
# The exit code of a process that does not start because of its settings.
WRONG_SETTINGS_EXIT_CODE: Final = 2
_TEMPLATE_WORDS = ("secret", "change", "password", "default", "example", "turnstile")


class Settings(BaseSettings):
    """The addresses of the servers and the behaviour of the parts. docs/settings.md is generated from it."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    kafka_servers: Servers = Field(
        "127.0.0.1:19092", description="Kafka's bootstrap servers: host:port, separated by commas"
    )
    kafka_user: str | None = Field(None, description="user of Kafka, if it requires one (SASL)")
    kafka_password: SecretStr | None = Field(None, validate_default=True, description="that user's password")
    kafka_mechanism: Literal["SCRAM-SHA-512", "PLAIN"] = Field(
        "SCRAM-SHA-512", description="SASL mechanism: SCRAM-SHA-512, or PLAIN for a user in the broker's configuration"
    )
    kafka_passwords_dir: str = Field(
        "/run/secrets",
        description="folder with a file kafka_<principal>_password for each user that `turnstile kafka-access` makes",
    )
    kafka_ca: CaFile | None = Field(None, description="CA certificates of Kafka (PEM), if it uses TLS")
    partitions: int = Field(4, ge=1, le=256, description="number of partitions of topics keyed by event")
    replication_factor: int = Field(1, ge=1, description="replicas of every topic; 3 in production")
    min_insync_replicas: int = Field(1, ge=1, description="replicas that must acknowledge a record; 2 in production")

    database_sslmode: SslMode | None = Field(
        None,
        description="TLS to PostgreSQL, Debezium's too: disable, prefer, require, verify-ca or verify-full; "
        "added to TURNSTILE_DATABASE_URL",
    )
    database_ca: CaFile | None = Field(None, description="CA certificate of PostgreSQL, for verify-ca and verify-full")
    database_url: DatabaseUrl = Field(
        SecretStr("postgresql://turnstile@127.0.0.1:15432/turnstile"),
        validate_default=True,
        description="PostgreSQL of the write model and the sales projection",
    )

    connect_url: Url = Field("http://127.0.0.1:18083", description="address of Kafka Connect's REST interface")
    connect_database_host: Host = Field("127.0.0.1", description="PostgreSQL's host as seen from Kafka Connect")
    connect_database_port: Port = Field(15432, description="PostgreSQL's port as seen from Kafka Connect")
    connect_database_name: str = Field("turnstile", description="database that Debezium reads")
    connect_database_user: str = Field("turnstile_cdc", description="PostgreSQL role of Debezium (least privilege)")
    connect_database_ca: str | None = Field(
        None, description="file of PostgreSQL's CA certificate as seen from Kafka Connect"
    )
    connect_secrets_dir: str = Field(
        "/run/secrets", description="folder with the file cdc_password, as seen from Kafka Connect"
    )
    bootstrap_seconds: int = Field(
        120, ge=1, description="seconds that `python -m connect` waits for each of Kafka, Kafka Connect and new rows"
    )

    elasticsearch_url: Url = Field("http://127.0.0.1:19200", description="address of Elasticsearch")
    elasticsearch_user: str | None = Field(None, description="Elasticsearch user, if security is enabled")
    elasticsearch_password: SecretStr | None = Field(None, description="that user's password")
    elasticsearch_indexer_password: SecretStr | None = Field(
        None, description="password that `turnstile search-access` sets for the user turnstile_indexer"
    )
    elasticsearch_reader_password: SecretStr | None = Field(
        None, description="password that `turnstile search-access` sets for the user turnstile_reader"
    )
    elasticsearch_exporter_password: SecretStr | None = Field(
        None, description="password that `turnstile search-access` sets for the user turnstile_exporter"
    )
    elasticsearch_ca: ExistingFile | None = Field(None, description="CA certificate of Elasticsearch, if it uses TLS")

    smtp_host: Host = Field("127.0.0.1", description="host of the mail server")
    smtp_port: Port = Field(11025, description="port of the mail server")
    smtp_user: str | None = Field(None, description="user of the mail server, if it requires one")
    smtp_password: SecretStr | None = Field(None, description="that user's password")
    smtp_tls: bool = Field(False, description="whether to use STARTTLS")
    mail_from: Sender = Field("Turnstile <tickets@turnstile.example>", description="sender of all mails")

    api_bind: Host = Field("127.0.0.1", description="address that the API listens on")
    api_port: OwnPort = Field(9000, description="port that the API listens on")
    site_url: Origin = Field(
        "http://127.0.0.1:9000", description="public address of the pages; links in mails begin with it"
    )
    api_url: Url = Field("http://127.0.0.1:9000", description="address of the API, for `turnstile status`")
    api_connections: int = Field(
        4_000, ge=1, le=100_000, description="maximum number of connections to the API; further ones get 503"
    )
    api_connections_per_client: int = Field(
        1_000,
        ge=1,
        le=100_000,
        description="the same per client (an IPv4 address or an IPv6 /64 network), if there are no proxies",
    )
    cors_origins: Urls | None = Field(
        None,
        description="origins whose scripts may use the API, such as https://shop.example, separated by commas",
    )
    api_metrics_bind: Host = Field(
        "127.0.0.1", description="address of the API's /metrics; make it reachable for operators only"
    )
    api_metrics_port: OwnPort = Field(9100, description="port of the API's /metrics; 0 for any free port")
    purchase_wait: float = Field(2.0, ge=0, le=30, description="seconds that POST /purchases waits for the decision")

    most_waiting: int = Field(
        1_000,
        ge=1,
        le=10_000,
        description="maximum number of purchases waiting in an API process; further ones get 503",
    )

    producers: Producers = Field(
        "partner=1000,kiosk=1000",
        description="other producers, each with the requests per second that it may write to a partition of "
        "`ticket-requests.<name>`: name=number, separated by commas",
    )

    producers_with_payments: str = Field(
        "",
        description="those of the other producers that take the money themselves and may confirm with a payment, "
        "separated by commas",
    )

    paper_url: Url = Field(
        "http://127.0.0.1:18090", description="address of Paper, the provider of payments to try with"
    )
    paper_key: SecretStr | None = Field(
        None, description="key shared with Paper, at least 32 random characters; without it nothing is paid online"
    )

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
    worker_bind: Host = Field("127.0.0.1", description="address that the worker's HTTP views listen on")
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

    exporter_bind: Host = Field("127.0.0.1", description="address of the exporter's /metrics")
    exporter_port: OwnPort = Field(9101, description="port of the exporter's /metrics")
    exporter_pause: float = Field(5.0, gt=0, le=60, description="seconds between two queries of the exporter")

    token_key: SecretStr | None = Field(
        None, description="key that signs the API's tokens, at least 32 random characters; required by the API"
    )
    token_key_before: SecretStr | None = Field(
        None, description="the previous key, while tokens signed with it are still valid"
    )
    link_key: SecretStr | None = Field(
        None,
        validate_default=True,
        description="key that signs the links in mails, at least 32 random characters; "
        "required by the API and the role notifications",
    )
    link_key_before: SecretStr | None = Field(
        None, description="the previous key, while links signed with it are still valid"
    )
    token_seconds: int = Field(900, ge=30, le=86400, description="lifetime of a token in seconds")
    session_seconds: int = Field(28_800, ge=30, le=86400, description="lifetime of a session on the pages in seconds")
    sign_in_limit: str = Field("1000 per minute", description="maximum rate of sign-ins by one client")
    sign_up_limit: str = Field(
        "300 per minute; 3000 per hour", description="maximum rate of mails with a code or a link for one client"
    )
    sign_in_tries: int = Field(
        3, ge=1, le=1_000_000, description="wrong passwords of a client for one account before it must wait"
    )
    sign_up_tries: int = Field(
        3, ge=1, le=1_000_000, description="mails with a code or a link to one address before its client must wait"
    )
    trusted_proxies: int = Field(
        0, ge=0, le=10, description="number of proxies before the API whose X-Forwarded-For and -Proto are trusted"
    )
    admin_email: Sender = Field(
        "admin@turnstile.example", description="address of the account that `turnstile administrator` creates"
    )
    admin_password: SecretStr | None = Field(
        None, description="that account's initial password, at least 10 characters"
    )

    ticket_key: SecretStr = Field(
        min_length=32, description="key of the ticket codes (keyed hash), at least 32 characters"
    )
    hold_seconds: int = Field(600, ge=1, le=86400, description="length of a hold if the buyer specifies none")
    hold_seconds_max: int = Field(
        3600, ge=0, le=86400, description="maximum length of a hold, 0 for a day; set by the ledger's workers"
    )
    hold_tickets_max: int = Field(
        20,
        ge=0,
        le=10_000_000,
        description="maximum number of tickets that an account may hold of an event, 0 for no limit; "
        "set by the ledger's workers",
    )
    payment_seconds: int = Field(
        900,
        ge=1,
        le=86_400,
        description="seconds that a purchase which must be paid online is held; set by the ledger's workers",
    )
    hold_tickets_overall_max: int = Field(
        60,
        ge=0,
        description="maximum number of tickets that an account may hold overall, 0 for no limit; set by the API",
    )
    hold_cooldown_seconds: int = Field(
        60,
        ge=0,
        le=3600,
        description="seconds before an account may hold a ticket type again after it gave back or lost a hold of it; "
        "set by the ledger's workers",
    )

    supervisor_file: Path | None = Field(
        None,
        description="file where the embedded stack's supervisor writes the state of its parts, for `turnstile status`",
    )

    zipkin_url: Url | None = Field(
        None, description="address of Zipkin, such as http://127.0.0.1:9411; without it nothing is traced"
    )
    trace_ratio: float = Field(0.01, ge=0, le=1, description="share of the API's requests that are traced, from 0 to 1")

    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="lowest level that is logged: debug, info, warning or error"
    )
    log_format: Literal["json", "text"] = Field("json", description="format of log lines: json, or text for people")
    access_log: bool = Field(False, description="whether to log each request to the API")

    @field_validator("kafka_password")
    @classmethod
    def _belongs_to_a_user(cls, password: SecretStr | None, known: ValidationInfo) -> SecretStr | None:
        if (password is None) != (known.data.get("kafka_user") is None):
            raise ValueError("is set if, and only if, TURNSTILE_KAFKA_USER is")
        return password

    @field_validator("producers_with_payments")
    @classmethod
    def _are_producers(cls, names: str, known: ValidationInfo) -> str:
        if names and set(split(names)) - producer_quotas(known.data.get("producers", "")).keys():
            raise ValueError("must be names of TURNSTILE_PRODUCERS")
        return names

    @field_validator("database_url")
    @classmethod
    def _with_tls(cls, url: SecretStr, known: ValidationInfo) -> SecretStr:
        return with_options(url, tls_parameters(known.data.get("database_sslmode"), known.data.get("database_ca")))

    @field_validator("token_key", "token_key_before", "link_key", "link_key_before", "paper_key")
    @classmethod
    def _is_hard_to_guess(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None and is_weak(key.get_secret_value()):
            raise ValueError("is too easy to guess; `python -c 'import secrets; print(secrets.token_urlsafe(32))'`")
        return key

    @field_validator("worker_tokens")
    @classmethod
    def _are_hard_to_guess_and_there(cls, tokens: SecretStr | None, known: ValidationInfo) -> SecretStr | None:
        if tokens is None and not is_loopback(known.data.get("worker_bind", "localhost")):
            raise ValueError("is required where TURNSTILE_WORKER_BIND is not a loopback address")
        if tokens is not None and any(is_weak(token) for token in split(tokens.get_secret_value())):
            raise ValueError("is too easy to guess; `python -c 'import secrets; print(secrets.token_urlsafe(32))'`")
        return tokens

    @field_validator("sign_in_limit", "sign_up_limit")
    @classmethod
    def _is_a_limit(cls, limit: str) -> str:
        parse_many(limit)
        return limit

    @field_validator("link_key")
    @classmethod
    def _is_there_where_mails_are_made(cls, key: SecretStr | None, known: ValidationInfo) -> SecretStr | None:
        if key is None and known.data.get("role") == "notifications":
            raise ValueError("the role notifications needs it, to sign the links in mails")
        return key

    @property
    def worker_urls(self) -> list[str]:
        """The addresses of the ledger's workers, in order of preference."""
        return split(self.worker_url)

    @property
    def worker_token_list(self) -> list[str]:
        """The tokens for reading the workers' views; none where everybody may. Our own parts send the first."""
        return [] if self.worker_tokens is None else split(self.worker_tokens.get_secret_value())

    @property
    def producer_quotas(self) -> dict[str, int]:
        """By producer, its requests per second and partition."""
        return producer_quotas(self.producers)

    @property
    def paid_producers(self) -> frozenset[str]:
        """The other producers that may confirm with a payment."""
        return frozenset(split(self.producers_with_payments))

    @property
    def database_tls(self) -> dict[str, str]:
        """The parameters of TLS that ``database_url`` has, for a connection with another user."""
        return tls_parameters(self.database_sslmode, self.database_ca)

    @property
    def allowed_origins(self) -> list[str]:
        """The origins whose scripts may use the API, as browsers send them."""
        return [url.strip().rstrip("/") for url in (self.cors_origins or "").split(",") if url.strip()]

    def signing_keys(self) -> list[str]:
        """The keys of tokens; the first one signs. Raises MissingKey."""
        if self.token_key is None:
            raise MissingKey("the API does not start without TURNSTILE_TOKEN_KEY, the key that signs tokens")
        return _present(self.token_key, self.token_key_before)

    def link_keys(self) -> list[str]:
        """The keys of the links in mails; the first one signs. Raises MissingKey."""
        if self.link_key is None:
            raise MissingKey("the API does not start without TURNSTILE_LINK_KEY, the key of the links in mails")
        return _present(self.link_key, self.link_key_before)


class MissingKey(Exception):
    """A key that this part requires."""


def _present(*keys: SecretStr | None) -> list[str]:
    return [key.get_secret_value() for key in keys if key is not None]


def split(text: str) -> list[str]:
    """The parts of a text with commas between."""
    return [each.strip() for each in text.split(",")]


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens on an address."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def is_weak(key: str) -> bool:
    """Whether a key is short, repetitive, or contains words that examples and templates use."""
    return len(key) < 32 or len(set(key)) < 12 or any(word in key.lower() for word in _TEMPLATE_WORDS)


@cache
def settings() -> Settings:
    """The settings of this process. Exits with a line for each setting that is missing or invalid."""
    with faults_named():
        try:
            return Settings(_secrets_dir=_secrets_folder())
        except (SettingsError, OSError, UnicodeDecodeError) as error:
            exit_with(f"{SECRETS_FOLDER}: {error}")


@contextmanager
def faults_named() -> Iterator[None]:
    """Exit with a line for each invalid setting, without its value, which may be secret."""
    try:
        yield
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        exit_with(
            *(f"{PREFIX}{str(one['loc'][0]).upper()}: {one['msg'].removeprefix('Value error, ')}" for one in faults)
        )


def exit_with(*lines: str) -> NoReturn:
    """Exit because of the settings. The lines say why."""
    print(*lines, sep="\n", file=sys.stderr)
    sys.exit(WRONG_SETTINGS_EXIT_CODE)


def _secrets_folder() -> str | None:
    folder = os.environ.get(SECRETS_FOLDER)
    if folder is not None and not Path(folder).is_dir():
        raise NotADirectoryError(f"{folder} is no folder")
    return folder
