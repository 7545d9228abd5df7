"""The arguments of every client of Kafka and Elasticsearch, and of the connections to PostgreSQL."""

import os
import socket
import ssl
import threading
import time
from base64 import b64encode
from pathlib import Path
from typing import Any

import psycopg
import pytest
from elasticsearch import AsyncElasticsearch, Elasticsearch
from faust.transport.drivers.aiokafka import credentials_to_aiokafka_auth
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from pydantic import ValidationError

from connect.client_options import client_options, connect_properties, elasticsearch_options
from connect.connectors.configuration import connection
from ops.certificate import self_signed
from settings.servers import DATABASE_LIMITS
from streams.runtime.app import credentials

SASL = {
    "security_protocol": "SASL_PLAINTEXT",
    "sasl_mechanism": "SCRAM-SHA-512",
    "sasl_plain_username": "api",
    "sasl_plain_password": "word",
}


@pytest.fixture
def ca(tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    path.write_text(self_signed())
    return path


def test_without_security_there_are_the_servers_alone(make_settings: Any) -> None:
    assert client_options(make_settings(kafka_servers="a:1, b:2")) == {"bootstrap_servers": ["a:1", "b:2"]}


def test_a_user_signs_in_by_scram(make_settings: Any) -> None:
    options = client_options(make_settings(kafka_user="api", kafka_password="word"))
    assert options.items() >= SASL.items()
    assert "ssl_context" not in options


def test_a_user_in_the_brokers_configuration_signs_in_by_plain(make_settings: Any) -> None:
    now = make_settings(kafka_user="admin", kafka_password="word", kafka_mechanism="PLAIN")
    assert client_options(now)["sasl_mechanism"] == "PLAIN"


@pytest.mark.parametrize(
    ("values", "protocol"), [({}, "SSL"), ({"kafka_user": "api", "kafka_password": "word"}, "SASL_SSL")]
)
def test_with_a_ca_the_brokers_certificate_and_name_are_checked(
    make_settings: Any, ca: Path, values: dict[str, str], protocol: str
) -> None:
    options = client_options(make_settings(kafka_ca=ca, **values))
    assert options["security_protocol"] == protocol
    assert options["ssl_context"].verify_mode is ssl.CERT_REQUIRED
    assert options["ssl_context"].check_hostname
    assert options["ssl_context"].cert_store_stats()["x509"] == 1


@pytest.mark.parametrize("client", [KafkaAdminClient, KafkaConsumer, KafkaProducer])
def test_kafka_python_knows_every_argument(make_settings: Any, ca: Path, client: Any) -> None:
    options = client_options(make_settings(kafka_ca=ca, kafka_user="api", kafka_password="word"))
    assert options.keys() <= client.DEFAULT_CONFIG.keys()


def test_elasticsearch_is_asked_once_without_a_user_or_a_ca(make_settings: Any) -> None:
    assert elasticsearch_options(make_settings(elasticsearch_url="http://a:1"), 2.0) == {
        "hosts": "http://a:1",
        "request_timeout": 2.0,
        "max_retries": 0,
        "retry_on_timeout": False,
    }


@pytest.mark.parametrize("client", [Elasticsearch, AsyncElasticsearch])
def test_both_clients_of_elasticsearch_sign_in_and_check_its_certificate(
    make_settings: Any, ca: Path, client: Any
) -> None:
    now = make_settings(
        elasticsearch_url="https://a:1", elasticsearch_user="reader", elasticsearch_password="word", elasticsearch_ca=ca
    )
    made = client(**elasticsearch_options(now, 2.0))
    [node] = made.transport.node_pool.all()
    assert made._headers["authorization"] == "Basic " + b64encode(b"reader:word").decode()
    assert (node.config.ca_certs, node.config.verify_certs) == (str(ca), True)


@pytest.mark.parametrize("values", [{}, {"kafka_user": "api", "kafka_password": "word"}])
@pytest.mark.parametrize("has_ca", [False, True])
def test_faust_gets_what_aiokafka_gets(make_settings: Any, ca: Path, values: dict[str, str], has_ca: bool) -> None:
    now = make_settings(kafka_ca=ca if has_ca else None, **values)
    options = {"security_protocol": "PLAINTEXT", **client_options(now)}
    del options["bootstrap_servers"]
    by_faust = dict(credentials_to_aiokafka_auth(credentials(now)))
    contexts = [each.pop("ssl_context", None) for each in (options, by_faust)]
    assert by_faust == options
    assert [context is not None for context in contexts] == [has_ca, has_ca]


def test_a_worker_of_kafka_connect_and_its_connectors_clients_sign_in() -> None:
    found = connect_properties("connect", "${directory:/run/secrets:word}")
    line = (
        "org.apache.kafka.common.security.scram.ScramLoginModule required "
        'username="connect" password="${directory:/run/secrets:word}";'
    )
    for prefix in ("", "producer.", "consumer.", "admin."):
        assert found[f"{prefix}security.protocol"] == "SASL_PLAINTEXT"
        assert found[f"{prefix}sasl.mechanism"] == "SCRAM-SHA-512"
        assert found[f"{prefix}sasl.jaas.config"] == line
    assert not any("ssl." in name for name in found)


@pytest.mark.parametrize("values", [{"kafka_user": "api"}, {"kafka_password": "word"}])
def test_a_user_and_a_password_belong_together(make_settings: Any, values: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="kafka_password"):
        make_settings(**values)


def test_a_ca_that_is_none_is_refused(make_settings: Any, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("none")
    with pytest.raises(ValidationError, match="PEM file"):
        make_settings(kafka_ca=tmp_path / "ca.pem")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:p%40@one:5432,two:5432/turnstile?target_session_attrs=read-write",
        "postgresql://u:p@db/turnstile",
        "host=db dbname=turnstile",
    ],
)
def test_every_address_of_postgresql_gets_the_mode_and_the_ca(make_settings: Any, ca: Path, url: str) -> None:
    odd = ca.rename(ca.with_name("the owner's & ca.pem"))
    now = make_settings(database_url=url, database_sslmode="verify-ca", database_ca=odd)
    found = psycopg.conninfo.conninfo_to_dict(now.database_url.get_secret_value())
    added = {"sslmode": "verify-ca", "sslrootcert": str(odd)}
    assert found == psycopg.conninfo.conninfo_to_dict(url) | DATABASE_LIMITS | added
    assert now.database_tls == {"sslmode": "verify-ca", "sslrootcert": str(odd)}


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:p@db/turnstile?connect_timeout=30&keepalives_idle=60",
        "host=db connect_timeout=30 keepalives_idle=60",
    ],
)
def test_an_address_of_postgresql_keeps_its_own_limits(make_settings: Any, url: str) -> None:
    found = psycopg.conninfo.conninfo_to_dict(make_settings(database_url=url).database_url.get_secret_value())
    assert found == DATABASE_LIMITS | psycopg.conninfo.conninfo_to_dict(url)


