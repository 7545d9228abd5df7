"""The state of one supervised part: events go in; the pause before its restart and the news to print come out.

Pure: times are arguments, in seconds of a monotonic clock.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

FIRST_PAUSE_S: Final = 1.0
PAUSE_MAX_S: Final = 60.0
# A part that was ready for so long counts as stable again.
STEADY_S: Final = 120.0
# A part that takes longer to become ready is reported, and others no longer wait for it.
LATE_S: Final = 45.0
REASONS_MAX: Final = 20
WORKS_AGAIN: Final = "works again"


class PartPhase(StrEnum):
    """WAITING for another part, STARTING, READY, DONE (it runs once), or DOWN until it is started again."""

    WAITING = "waiting"
    STARTING = "starting"
    READY = "ready"
    DONE = "done"
    DOWN = "down"


@dataclass(slots=True)
class SupervisedPart:
    """``reason`` is why it doesn't work, or what in it has failed though it is READY.

    ``failures`` counts failures in a row, ``failed_starts`` those since it last worked.
    """

    name: str
    phase: PartPhase = PartPhase.WAITING
    reason: str = ""
    since: float = 0.0
    failures: int = 0
    failed_starts: int = 0
    _told: set[str] = field(default_factory=set)

    @property
    def works(self) -> bool:
        """Whether others can use it."""
        return self.phase in (PartPhase.READY, PartPhase.DONE)

    def waits(self, reason: str) -> None:
        """It can't be started yet."""
        self.phase, self.reason = PartPhase.WAITING, reason

    def starts(self, now: float) -> None:
        """It is being started. The reason of its last failure stays until it works."""
        self.phase, self.since = PartPhase.STARTING, now
        if not self.failures:
            self.reason = ""

    def comes_up(self, now: float, phase: PartPhase = PartPhase.READY) -> None:
        """It has become ready, or is done."""
        self.phase, self.since, self.reason, self.failed_starts = phase, now, "", 0

    def complains(self, complaint: str) -> None:
        """It is ready, but something in it has failed; an empty complaint ends that."""
        self.reason = complaint

    def fails(self, now: float, reason: str) -> float:
        """It has ended or did not become ready. Returns the seconds until its restart."""
        self._forgive(now)
        self.failures += 1
        self.failed_starts += not self.works
        self.phase, self.since, self.reason = PartPhase.DOWN, now, reason
        return pause_s(self.failures)

    def is_down(self, now: float) -> bool:
        """Whether others should not wait for it: it has failed, or is late."""
        return not self.works and (self.failures > 0 or self.is_late(now))

    def is_late(self, now: float) -> bool:
        """Whether it takes long to become ready."""
        return self.phase is PartPhase.STARTING and now - self.since >= LATE_S

    def news(self, now: float) -> str:
        """What is to be said now: each reason once, and that it works again, when it stays so; else nothing."""
        self._forgive(now)
        tells = self.reason and self.phase in (PartPhase.DOWN, PartPhase.READY)
        if tells and len(self._told) < REASONS_MAX and (key := _key(self.reason)) not in self._told:
            self._told.add(key)
            return self.reason
        if self._told and self.works and not self.reason and self.failures <= 1:
            self._told.clear()
            return WORKS_AGAIN
        return ""

    def _forgive(self, now: float) -> None:
        if self.works and now - self.since >= STEADY_S:
            self.failures = 0


def pause_s(failures: int) -> float:
    """No pause after the first failure, then one that doubles each time."""
    return min(FIRST_PAUSE_S * 2.0 ** min(failures - 2, 10), PAUSE_MAX_S) if failures > 1 else 0.0


def _key(reason: str) -> str:
    """A reason without what differs from one time to the next: numbers and ids."""
    return re.sub(r"[0-9a-f]*\d[0-9a-f]*", "0", reason)
