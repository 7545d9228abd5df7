"""Promise 9 for the exporter: the events that the ledger sells otherwise than PostgreSQL says."""

import logging
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Final

import psycopg
from prometheus_client import Metric as Family

from api.adapters.ledger.worker_views import WorkerViews, recorded_definitions
from connect.client_options import client_options
from connect.observe.definition_delay import DefinitionDelay
from connect.observe.definition_watch import DefinitionWatch
from connect.observe.definitions import EventDifference
from settings import Settings
from telemetry.metrics.exporter import DEFINITION_DIFFERENCES

EVENTS_NAMED_MAX: Final = 20
OTHER_EVENTS: Final = "other"

log = logging.getLogger(__name__)


class DefinitionSource:
    """Compares once a minute, however often it is asked; ``connect`` opens a connection to PostgreSQL."""

    name = "definitions"

    def __init__(self, settings: Settings, connect: Callable[[], psycopg.Connection[Any]]) -> None:
        recorded = partial(recorded_definitions, WorkerViews(settings), settings.partitions)
        self._watch = DefinitionWatch(recorded, DefinitionDelay(client_options(settings)))
        self._connect = connect
        self._found: list[EventDifference] = []

    def look(self) -> Iterator[Family]:
        """The newest result; logs a difference when it is found first, with both values."""
        found = self._watch.look(self._connect)
        for difference in found:
            if difference not in self._found:
                log.error("promise 9: %s", difference)
        self._found = found
        yield DEFINITION_DIFFERENCES.of(_samples(found))

    def close(self) -> None:
        self._watch.close()


def _samples(found: Sequence[EventDifference]) -> dict[tuple[str, ...], float]:
    """The number of differing fields of the first events; the number of all further events, also where that is 0."""
    named: dict[tuple[str, ...], float] = {(str(each.event),): len(each.fields) for each in found[:EVENTS_NAMED_MAX]}
    return named | {(OTHER_EVENTS,): len(found[EVENTS_NAMED_MAX:])}
