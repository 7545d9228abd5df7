"""The parts of the pipeline, each with its health, its rate and what waits before it, told from the newest facts."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from msgspec import Struct

from api.board.pipeline_state import Facts
from connect.observe.heartbeat import lateness
from connect.observe.slots import SlotState
from connect.topics import ACCOUNT_ROWS, COMMANDS, DELIVERIES, EVENT_ROWS, EVENT_STATUS, JOBS, OUTCOMES
from settings import Role

# So many records may wait in a quiet pipeline, and so many seconds of work in a busy one.
FEW: Final = 100
SECONDS: Final = 10.0
MUCH_BYTES: Final = 256 * 2**20


class Health(StrEnum):
    """How a part is doing. BEHIND: it works, but more waits than should."""

    WELL = "well"
    BEHIND = "behind"
    DOWN = "down"
    UNKNOWN = "unknown"


class Part(Struct, frozen=True):
    """A part as it is drawn: ``rate`` a second (None where nothing is counted), ``lag`` and ``note`` in words."""

    id: str
    name: str
    health: Health
    rate: float | None
    lag: str
    note: str


def parts(now: Facts, before: Facts | None) -> tuple[Part, ...]:
    """Every part, in the order in which an event and then a purchase come by."""
    rates = Rates(now, before)
    return tuple(Part(key, name, *look(now, rates)) for key, (name, look) in _PARTS.items())


def unknown() -> tuple[Part, ...]:
    """Every part, before it was asked for the first time."""
    return tuple(Part(key, name, Health.UNKNOWN, None, "", "asking …") for key, (name, _) in _PARTS.items())


class Rates:
    """What became more from one look to the next, a second."""

    def __init__(self, now: Facts, before: Facts | None) -> None:
        self._now = now
        self._before = before

    def of(self, *topics: str) -> float | None:
        """Records on these topics."""
        return self._of(lambda facts: sum(facts.log.ends[topic] for topic in topics) if facts.log else None)

    @property
    def commits(self) -> float | None:
        """Transactions."""
        return self._of(lambda facts: facts.database.commits if facts.database else None)

    def read_by(self, role: Role) -> float | None:
        """Records that the workers of a role have done with."""
        return self._of(lambda facts: _done(facts.log.ends, facts.log.groups[role].lags) if facts.log else None)

    def _of(self, count: Callable[[Facts], int | None]) -> float | None:
        then = count(self._before) if self._before else None
        now = count(self._now)
        if self._before is None or then is None or now is None or self._now.at <= self._before.at:
            return None
        return max(0.0, (now - then) / (self._now.at - self._before.at))


def _done(ends: Mapping[str, int], lags: Mapping[str, int]) -> int:
    return sum(ends[topic] - lag for topic, lag in lags.items())


class _Look(NamedTuple):
    """What is found of a part."""

    health: Health
    rate: float | None
    lag: str
    note: str


def _api(now: Facts, rates: Rates) -> _Look:
    return _Look(Health.WELL, None, "", "this process")


def _postgres(now: Facts, rates: Rates) -> _Look:
    if now.database is None:
        return _Look(Health.DOWN, None, "", "does not answer")
    return _Look(Health.WELL, rates.commits, "", f"{now.database.events:,} events")


def _connect(now: Facts, rates: Rates) -> _Look:
    rate = rates.of(EVENT_ROWS, ACCOUNT_ROWS, EVENT_STATUS)
    slots = now.database.slots if now.database else ()
    most = max((slot.behind for slot in slots), default=0)
    lag = f"{_bytes(most)} behind" if slots else ""
    if illness := _illness(now, slots):
        return _Look(Health.DOWN, rate, lag, illness)
    note = f"{len(now.connectors or ())} connectors"
    return _Look(Health.BEHIND if most > MUCH_BYTES else Health.WELL, rate, lag, note)


def _illness(now: Facts, slots: tuple[SlotState, ...]) -> str:
    """Why changes are not captured; empty when they are."""
    connectors = now.connectors
    if connectors is None:
        return "Kafka Connect does not answer"
    failed = [f"{name} has failed" for name, state in connectors.items() if state.failed]
    lost = [f"{slot.name} has lost its log" for slot in slots if slot.lost]
    unread = [f"nobody reads {slot.name}" for slot in slots if not slot.active]
    late = [f"{name} is {text}" for name, age in (now.heartbeats or {}).items() if (text := lateness(age))]
    return next(iter([*failed, *lost, *unread, *late]), "" if connectors else "no connectors")


def _topic(name: str) -> Callable[[Facts, Rates], _Look]:
    def look(now: Facts, rates: Rates) -> _Look:
        if now.log is None:
            return _Look(Health.DOWN, None, "", "Kafka does not answer")
        return _Look(Health.WELL, rates.of(name), "", f"{now.log.ends[name]:,} so far")

    return look


def _role(role: Role) -> Callable[[Facts, Rates], _Look]:
    def look(now: Facts, rates: Rates) -> _Look:
        if now.log is None:
            return _Look(Health.UNKNOWN, None, "", "Kafka does not answer")
        group, rate = now.log.groups[role], rates.read_by(role)
        lag = f"{group.lag:,} waiting"
        note = f"{group.members} worker{'' if group.members == 1 else 's'}"
        if group.members == 0:
            return _Look(Health.DOWN, rate, lag, "no worker")
        if group.state != "Stable":
            return _Look(Health.BEHIND, rate, lag, f"{note}, rebalancing")
        if role == "ledger" and not now.ledger:
            return _Look(Health.BEHIND, rate, lag, f"{note}, not ready")
        return _Look(Health.BEHIND if too_much(group.lag, rate) else Health.WELL, rate, lag, note)

    return look


def _index(now: Facts, rates: Rates) -> _Look:
    if now.documents is None:
        return _Look(Health.DOWN, None, "", "does not answer")
    return _Look(Health.WELL, None, "", f"{now.documents:,} events")


def _projection(now: Facts, rates: Rates) -> _Look:
    return _Look(Health.DOWN if now.database is None else Health.WELL, None, "", "in PostgreSQL")


def _mail(now: Facts, rates: Rates) -> _Look:
    rate = rates.of(DELIVERIES)
    if not now.mail:
        return _Look(Health.DOWN, rate, "", "does not answer")
    waiting = now.log.groups["notifications"].lags.get(JOBS, 0) if now.log else 0
    return _Look(Health.WELL, rate, f"{waiting:,} to be sent", "SMTP")


_PARTS: Final[dict[str, tuple[str, Callable[[Facts, Rates], _Look]]]] = {
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


def too_much(lag: int, rate: float | None) -> bool:
    """Whether more waits than a role does in SECONDS."""
    return lag > FEW + SECONDS * (rate or 0.0)


def _bytes(count: int) -> str:
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:,} {unit}"
        count //= 1024
    return f"{count:,} GiB"
