"""``turnstile kafka-access``: users and rights of Kafka, where clients have to sign in."""

import logging
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import rich_click as click
from kafka.errors import KafkaError

from connect.access.grants import grant
from connect.access.principals import principals
from connect.errors import AccessRefused, ConnectError
from connect.provisioning import open_admin
from settings import Settings, settings
from telemetry.logs import configure_logging

log = logging.getLogger("ops.kafka_access")


def passwords(now: Settings) -> dict[str, str]:
    """The password of each principal, from its file. Raises AccessRefused."""
    files = {
        each.name: Path(now.kafka_passwords_dir) / f"kafka_{each.name}_password"
        for each in principals(now.producer_quotas)
    }
    return {name: _read(name, file) for name, file in files.items()}


def _read(name: str, file: Path) -> str:
    try:
        return file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise AccessRefused(f"the password of {name} can't be read: {error}") from error


@click.command(name="kafka-access")
def command() -> None:
    """Give every part its user and its rights in Kafka, where clients have to sign in.

    Any number of times. Exit code 2 with one line where Kafka doesn't do it, 1 where a password is missing.
    """
    now = settings()
    configure_logging(now.log_level, now.log_format, "kafka-access")
    if now.kafka_user is None:
        log.info("Kafka has no users here (TURNSTILE_KAFKA_USER is not set)")
        return
    try:
        words = passwords(now)
        admin: Any = open_admin(now)
        with closing(admin):
            added, removed = grant(admin, principals(now.producer_quotas), words)
    except (ConnectError, KafkaError) as error:
        log.critical("%s", error)
        sys.exit(1 if isinstance(error, AccessRefused) else 2)
    log.info("%d users have their passwords; %d rights added, %d removed", len(words), added, removed)
