"""``/metrics`` of the API, on an address of its own that only operators reach; customers' requests never come here."""

from typing import Any

from gevent.pywsgi import WSGIServer
from prometheus_client import CollectorRegistry, ProcessCollector, make_wsgi_app

from api.figures import RequestFigures


def metrics_app(figures: RequestFigures) -> Any:
    """The page, as a WSGI application."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(figures)
    return make_wsgi_app(registry)


def serve_metrics(figures: RequestFigures, address: tuple[str, int]) -> WSGIServer:
    """Begin to answer there; port 0 takes any. Raises OSError where the port is taken."""
    server = WSGIServer(address, metrics_app(figures), log=None)
    server.start()
    return server
