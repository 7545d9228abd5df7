"""Promise 9 on a running system: the events of PostgreSQL are compared with the ledger's records, some each minute.

A difference counts once it has stayed the same for longer than a change needs to reach the ledger.
"""

import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any, Final, Protocol
from uuid import UUID

from psycopg import Connection

from connect.observe.definitions import PAGE_EVENTS, EventDifference, Recorded, Said, differing, read_page, read_these

LOOK_EVERY_S: Final = 60.0
LOOK_MAX_EVENTS: Final = 2_000
SUSPECTS_MAX: Final = 1_000
# From the commit to the ledger a change takes a fraction of a second, plus what the delay says.
SETTLING_S: Final = 5.0


class Delay(Protocol):
    """What a change of an event needs now until the ledger has it."""

    def seconds(self) -> float: ...
    def close(self) -> None: ...


class Suspects:
    """The differences that were found last, each with the time since when it has been the same; at most 1,000."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since: dict[UUID, tuple[EventDifference, float]] = {}

    @property
    def events(self) -> list[UUID]:
        """The events that differed when they were looked at last."""
        return list(self._since)

    @property
    def differences(self) -> list[EventDifference]:
        """What they differed in."""
        return [difference for difference, _ in self._since.values()]

    def see(self, looked_at: Iterable[UUID], found: Iterable[EventDifference]) -> None:
        """Take what was found at these events."""
        differ = {each.event: each for each in found}
        for event in looked_at:
            known, difference = self._since.get(event), differ.get(event)
            if difference is None:
                self._since.pop(event, None)
            elif known is None or known[0] != difference:
                self._keep(difference)

    def lasting(self, delay_s: float) -> list[EventDifference]:
        """The differences that no change on its way explains, if a change needs at most ``delay_s`` to be captured."""
        before = self._clock() - delay_s - SETTLING_S
        return [difference for difference, since in self._since.values() if since <= before]

    def _keep(self, difference: EventDifference) -> None:
        if difference.event in self._since or len(self._since) < SUSPECTS_MAX:
            self._since[difference.event] = difference, self._clock()


class DefinitionWatch:
    """Once a minute compares the next ``events_max`` events, and again those that differed; starts over at the end."""

    def __init__(
        self,
        recorded: Recorded,
        delay: Delay,
        events_max: int = LOOK_MAX_EVENTS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._recorded = recorded
        self._delay = delay
        self._pages_max = events_max // PAGE_EVENTS
        self._clock = clock
        self._suspects = Suspects(clock)
        self._lasting: list[EventDifference] = []
        self._due_at = float("-inf")
        self._after: UUID | None = None

    def look(self, connect: Callable[[], AbstractContextManager[Connection[Any]]]) -> list[EventDifference]:
        """The lasting differences, however often they are asked for. Raises what a server's client raises."""
        if self._clock() >= self._due_at:
            with connect() as connection:
                self._look(connection)
            self._lasting = self._suspects.lasting(self._delay.seconds())
            self._due_at = self._clock() + LOOK_EVERY_S
        return self._lasting

    def close(self) -> None:
        """Disconnect from Kafka."""
        self._delay.close()

    def _look(self, connection: Connection[Any]) -> None:
        again = self._suspects.events
        for begin in range(0, len(again), PAGE_EVENTS):
            some = again[begin : begin + PAGE_EVENTS]
            self._compare(some, read_these(connection, some))
        for said in self._next_pages(connection):
            self._compare(said, said)

    def _next_pages(self, connection: Connection[Any]) -> Iterator[Said]:
        for _ in range(self._pages_max):
            said = read_page(connection, self._after)
            yield said
            self._after = max(said) if len(said) == PAGE_EVENTS else None
            if self._after is None:
                return

    def _compare(self, events: Collection[UUID], said: Said) -> None:
        self._suspects.see(events, differing(events, said, self._recorded(list(events))))
