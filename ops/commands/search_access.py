"""``turnstile search-access``: users and roles of Elasticsearch, where its security is on.

The indexer writes the index ``events``, the API reads it, and the exporter sees the cluster's health; none has another
right.
"""

import json
import logging
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Protocol

import rich_click as click
from elastic_transport import TransportError
from elasticsearch import ApiError
from pydantic import SecretStr

from connect.elasticsearch_client import elasticsearch_client
from settings import Settings, settings
from settings.types import without_user
from telemetry.logs import configure_logging

log = logging.getLogger("ops.search_access")

TIMEOUT_S: Final = 30.0
RETRIES_MAX: Final = 3
ROLES: Final = Path(__file__).parents[1] / "elasticsearch" / "roles.json"


class Security(Protocol):
    """Elasticsearch's security interface, as far as it is used."""

    def put_role(self, *, name: str, cluster: list[str], indices: list[dict[str, Any]]) -> Any: ...
    def put_user(self, *, username: str, password: str, roles: list[str]) -> Any: ...


def roles() -> dict[str, dict[str, Any]]:
    """The roles, by name. Each has one user of the same name."""
    found: dict[str, dict[str, Any]] = json.loads(ROLES.read_text())
    return found


def grant(security: Security, passwords: Mapping[str, SecretStr | None]) -> list[str]:
    """Update roles and users; the names of the users that were given a password."""
    granted = []
    for name, role in roles().items():
        security.put_role(name=name, **role)
        password = passwords[name]
        if password is not None:
            security.put_user(username=name, password=password.get_secret_value(), roles=[name])
            granted.append(name)
    return granted


def passwords(now: Settings) -> dict[str, SecretStr | None]:
    """The password of each user, from the settings."""
    return {
        "turnstile_indexer": now.elasticsearch_indexer_password,
        "turnstile_reader": now.elasticsearch_reader_password,
        "turnstile_exporter": now.elasticsearch_exporter_password,
    }


@click.command(name="search-access")
def command() -> None:
    """Give the indexer, the API and the exporter their users and roles in Elasticsearch, where its security is on.

    Any number of times. Exit code 2 with one line where Elasticsearch doesn't do it.
    """
    now = settings()
    configure_logging(now.log_level, now.log_format, "search-access")
    if now.elasticsearch_user is None or now.elasticsearch_password is None:
        log.info("Elasticsearch has no users here (TURNSTILE_ELASTICSEARCH_USER is not set)")
        return
    try:
        with elasticsearch_client(now, TIMEOUT_S, max_retries=RETRIES_MAX) as client:
            granted = grant(client.security, passwords(now))
    except (TransportError, ApiError) as error:
        log.critical("%s: %r", without_user(now.elasticsearch_url), error)
        sys.exit(2)
    log.info("given: %s", ", ".join(granted) or "roles only, no passwords")
