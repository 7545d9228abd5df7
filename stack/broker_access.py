"""Access control of the embedded Kafka: clients sign in by SCRAM, brokers and the administrator by PLAIN.

The administrator is in the brokers' configuration, so that it can make the other users.
"""

from contextlib import closing
from pathlib import Path
from typing import Any, Final

from kafka import KafkaAdminClient

from connect.access.grants import grant
from connect.access.principals import ADMIN, principals
from connect.client_options import LOGIN_MODULES, login
from stack.secret_files import KAFKA_PASSWORDS, NAMES, secret
from stack.settings import StackSettings

CLIENTS: Final = "CLIENTS"
CONTROLLER: Final = "CONTROLLER"


def listener_protocol(settings: StackSettings) -> str:
    """The protocol of the brokers' listeners."""
    return "SASL_PLAINTEXT" if settings.kafka_security else "PLAINTEXT"


def broker_properties(settings: StackSettings) -> dict[str, object]:
    """The configuration of a broker that lets nobody do what ``principals()`` does not say; empty without security."""
    if not settings.kafka_security:
        return {}
    file = settings.home / NAMES[KAFKA_PASSWORDS[ADMIN]]
    password = f"${{directory:{file.parent}:{file.name}}}"
    by_plain = login("PLAIN", ADMIN, password, **{ADMIN: password})
    return {
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": f"User:{ADMIN}",
        "sasl.mechanism.inter.broker.protocol": "PLAIN",
        "sasl.mechanism.controller.protocol": "PLAIN",
        "listener.name.clients.sasl.enabled.mechanisms": "SCRAM-SHA-512,PLAIN",
        "listener.name.clients.scram-sha-512.sasl.jaas.config": f"{LOGIN_MODULES['SCRAM-SHA-512']} required;",
        "listener.name.clients.plain.sasl.jaas.config": by_plain,
        "listener.name.controller.sasl.enabled.mechanisms": "PLAIN",
        "listener.name.controller.plain.sasl.jaas.config": by_plain,
        **password_files(file.parent),
    }


def password_files(folder: Path) -> dict[str, object]:
    """The properties of Kafka's servers by which ``${directory:<folder>:<file>}`` stands for what a file has."""
    return {
        "config.providers": "directory",
        "config.providers.directory.class": "org.apache.kafka.common.config.provider.DirectoryConfigProvider",
        "config.providers.directory.param.allowed.paths": folder,
    }


def admin_client(settings: StackSettings, address: str, **options: int) -> Any:
    """An admin client of the brokers at ``address``. Raises KafkaError."""
    access: dict[str, Any] = {}
    if settings.kafka_security:
        access = {
            "sasl_mechanism": "PLAIN",
            "sasl_plain_username": ADMIN,
            "sasl_plain_password": secret(settings.home, KAFKA_PASSWORDS[ADMIN]),
        }
    protocol = listener_protocol(settings)
    return KafkaAdminClient(bootstrap_servers=address, security_protocol=protocol, **access, **options)


def client_environment(settings: StackSettings, principal: str) -> dict[str, str]:
    """The variables by which a process of the project signs in as a principal; empty without security."""
    if not settings.kafka_security:
        return {}
    by_plain = {"TURNSTILE_KAFKA_MECHANISM": "PLAIN"} if principal == ADMIN else {}
    return {
        "TURNSTILE_KAFKA_USER": principal,
        "TURNSTILE_KAFKA_PASSWORD": secret(settings.home, KAFKA_PASSWORDS[principal]),
        **by_plain,
    }


def make_principals(settings: StackSettings, address: str) -> None:
    """Give the brokers all users and ACLs. Raises KafkaError and AccessRefused."""
    known = principals()
    with closing(admin_client(settings, address)) as admin:
        grant(admin, known, {each.name: secret(settings.home, KAFKA_PASSWORDS[each.name]) for each in known})
