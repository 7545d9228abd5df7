"""The state of the pipeline at one moment. A component that did not answer is None, or False."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connect.connectors.rest_client import ConnectorState
from connect.observe.definitions import EventDifference
from connect.observe.lag import LogState
from connect.observe.slots import SlotState


@dataclass(frozen=True, slots=True)
class DatabaseState:
    """PostgreSQL: transactions committed since its start, rows of ``event``, the replication slots."""

    commits: int
    events: int
    slots: tuple[SlotState, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineState:
    """What the components answered at ``at`` (seconds, monotonic). ``dead_letters`` are the open ones by consumer.

    ``differing`` are the events that the ledger sells otherwise than PostgreSQL says.
    ``heartbeats`` are, by connector, the seconds since the newest row that has come through it.
    """

    at: float
    log: LogState | None = None
    database: DatabaseState | None = None
    connectors: Mapping[str, ConnectorState] | None = None
    heartbeats: Mapping[str, float] | None = None
    documents: int | None = None
    dead_letters: Mapping[str, int] | None = None
    differing: Sequence[EventDifference] | None = None
    mail: bool = False
    ledger: bool = False
