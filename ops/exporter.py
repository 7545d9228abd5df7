"""``python -m ops.exporter``: metrics of Kafka, PostgreSQL and Kafka Connect.

Each source is asked every few seconds in a thread of its own, so one that does not answer delays no other. Of that one
only `turnstile_source_up 0` is exported, and so of one whose last answer is two minutes old.
"""

from telemetry.signals import ENDING_SIGNALS, end_at_once

if __name__ == "__main__":
    end_at_once()

import logging
import signal
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client import Metric as Family

from ops.sources import Source, sources
from settings import address_named, settings
from telemetry.logs import configure_logging
from telemetry.metrics import exporter as metric
from telemetry.metrics.process import register_process

STOP_TIMEOUT_S: Final = 2.0
ANSWER_KEPT_S: Final = 120.0

log = logging.getLogger(__name__)


class Exporter:
    """Keeps the last answer of each source."""

    def __init__(self, asked: Sequence[Source], pause: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._sources = asked
        self._pause = pause
        self._clock = clock
        # When (s) they came, and what they say.
        self._answers: dict[str, tuple[float, list[Family]]] = {}
        self._down: set[str] = set()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._watch, args=(source,), daemon=True) for source in asked]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self, timeout_s: float = STOP_TIMEOUT_S) -> None:
        """Ask no more, and wait so long for the answers that are under way."""
        self._stop.set()
        deadline = time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def collect(self) -> Iterable[Family]:
        kept_since = self._clock() - ANSWER_KEPT_S
        answers = {name: told for name, (at, told) in dict(self._answers).items() if at > kept_since}
        yield metric.SOURCE_UP.of({(source.name,): source.name in answers for source in self._sources})
        for families in answers.values():
            yield from families

    def look(self, source: Source) -> None:
        """Ask a source once."""
        try:
            told = list(source.look())
            self._answers[source.name] = self._clock(), told
        except Exception as error:  # noqa: BLE001 (the others go on, and the metric shows it)
            self._answers.pop(source.name, None)
            if source.name not in self._down:
                log.warning("%s does not answer: %r", source.name, error)
            self._down.add(source.name)
            source.close()
        else:
            if source.name in self._down:
                log.info("%s answers again", source.name)
            self._down.discard(source.name)

    def _watch(self, source: Source) -> None:
        while not self._stop.is_set():
            self.look(source)
            self._stop.wait(self._pause)
        source.close()


def main() -> None:
    """Export until a signal comes."""
    now = settings()
    configure_logging(now.log_level, now.log_format, "exporter")
    exporter = Exporter(sources(now), now.exporter_pause)
    registry = CollectorRegistry()
    register_process(registry)
    registry.register(exporter)  # type: ignore[arg-type,unused-ignore]
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING_SIGNALS)  # the threads inherit it
    exporter.start()
    with address_named("EXPORTER"):
        server, thread = start_http_server(now.exporter_port, now.exporter_bind, registry)
    signal.sigwait(ENDING_SIGNALS)
    server.shutdown()
    thread.join()
    exporter.stop()


if __name__ == "__main__":
    main()
