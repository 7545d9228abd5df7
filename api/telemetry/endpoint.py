"""``/metrics`` of the API, on an address of its own that only operators reach; customers' requests never come here."""

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, ProcessCollector, start_http_server
from prometheus_client import Metric as Family

from api.telemetry.request_metrics import RequestFigures
from connect.records.unread import unreadable_offsets
from telemetry.metrics import worker as metric


class UnreadRecords:
    """What this process could not read of Kafka's topics."""

    def collect(self) -> Iterator[Family]:
        """The counter."""
        yield metric.UNREADABLE.of({(topic,): count for topic, count in unreadable_offsets.items()})


def registry_of(figures: RequestFigures) -> CollectorRegistry:
    """All that the page tells."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(figures)
    registry.register(UnreadRecords())  # type: ignore[arg-type,unused-ignore]
    return registry


def serve_metrics(figures: RequestFigures, address: tuple[str, int]) -> Callable[[], None]:
    """Begin to answer there, until the function is called; port 0 takes any. Raises OSError where it is taken."""
    server, thread = start_http_server(address[1], address[0], registry_of(figures))

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return stop
