"""The exporter to Zipkin: JSON over HTTP, in a thread of its own. Spans that fail are dropped, which is logged once."""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import requests
from opentelemetry.exporter.zipkin.json import ZipkinExporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from telemetry.call_deadlines import POOLS, call_within

TIMEOUT_S: Final = 2
RETRY_PAUSE_S: Final = 5.0
TAG_MAX_CHARS: Final = 200

log = logging.getLogger(__name__)


class DroppingExporter(SpanExporter):
    """Wraps an exporter that may fail: after a failure it drops spans for ``RETRY_PAUSE_S`` before it tries again."""

    def __init__(self, inner: SpanExporter, clock: Callable[[], float] = time.monotonic) -> None:
        self._inner = inner
        self._clock = clock
        self._again_at = float("-inf")
        self._failing = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export the spans, or drop them."""
        if self._clock() < self._again_at:
            return SpanExportResult.FAILURE
        try:
            with call_within(TIMEOUT_S):
                result = self._inner.export(spans)
        except (requests.RequestException, OSError) as error:
            self._failed(type(error).__name__)
            return SpanExportResult.FAILURE
        if result is not SpanExportResult.SUCCESS:
            self._failed("refused")
        elif self._failing:
            self._failing = False
            log.info("Zipkin accepts spans again")
        return result

    def shutdown(self) -> None:
        """Close the connection."""
        self._inner.shutdown()

    def _failed(self, why: str) -> None:
        self._again_at = self._clock() + RETRY_PAUSE_S
        if not self._failing:
            self._failing = True
            log.warning("Zipkin does not accept spans (%s): they are dropped until it does", why)


class _Adapter(requests.adapters.HTTPAdapter):
    """Connections whose calls end in time."""

    def init_poolmanager(self, *values: Any, **more: Any) -> None:
        """Make the pools."""
        super().init_poolmanager(*values, **more)
        self.poolmanager.pool_classes_by_scheme = POOLS


def make_exporter(url: str) -> SpanExporter:
    """An exporter to the Zipkin at ``url``, such as http://127.0.0.1:9411."""
    logging.getLogger("opentelemetry.exporter.zipkin.json").setLevel(logging.CRITICAL)
    session = requests.Session()
    session.trust_env = False
    session.mount(url, _Adapter())
    endpoint = f"{url.rstrip('/')}/api/v2/spans"
    return DroppingExporter(
        ZipkinExporter(endpoint=endpoint, timeout=TIMEOUT_S, session=session, max_tag_value_length=TAG_MAX_CHARS)
    )
