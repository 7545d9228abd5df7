"""The exporter's source for the health of Elasticsearch's cluster."""

import ssl
from collections.abc import Iterator
from typing import Final

import httpx
from prometheus_client import Metric as Family

from settings import Settings
from telemetry.call_deadlines import TimedTransport
from telemetry.metrics.exporter import SEARCH_STATUS

TIMEOUT_S: Final = 5
STATUSES: Final = ("green", "yellow", "red")


class SearchSource:
    """Asks a node for the status of its cluster. It needs the privilege ``monitor`` where there are users."""

    name = "elasticsearch"

    def __init__(self, settings: Settings, transport: httpx.BaseTransport | None = None) -> None:
        user, password = settings.elasticsearch_user, settings.elasticsearch_password
        self._client = httpx.Client(
            base_url=settings.elasticsearch_url,
            auth=(user, password.get_secret_value()) if user and password else None,
            timeout=TIMEOUT_S,
            transport=transport or TimedTransport(ssl.create_default_context(cafile=settings.elasticsearch_ca)),
        )

    def look(self) -> Iterator[Family]:
        """Ask. Raises httpx.HTTPError without an answer; a node that has no cluster gives none."""
        answer = self._client.get("/_cluster/health")
        answer.raise_for_status()
        yield SEARCH_STATUS.of(SEARCH_STATUS.state(now=answer.json()["status"], states=STATUSES))

    def close(self) -> None:
        """Nothing: the client connects again by itself."""