def test_a_connection_ends_whose_postgresql_is_gone_without_a_word(make_settings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_greet, args=(server,))
        thread.start()
        url = f"postgresql://u@127.0.0.1:{server.getsockname()[1]}/turnstile?sslmode=disable"
        now = make_settings(database_url=url)
        connection = psycopg.connect(now.database_url.get_secret_value(), autocommit=True)
        with connection, socket.socket(fileno=os.dup(connection.fileno())) as client:
            assert client.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            assert client.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) <= 10
            assert client.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 10_000
        thread.join(5)


def _greet(server: socket.socket) -> None:
    """Let a client sign in without a password, as PostgreSQL does, and wait until it leaves."""
    client, _ = server.accept()
    with client:
        client.recv(4096)
        client.sendall(b"R\0\0\0\x08\0\0\0\0" + b"Z\0\0\0\x05I")
        client.recv(4096)


def test_nothing_waits_for_a_postgresql_that_takes_connections_and_does_not_answer(make_settings: Any) -> None:
    """psycopg's own limit is 130 s. This one is shorter than that of the settings, to wait less."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        now = make_settings(
            database_url=f"postgresql://u:p@127.0.0.1:{server.getsockname()[1]}/turnstile?connect_timeout=2"
        )
        began = time.monotonic()
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(now.database_url.get_secret_value())
    assert time.monotonic() - began < 5


def test_a_ca_of_postgresql_without_a_mode_means_the_whole_check(make_settings: Any, ca: Path) -> None:
    now = make_settings(database_ca=ca, connect_database_ca="/run/ca.pem")
    assert now.database_tls["sslmode"] == "verify-full"
    assert connection(now)["database.sslmode"] == "verify-full"
    assert connection(now)["database.sslrootcert"] == "/run/ca.pem"


def test_debezium_has_its_own_default_without_them(make_settings: Any) -> None:
    assert not {"database.sslmode", "database.sslrootcert"} & connection(make_settings()).keys()


def test_no_password_is_sent_to_a_postgresql_without_tls(make_settings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        received: list[bytes] = []
        thread = threading.Thread(target=_refuse_tls, args=(server, received))
        thread.start()
        url = f"postgresql://u:p@127.0.0.1:{server.getsockname()[1]}/turnstile"
        now = make_settings(database_url=url, database_sslmode="require")
        with pytest.raises(psycopg.OperationalError, match="SSL"):
            psycopg.connect(now.database_url.get_secret_value())
        thread.join(5)
    # The request for TLS alone: nothing of the user.
    assert received == [bytes.fromhex("0000000804d2162f"), b""]


def _refuse_tls(server: socket.socket, received: list[bytes]) -> None:
    server.settimeout(5)
    connection, _ = server.accept()
    with connection:
        connection.settimeout(5)
        received.append(connection.recv(1024))
        connection.sendall(b"N")
        received.append(connection.recv(1024))
