"""Settings of the servers that the parts use, and how they reach them."""

from typing import Final, Literal

from pydantic import BaseModel, Field, SecretStr, ValidationInfo, field_validator

from settings.types import (
    CaFile,
    DatabaseUrl,
    ExistingFile,
    Host,
    Port,
    Sender,
    Servers,
    SslMode,
    Url,
    UrlWithPort,
    tls_parameters,
    with_options,
)

# libpq's own limit is 130 s where a server takes connections and does not answer.
DATABASE_CONNECT_TIMEOUT_S: Final = 5
# After about 10 s a connection ends whose server is gone without a word: its machine, or the network. The system's own
# limits are a quarter of an hour for what is sent, and two hours for an answer.
DATABASE_LIMITS: Final = {
    "connect_timeout": str(DATABASE_CONNECT_TIMEOUT_S),
    "keepalives_idle": "5",
    "keepalives_interval": "5",
    "keepalives_count": "2",
    "tcp_user_timeout": "10000",
}


class ServerSettings(BaseModel):
    """Kafka, PostgreSQL, Kafka Connect, Elasticsearch and the mail server."""

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
    replication_factor: int = Field(1, ge=1, le=32_767, description="replicas of every topic; 3 in production")
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
        description="PostgreSQL of the write model and the sales projection; without others, its limits are "
        + ", ".join(f"{name}={limit}" for name, limit in DATABASE_LIMITS.items()),
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
        120,
        ge=1,
        le=86_400,
        description="seconds that `python -m connect` waits for each of Kafka, Kafka Connect and new rows",
    )

    elasticsearch_url: UrlWithPort = Field("http://127.0.0.1:19200", description="address of Elasticsearch")
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
    mail_retry_seconds: float = Field(
        30.0, gt=0, le=3600, description="seconds until a mail that can't be sent yet is tried again"
    )

    @field_validator("kafka_password")
    @classmethod
    def _belongs_to_a_user(cls, password: SecretStr | None, known: ValidationInfo) -> SecretStr | None:
        if (password is None) != (known.data.get("kafka_user") is None):
            raise ValueError("is set if, and only if, TURNSTILE_KAFKA_USER is")
        return password

    @field_validator("database_url")
    @classmethod
    def _with_tls_and_limits(cls, url: SecretStr, known: ValidationInfo) -> SecretStr:
        options = tls_parameters(known.data.get("database_sslmode"), known.data.get("database_ca"))
        limits = {name: limit for name, limit in DATABASE_LIMITS.items() if name not in url.get_secret_value()}
        return with_options(url, options | limits)

    @property
    def database_tls(self) -> dict[str, str]:
        """The parameters of TLS that ``database_url`` has, for a connection with another user."""
        return tls_parameters(self.database_sslmode, self.database_ca)
