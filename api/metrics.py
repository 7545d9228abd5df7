"""``/metrics`` of the API, on an address of its own that only operators reach; customers' requests never come here."""

from collections.abc import Iterator
from typing import Any

from gevent.pywsgi import WSGIServer
from prometheus_client import CollectorRegistry, ProcessCollector, make_wsgi_app
from prometheus_client import Metric as Family

from api.figures import RequestFigures
from connect.records.unread import unread
from metrics import catalogue as metric


class UnreadRecords:
    """What this process could not read of Kafka's topics."""

    def collect(self) -> Iterator[Family]:
        """The counter."""
        yield metric.UNREADABLE.of({(topic,): count for topic, count in unread.items()})


def metrics_app(figures: RequestFigures) -> Any:
    """The page, as a WSGI application."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(figures)
    registry.register(UnreadRecords())  # type: ignore[arg-type,unused-ignore]
    return make_wsgi_app(registry)


def serve_metrics(figures: RequestFigures, address: tuple[str, int]) -> WSGIServer:
    """Begin to answer there; port 0 takes any. Raises OSError where the port is taken."""
    server = WSGIServer(address, metrics_app(figures), log=None)
    server.start()
    return server
