"""The settings of Kafka, Elasticsearch and mail as arguments of each client library: the addresses, the user, TLS.

And the codes of these servers that several parts have to know.
"""

import ssl
from collections.abc import Mapping
from typing import Any, Final

from settings.servers import ServerSettings
from settings.types import split

# Arguments of a client of kafka-python or aiokafka. Both call them the same.
ClientOptions = Mapping[str, Any]

# The prefixes of the clients that a worker of Kafka Connect has: its own, and those of its connectors.
CONNECT_PREFIXES: Final = ("", "producer.", "consumer.", "admin.")
LOGIN_MODULES: Final = {
    "SCRAM-SHA-512": "org.apache.kafka.common.security.scram.ScramLoginModule",
    "PLAIN": "org.apache.kafka.common.security.plain.PlainLoginModule",
}
# The codes of a mail server that will never take what it refuses (RFC 5321, 5yz).
PERMANENT_CODES: Final = range(500, 600)
# Elasticsearch's error type for an alias or index that is not there.
NO_INDEX: Final = "index_not_found_exception"


def client_options(settings: ServerSettings) -> dict[str, Any]:
    """The arguments of a client of kafka-python or aiokafka."""
    options: dict[str, Any] = {"bootstrap_servers": split(settings.kafka_servers)}
    if settings.kafka_user is None and settings.kafka_ca is None:
        return options
    options["security_protocol"] = security_protocol(settings)
    if settings.kafka_ca is not None:
        options["ssl_context"] = tls_context(settings)
    if settings.kafka_user is not None and settings.kafka_password is not None:
        options["sasl_mechanism"] = settings.kafka_mechanism
        options["sasl_plain_username"] = settings.kafka_user
        options["sasl_plain_password"] = settings.kafka_password.get_secret_value()
    return options


def elasticsearch_options(settings: ServerSettings, timeout_s: float) -> dict[str, Any]:
    """The arguments of a client of Elasticsearch, asynchronous or not. It does not retry: that is its caller's."""
    options: dict[str, Any] = {
        "hosts": settings.elasticsearch_url,
        "request_timeout": timeout_s,
        "max_retries": 0,
        "retry_on_timeout": False,
    }
    if settings.elasticsearch_user and settings.elasticsearch_password:
        options["basic_auth"] = (settings.elasticsearch_user, settings.elasticsearch_password.get_secret_value())
    if settings.elasticsearch_ca:
        options["ca_certs"] = str(settings.elasticsearch_ca)
    return options


def smtp_options(settings: ServerSettings, timeout_s: float) -> dict[str, Any]:
    """The arguments of a client of aiosmtplib; ``timeout_s`` is that of each answer."""
    password = settings.smtp_password
    return {
        "hostname": settings.smtp_host,
        "port": settings.smtp_port,
        "username": settings.smtp_user,
        "password": password.get_secret_value() if password else None,
        "start_tls": settings.smtp_tls,
        "timeout": timeout_s,
    }


def security_protocol(settings: ServerSettings) -> str:
    """Kafka's name for the protocol of the settings: PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL."""
    transport = "PLAINTEXT" if settings.kafka_ca is None else "SSL"
    return transport if settings.kafka_user is None else f"SASL_{transport}"


def tls_context(settings: ServerSettings) -> ssl.SSLContext | None:
    """The TLS context that trusts the CA of the settings and checks the broker's name; None without a CA."""
    return None if settings.kafka_ca is None else ssl.create_default_context(cafile=str(settings.kafka_ca))


def connect_properties(user: str, password: str) -> dict[str, str]:
    """The security properties, without TLS, of a Kafka Connect worker and of its connectors' clients.

    ``password`` may be a reference such as ``${directory:/run/secrets:name}``.
    """
    values = {
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.jaas.config": login("SCRAM-SHA-512", user, password),
    }
    return {prefix + name: value for prefix in CONNECT_PREFIXES for name, value in values.items()}


def login(mechanism: str, user: str, password: str, **users: str) -> str:
    """A JAAS line of Kafka's Java clients and brokers; ``users`` are those that a broker's PLAIN listener knows."""
    known = "".join(f' user_{name}="{word}"' for name, word in users.items())
    return f'{LOGIN_MODULES[mechanism]} required username="{user}" password="{password}"{known};'
