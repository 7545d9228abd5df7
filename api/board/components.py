"""The components of the pipeline with their health, rate and lag, from the newest state and the one before."""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from api.board.pipeline_state import PipelineState
from api.board.snapshot import Component, ComponentHealth
from connect.observe.heartbeat import lateness
from connect.observe.slots import SlotState
from connect.topics import ACCOUNT_ROWS, COMMANDS, DELIVERIES, EVENT_ROWS, EVENT_STATUS, JOBS, OUTCOMES
from settings.workers import Role

# A role is behind by more than that: records in a quiet pipeline, seconds of work in a busy one.
BEHIND_RECORDS: Final = 100
BEHIND_S: Final = 10.0
SLOT_BEHIND_BYTES: Final = 256 * 2**20


def components(now: PipelineState, before: PipelineState | None) -> tuple[Component, ...]:
    """All of them, in the order in which an event and then a purchase pass through."""
    rates = Rates(now, before)
    return tuple(Component(key, name, *look(now, rates)) for key, (name, look) in _COMPONENTS.items())


def unknown_components() -> tuple[Component, ...]:
    """All of them, before they were asked for the first time."""
    return tuple(
        Component(key, name, ComponentHealth.UNKNOWN, None, "", "asking …") for key, (name, _) in _COMPONENTS.items()
    )


class Rates:
    """Increases per second between two states."""

    def __init__(self, now: PipelineState, before: PipelineState | None) -> None:
        self._now = now
        self._before = before

    def of(self, *topics: str) -> float | None:
        """Records written to these topics."""
        return self._of(lambda state: sum(state.log.ends[topic] for topic in topics) if state.log else None)

    @property
    def commits(self) -> float | None:
        """Transactions committed."""
        return self._of(lambda state: state.database.commits if state.database else None)

    def read_by(self, role: Role) -> float | None:
        """Records that the workers of a role have consumed."""
        return self._of(lambda state: _done(state.log.ends, state.log.groups[role].lags) if state.log else None)

    def _of(self, count: Callable[[PipelineState], int | None]) -> float | None:
        then = count(self._before) if self._before else None
        now = count(self._now)
        if self._before is None or then is None or now is None or self._now.at <= self._before.at:
            return None
        return max(0.0, (now - then) / (self._now.at - self._before.at))


def _done(ends: Mapping[str, int], lags: Mapping[str, int]) -> int:
    return sum(ends[topic] - lag for topic, lag in lags.items())


class _Look(NamedTuple):
    """How a component is found to be."""

    health: ComponentHealth
    rate: float | None
    lag: str
    note: str


def _api(now: PipelineState, rates: Rates) -> _Look:
    return _Look(ComponentHealth.WELL, None, "", "this process")


def _postgres(now: PipelineState, rates: Rates) -> _Look:
    if now.database is None:
        return _Look(ComponentHealth.DOWN, None, "", "does not answer")
    return _Look(ComponentHealth.WELL, rates.commits, "", f"{now.database.events:,} events")


def _connect(now: PipelineState, rates: Rates) -> _Look:
    rate = rates.of(EVENT_ROWS, ACCOUNT_ROWS, EVENT_STATUS)
    slots = now.database.slots if now.database else ()
    most = max((slot.behind for slot in slots), default=0)
    lag = f"{_bytes(most)} behind" if slots else ""
    if fault := _fault(now, slots):
        return _Look(ComponentHealth.DOWN, rate, lag, fault)
    note = f"{len(now.connectors or ())} connectors"
    return _Look(ComponentHealth.BEHIND if most > SLOT_BEHIND_BYTES else ComponentHealth.WELL, rate, lag, note)


def _fault(now: PipelineState, slots: tuple[SlotState, ...]) -> str:
    """Why changes are not captured; empty if they are."""
    connectors = now.connectors
    if connectors is None:
        return "Kafka Connect does not answer"
    failed = [f"{name} has failed" for name, state in connectors.items() if state.failed]
    lost = [f"{slot.name} has lost its log" for slot in slots if slot.lost]
    unread = [f"nobody reads {slot.name}" for slot in slots if not slot.active]
    late = [f"{name} is {text}" for name, age in (now.heartbeats or {}).items() if (text := lateness(age))]
    return next(iter([*failed, *lost, *unread, *late]), "" if connectors else "no connectors")


def _topic(name: str) -> Callable[[PipelineState, Rates], _Look]:
    def look(now: PipelineState, rates: Rates) -> _Look:
        if now.log is None:
            return _Look(ComponentHealth.DOWN, None, "", "Kafka does not answer")
        return _Look(ComponentHealth.WELL, rates.of(name), "", f"{now.log.ends[name]:,} so far")

    return look


def _role(role: Role) -> Callable[[PipelineState, Rates], _Look]:
    def look(now: PipelineState, rates: Rates) -> _Look:
        if now.log is None:
            return _Look(ComponentHealth.UNKNOWN, None, "", "Kafka does not answer")
        group, rate = now.log.groups[role], rates.read_by(role)
        lag = f"{group.lag:,} waiting"
        note = f"{group.members} worker{'' if group.members == 1 else 's'}"
        if group.members == 0:
            return _Look(ComponentHealth.DOWN, rate, lag, "no worker")
        if group.state != "Stable":
            return _Look(ComponentHealth.BEHIND, rate, lag, f"{note}, rebalancing")
        if role == "ledger" and not now.ledger:
            return _Look(ComponentHealth.BEHIND, rate, lag, f"{note}, not ready")
        return _Look(ComponentHealth.BEHIND if is_behind(group.lag, rate) else ComponentHealth.WELL, rate, lag, note)

    return look


def _index(now: PipelineState, rates: Rates) -> _Look:
    if now.documents is None:
        return _Look(ComponentHealth.DOWN, None, "", "does not answer")
    return _Look(ComponentHealth.WELL, None, "", f"{now.documents:,} events")


def _projection(now: PipelineState, rates: Rates) -> _Look:
    return _Look(ComponentHealth.DOWN if now.database is None else ComponentHealth.WELL, None, "", "in PostgreSQL")


def _mail(now: PipelineState, rates: Rates) -> _Look:
    rate = rates.of(DELIVERIES)
    if not now.mail:
        return _Look(ComponentHealth.DOWN, rate, "", "does not answer")
    waiting = now.log.groups["notifications"].lags.get(JOBS, 0) if now.log else 0
    return _Look(ComponentHealth.WELL, rate, f"{waiting:,} to be sent", "SMTP")


_COMPONENTS: Final[dict[str, tuple[str, Callable[[PipelineState, Rates], _Look]]]] = {
    "postgres": ("PostgreSQL", _postgres),
    "connect": ("Debezium", _connect),
    "indexer": ("Indexer", _role("indexer")),
    "elasticsearch": ("Elasticsearch", _index),
    "api": ("API", _api),
    COMMANDS: ("Commands", _topic(COMMANDS)),
    "ledger": ("Ledger", _role("ledger")),
    OUTCOMES: ("Outcomes", _topic(OUTCOMES)),
    "sales": ("Sales", _role("sales")),
    "purchases": ("Purchases", _projection),
    "notifications": ("Notifications", _role("notifications")),
    "mail": ("Mail", _mail),
}


def is_behind(lag: int, rate: float | None) -> bool:
    """Whether more records wait than a role consumes in 10 s."""
    return lag > BEHIND_RECORDS + BEHIND_S * (rate or 0.0)


def _bytes(count: int) -> str:
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:,} {unit}"
        count //= 1024
    return f"{count:,} GiB"
