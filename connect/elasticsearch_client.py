"""The blocking client of Elasticsearch, whose calls end in time. (The asynchronous one's do by themselves.)"""

from typing import Any

from elastic_transport import HttpHeaders, NodeConfig, Urllib3HttpNode
from elastic_transport.client_utils import DEFAULT, DefaultType
from elasticsearch import Elasticsearch

from connect.client_options import elasticsearch_options
from settings.servers import ServerSettings
from telemetry.call_deadlines import POOLS, call_within


class _Node(Urllib3HttpNode):
    """A node that is asked within the client's timeout."""

    def __init__(self, config: NodeConfig) -> None:
        super().__init__(config)
        self.pool.ConnectionCls = POOLS[config.scheme].ConnectionCls
        self._timeout_s = config.request_timeout

    def perform_request(
        self,
        method: str,
        target: str,
        body: bytes | None = None,
        headers: HttpHeaders | None = None,
        request_timeout: DefaultType | float | None = DEFAULT,
    ) -> Any:
        """The answer. Raises ConnectionTimeout."""
        with call_within(self._timeout_s if isinstance(request_timeout, DefaultType) else request_timeout):
            return super().perform_request(method, target, body, headers, request_timeout)


def elasticsearch_client(settings: ServerSettings, timeout_s: float, **more: Any) -> Elasticsearch:
    """A client by the settings. A call ends within ``timeout_s``, its whole answer included."""
    return Elasticsearch(**elasticsearch_options(settings, timeout_s) | {"node_class": _Node} | more)
