"""``/metrics`` of the API, on an address of its own that only operators can reach."""

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client import Metric as Family

from api.telemetry.request_metrics import RequestMetrics
from connect.records.unread import unreadable_offsets
from telemetry.metrics import worker as worker_metrics
from telemetry.metrics.process import register_process


class UnreadRecords:
    """Records of Kafka that this process could not read."""

    def collect(self) -> Iterator[Family]:
        yield worker_metrics.UNREADABLE.of({(topic,): count for topic, count in unreadable_offsets.items()})


def registry_of(metrics: RequestMetrics) -> CollectorRegistry:
    """Everything that the page shows."""
    registry = CollectorRegistry()
    register_process(registry)
    registry.register(metrics)
    registry.register(UnreadRecords())  # type: ignore[arg-type,unused-ignore]
    return registry


def serve_metrics(metrics: RequestMetrics, address: tuple[str, int]) -> Callable[[], None]:
    """Serve them until the returned function is called. Port 0 takes any. Raises OSError if the port is taken."""
    server, thread = start_http_server(address[1], address[0], registry_of(metrics))

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return stop
