"""Traces with an exporter in memory."""

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from telemetry.traces import Traces


class KeptTraces(Traces):
    """``spans`` returns the ended spans."""

    def __init__(self) -> None:
        self._kept = InMemorySpanExporter()
        super().__init__("turnstile-test", self._kept)

    def spans(self) -> list[ReadableSpan]:
        self.flush()
        return list(self._kept.get_finished_spans())
