"""Every setting of the deployed parts, read once from the environment (prefix ``TURNSTILE_``).

A value may also come from a file named like the setting in the folder that
``TURNSTILE_SECRETS_DIR`` names, so that no secret need stand in an environment.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final, Literal, NoReturn

from limits import parse_many
from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from setting_types import DatabaseUrl, ExistingFile, Host, Origin, OwnPort, Port, Sender, Servers, Url, Urls

# What a worker does: each role is a consumer group and a process of its own, so that each scales alone.
Role = Literal["ledger", "indexer", "notifications", "sales"]

PREFIX: Final = "TURNSTILE_"
FOLDER: Final = f"{PREFIX}SECRETS_DIR"
# What a process ends with that does not start because of a setting.
WRONG: Final = 2
_TEMPLATE_WORDS = ("secret", "change", "password", "default", "example", "turnstile")


class Settings(BaseSettings):
    """Where the servers are and how the parts behave. The table in docs/settings.md is made from it."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    kafka_servers: Servers = Field(
        "127.0.0.1:19092", description="Kafka bootstrap servers, host:port, separated by commas"
    )
    partitions: int = Field(4, ge=1, le=256, description="partitions of every topic that is keyed by event")
    replication_factor: int = Field(1, ge=1, description="replicas of every topic; 3 in production")
    min_insync_replicas: int = Field(1, ge=1, description="replicas that must acknowledge a record; 2 in production")

    database_url: DatabaseUrl = Field(
        SecretStr("postgresql://turnstile@127.0.0.1:15432/turnstile"),
        description="PostgreSQL of the write model and the sales projection",
    )

    connect_url: Url = Field("http://127.0.0.1:18083", description="REST address of Kafka Connect")
    connect_database_host: Host = Field("127.0.0.1", description="PostgreSQL's host as Kafka Connect sees it")
    connect_database_port: Port = Field(15432, description="PostgreSQL's port as Kafka Connect sees it")
    connect_database_name: str = Field("turnstile", description="database that Debezium reads")
    connect_database_user: str = Field("turnstile_cdc", description="PostgreSQL role of Debezium (least privilege)")
    connect_secrets_dir: str = Field(
        "/run/secrets", description="folder, as Kafka Connect sees it, that holds the file cdc_password"
    )
    bootstrap_seconds: int = Field(
        120, ge=1, description="how long `python -m connect` waits for Kafka, for Connect and for new rows, each"
    )

    elasticsearch_url: Url = Field("http://127.0.0.1:19200", description="Elasticsearch address")
    elasticsearch_user: str | None = Field(None, description="Elasticsearch user, where security is on")
    elasticsearch_password: SecretStr | None = Field(None, description="that user's password")
    elasticsearch_indexer_password: SecretStr | None = Field(
        None, description="password that `python -m ops.search_access` gives the user turnstile_indexer"
    )
    elasticsearch_reader_password: SecretStr | None = Field(
        None, description="password that `python -m ops.search_access` gives the user turnstile_reader"
    )
    elasticsearch_ca: ExistingFile | None = Field(
        None, description="CA certificate of Elasticsearch, where it speaks TLS"
    )

    smtp_host: Host = Field("127.0.0.1", description="mail server")
    smtp_port: Port = Field(11025, description="mail server's port")
    smtp_user: str | None = Field(None, description="mail user, where the server wants one")
    smtp_password: SecretStr | None = Field(None, description="that user's password")
    smtp_tls: bool = Field(False, description="use STARTTLS")
    mail_from: Sender = Field("Turnstile <tickets@turnstile.example>", description="sender of every mail")

    api_bind: Host = Field("127.0.0.1", description="address that the API listens on")
    api_port: OwnPort = Field(9000, description="port that the API listens on")
    site_url: Origin = Field(
        "http://127.0.0.1:9000", description="address of the pages as people reach them; links in mails begin with it"
    )
    api_url: Url = Field("http://127.0.0.1:9000", description="address of the API, for `turnstile status`")
    api_connections: int = Field(
        4_000, ge=1, le=100_000, description="connections that the API takes at once; one more is answered 503"
    )
    api_connections_per_client: int = Field(
        1_000,
        ge=1,
        le=100_000,
        description="the same for one client (an IPv4 address, an IPv6 network of 64 bits), where there are no proxies",
    )
    cors_origins: Urls | None = Field(
        None,
        description="sites whose scripts may use the API, such as https://shop.example, separated by commas; or none",
    )
    api_metrics_bind: Host = Field(
        "127.0.0.1", description="address of the API's /metrics; only operators may reach it"
    )
    api_metrics_port: OwnPort = Field(9100, description="port of the API's /metrics; 0 takes any that is free")
    purchase_wait: float = Field(2.0, ge=0, le=30, description="seconds that POST /purchases waits for a decision")

    most_waiting: int = Field(
        1_000, ge=1, le=10_000, description="purchases that may wait in one API process; one more is answered 503"
    )

    role: Role = Field("ledger", description="what this worker does: ledger, indexer, notifications or sales")
    standbys: int = Field(
        1, ge=0, le=8, description="ledger workers that keep a warm copy of a partition beside the one that decides it"
    )
    worker_id: str = Field(
        "worker-0", description="stable name of this worker within its role (static group membership)"
    )
    worker_bind: Host = Field("127.0.0.1", description="address of the worker's web views")
    worker_host: Host = Field("127.0.0.1", description="host under which other workers reach the web views")
    worker_port: OwnPort = Field(6066, description="port of the worker's web views")
    worker_data: Path = Field(Path(".turnstile/worker-0"), description="folder of the worker's RocksDB tables")
    worker_url: Urls = Field(
        "http://127.0.0.1:6066",
        description="addresses of ledger workers' web views, separated by commas, for the API: any one answers for all",
    )

    exporter_bind: Host = Field("127.0.0.1", description="address of the exporter's /metrics")
    exporter_port: OwnPort = Field(9101, description="port of the exporter's /metrics")
    exporter_pause: float = Field(5.0, gt=0, le=60, description="seconds between two looks of the exporter")

    token_key: SecretStr | None = Field(
        None, description="key that the API signs tokens with: 32 random characters or more; the API needs it"
    )
    token_key_before: SecretStr | None = Field(
        None, description="the key before that one, while tokens that it signed are still about"
    )
    link_key: SecretStr | None = Field(
        None,
        validate_default=True,
        description="key that the links in mails are signed with: 32 random characters or more; "
        "the API and the role notifications need it",
    )
    link_key_before: SecretStr | None = Field(
        None, description="the key before that one, while links that it signed are still about"
    )
    token_seconds: int = Field(900, ge=30, le=86400, description="how long a token is good")
    session_seconds: int = Field(28_800, ge=30, le=86400, description="how long one stays signed in to the pages")
    sign_in_limit: str = Field("1000 per minute", description="how often one client may sign in, with any password")
    sign_up_limit: str = Field(
        "300 per minute; 3000 per hour", description="how many mails with a code or a link one client may ask for"
    )
    sign_in_tries: int = Field(
        3, ge=1, le=1_000_000, description="wrong passwords of one client for one account before it has to wait"
    )
    sign_up_tries: int = Field(
        3, ge=1, le=1_000_000, description="mails with a code or a link to one address before its client has to wait"
    )
    trusted_proxies: int = Field(
        0, ge=0, le=10, description="proxies in front of the API whose X-Forwarded-For and -Proto are believed"
    )
    admin_email: Sender = Field(
        "admin@turnstile.example", description="address of the account that `python -m api.administrator` makes"
    )
    admin_password: SecretStr | None = Field(None, description="that account's first password, 10 characters or more")

    ticket_key: SecretStr = Field(
        min_length=32, description="key of the ticket codes (keyed hash): 32 characters or more"
    )
    hold_seconds: int = Field(600, ge=1, le=86400, description="how long a hold lasts when the buyer names no time")
    hold_seconds_max: int = Field(
        3600, ge=0, le=86400, description="longest hold, in seconds, 0 for a day; set by the ledger's workers"
    )
    hold_tickets_max: int = Field(
        20,
        ge=0,
        le=10_000_000,
        description="tickets of an event that an account may hold, 0 for any number; set by the ledger's workers",
    )
    hold_tickets_overall_max: int = Field(
        60, ge=0, description="tickets of all events that an account may hold, 0 for any number; the API sees to it"
    )
    hold_cooldown_seconds: int = Field(
        60,
        ge=0,
        le=3600,
        description="seconds until an account may hold a ticket type again of which it gave back or lost a hold; "
        "set by the ledger's workers",
    )

    supervisor_file: Path | None = Field(
        None,
        description="file in which the embedded stack's supervisor notes how its parts are, for `turnstile status`",
    )

    zipkin_url: Url | None = Field(
        None, description="Zipkin that spans are sent to, such as http://127.0.0.1:9411; none are made without it"
    )
    trace_ratio: float = Field(
        0.01, ge=0, le=1, description="share of the API's requests that are traced, 0 to 1, where a Zipkin is set"
    )

    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="the least that is logged: debug, info, warning or error"
    )
    log_format: Literal["json", "text"] = Field(
        "json", description="a line of the log: json, or text to be read by people"
    )
    access_log: bool = Field(False, description="log a line for each request that the API answers")

    @field_validator("token_key", "token_key_before", "link_key", "link_key_before")
    @classmethod
    def _is_hard_to_guess(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None and is_weak(key.get_secret_value()):
            raise ValueError("is too easy to guess; `python -c 'import secrets; print(secrets.token_urlsafe(32))'`")
        return key

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
        """The addresses of the ledger's workers, the one to ask first at the beginning."""
        return [url.strip() for url in self.worker_url.split(",")]

    @property
    def allowed_origins(self) -> list[str]:
        """The sites whose scripts may use the API, as browsers name them."""
        return [url.strip().rstrip("/") for url in (self.cors_origins or "").split(",") if url.strip()]

    def signing_keys(self) -> list[str]:
        """The keys of tokens, the one to sign with first. Raises MissingKey."""
        if self.token_key is None:
            raise MissingKey("the API does not start without TURNSTILE_TOKEN_KEY, the key that signs tokens")
        return _present(self.token_key, self.token_key_before)

    def link_keys(self) -> list[str]:
        """The keys of the links in mails, the one to sign with first. Raises MissingKey."""
        if self.link_key is None:
            raise MissingKey("the API does not start without TURNSTILE_LINK_KEY, the key of the links in mails")
        return _present(self.link_key, self.link_key_before)


class MissingKey(Exception):
    """A key that this part cannot do without."""


def _present(*keys: SecretStr | None) -> list[str]:
    return [key.get_secret_value() for key in keys if key is not None]


def is_weak(key: str) -> bool:
    """Whether a key is short, repetitive or made of the words that examples and templates have."""
    return len(key) < 32 or len(set(key)) < 12 or any(word in key.lower() for word in _TEMPLATE_WORDS)


@cache
def settings() -> Settings:
    """The settings of this process. Ends it, with a line for each, where some are missing or don't fit."""
    with faults_named():
        try:
            return Settings(_secrets_dir=_secrets_folder())
        except (SettingsError, OSError, UnicodeDecodeError) as error:
            end(f"{FOLDER}: {error}")


@contextmanager
def faults_named() -> Iterator[None]:
    """End the process with a line for each setting that does not fit, without its value, which may be secret."""
    try:
        yield
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        end(*(f"{PREFIX}{str(one['loc'][0]).upper()}: {one['msg'].removeprefix('Value error, ')}" for one in faults))


def end(*lines: str) -> NoReturn:
    """End the process, which can't start with its settings. The lines say why."""
    print(*lines, sep="\n", file=sys.stderr)
    sys.exit(WRONG)


def _secrets_folder() -> str | None:
    folder = os.environ.get(FOLDER)
    if folder is not None and not Path(folder).is_dir():
        raise NotADirectoryError(f"{folder} is no folder")
    return folder
