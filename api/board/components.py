"""The components of the pipeline with their health, rate and lag, from the newest state and the one before."""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from api.board.board_text import NOTHING, BoardText, board_text, counted_text, untranslated
from api.board.pipeline_state import PipelineState
from api.board.snapshot import Component, ComponentHealth
from connect.observe.heartbeat import lateness
from connect.observe.slots import SlotState
from connect.topics import ACCOUNT_ROWS, COMMANDS, DELIVERIES, EVENT_ROWS, EVENT_STATUS, JOBS, OUTCOMES
from settings.workers import Role

# A role is behind by more than that: records in a quiet pipeline, seconds of work in a busy one.
BEHIND_RECORDS: Final = 100
BEHIND_S: Final = 10.0
NO_ANSWER: Final = board_text("does not answer")
NO_KAFKA: Final = board_text("Kafka does not answer")
SLOT_BEHIND_BYTES: Final = 256 * 2**20


def components(now: PipelineState, before: PipelineState | None) -> tuple[Component, ...]:
    """All of them, in the order in which an event and then a purchase pass through."""
    rates = Rates(now, before)
    return tuple(Component(key, name, *look(now, rates)) for key, (name, look) in _COMPONENTS.items())


def unknown_components() -> tuple[Component, ...]:
    """All of them, before they were asked for the first time."""
    return tuple(
        Component(key, name, ComponentHealth.UNKNOWN, None, NOTHING, board_text("asking …"))
        for key, (name, _) in _COMPONENTS.items()
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
    lag: BoardText
    note: BoardText


def _api(now: PipelineState, rates: Rates) -> _Look:
    return _Look(ComponentHealth.WELL, None, NOTHING, board_text("this process"))


def _postgres(now: PipelineState, rates: Rates) -> _Look:
    if now.database is None:
        return _Look(ComponentHealth.DOWN, None, NOTHING, NO_ANSWER)
    return _Look(ComponentHealth.WELL, rates.commits, NOTHING, _events(now.database.events))


def _connect(now: PipelineState, rates: Rates) -> _Look:
    rate = rates.of(EVENT_ROWS, ACCOUNT_ROWS, EVENT_STATUS)
    slots = now.database.slots if now.database else ()
    most = max((slot.behind for slot in slots), default=0)
    lag = board_text("{size} behind", size=_bytes(most)) if slots else NOTHING
    if fault := _fault(now, slots):
        return _Look(ComponentHealth.DOWN, rate, lag, fault)
    note = counted_text("{number} connector", "{number} connectors", len(now.connectors or ()))
    return _Look(ComponentHealth.BEHIND if most > SLOT_BEHIND_BYTES else ComponentHealth.WELL, rate, lag, note)


def _fault(now: PipelineState, slots: tuple[SlotState, ...]) -> BoardText | None:
    """Why changes are not captured; None if they are."""
    connectors = now.connectors
    if connectors is None:
        return board_text("Kafka Connect does not answer")
    failed = [board_text("{name} has failed", name=name) for name, state in connectors.items() if state.failed]
    lost = [board_text("{name} has lost its log", name=slot.name) for slot in slots if slot.lost]
    unread = [board_text("nobody reads {name}", name=slot.name) for slot in slots if not slot.active]
    late = [_late(name, age) for name, age in (now.heartbeats or {}).items() if lateness(age)]
    return next(iter([*failed, *lost, *unread, *late]), None if connectors else board_text("no connectors"))


def _late(name: str, age: float) -> BoardText:
    return board_text("{name} is late: no row has come through it for {seconds} s", name=name, seconds=round(age))


def _topic(name: str) -> Callable[[PipelineState, Rates], _Look]:
    def look(now: PipelineState, rates: Rates) -> _Look:
        if now.log is None:
            return _Look(ComponentHealth.DOWN, None, NOTHING, NO_KAFKA)
        note = board_text("{number} so far", number=now.log.ends[name])
        return _Look(ComponentHealth.WELL, rates.of(name), NOTHING, note)

    return look


def _role(role: Role) -> Callable[[PipelineState, Rates], _Look]:
    def look(now: PipelineState, rates: Rates) -> _Look:
        if now.log is None:
            return _Look(ComponentHealth.UNKNOWN, None, NOTHING, NO_KAFKA)
        group, rate = now.log.groups[role], rates.read_by(role)
        lag = board_text("{number} waiting", number=group.lag)
        note = counted_text("{number} worker", "{number} workers", group.members)
        if group.members == 0:
            return _Look(ComponentHealth.DOWN, rate, lag, board_text("no worker"))
        if group.state != "Stable":
            return _Look(ComponentHealth.BEHIND, rate, lag, board_text("{workers}, rebalancing", workers=note))
        if role == "ledger" and not now.ledger:
            return _Look(ComponentHealth.BEHIND, rate, lag, board_text("{workers}, not ready", workers=note))
        return _Look(ComponentHealth.BEHIND if is_behind(group.lag, rate) else ComponentHealth.WELL, rate, lag, note)

    return look


def _index(now: PipelineState, rates: Rates) -> _Look:
    if now.documents is None:
        return _Look(ComponentHealth.DOWN, None, NOTHING, NO_ANSWER)
    return _Look(ComponentHealth.WELL, None, NOTHING, _events(now.documents))


def _projection(now: PipelineState, rates: Rates) -> _Look:
    health = ComponentHealth.DOWN if now.database is None else ComponentHealth.WELL
    return _Look(health, None, NOTHING, board_text("in PostgreSQL"))


def _mail(now: PipelineState, rates: Rates) -> _Look:
    rate = rates.of(DELIVERIES)
    if not now.mail:
        return _Look(ComponentHealth.DOWN, rate, NOTHING, NO_ANSWER)
    waiting = now.log.groups["notifications"].lags.get(JOBS, 0) if now.log else 0
    return _Look(ComponentHealth.WELL, rate, board_text("{number} to be sent", number=waiting), untranslated("SMTP"))


_COMPONENTS: Final[dict[str, tuple[BoardText, Callable[[PipelineState, Rates], _Look]]]] = {
    "postgres": (untranslated("PostgreSQL"), _postgres),
    "connect": (untranslated("Debezium"), _connect),
    "indexer": (board_text("Indexer"), _role("indexer")),
    "elasticsearch": (untranslated("Elasticsearch"), _index),
    "api": (untranslated("API"), _api),
    COMMANDS: (board_text("Commands"), _topic(COMMANDS)),
    "ledger": (board_text("Ledger"), _role("ledger")),
    OUTCOMES: (board_text("Outcomes"), _topic(OUTCOMES)),
    "sales": (board_text("Sales"), _role("sales")),
    "purchases": (board_text("Purchases"), _projection),
    "notifications": (board_text("Notifications"), _role("notifications")),
    "mail": (board_text("Mail"), _mail),
}


def is_behind(lag: int, rate: float | None) -> bool:
    """Whether more records wait than a role consumes in 10 s."""
    return lag > BEHIND_RECORDS + BEHIND_S * (rate or 0.0)


def _events(number: int) -> BoardText:
    return counted_text("{number} event", "{number} events", number)


def _bytes(count: int) -> BoardText:
    """A size with its unit, which is the same in every language."""
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return untranslated(f"{{number}} {unit}", number=count)
        count //= 1024
    return untranslated("{number} GiB", number=count)
