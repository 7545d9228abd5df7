"""Decisions in each of the last 60 seconds: how many, of which kinds, and how long they took.

Counting an outcome takes well below a microsecond: its kind is cut out of the record's bytes. How long a decision took
(from the command's timestamp in the log until here) is read from about 100 outcomes a second.
"""

from collections import Counter, deque
from typing import Final

from msgspec import Struct

from api.board.snapshot import RatesReport
from tables.messages.outcomes import OutcomeKind

SECONDS: Final = 60
SAMPLES_PER_SECOND: Final = 100
# A clock that goes back by more was set back.
SET_BACK_S: Final = 1

# The ledger writes the kind first.
_BEFORE: Final = len(b'{"kind":"')
_QUOTE: Final = b'"'
_KINDS: Final = {kind.value.encode(): kind.value for kind in OutcomeKind}


class SecondCounts(Struct):
    """One second: ``at`` is seconds since 1970, ``took`` the milliseconds of one in ``every`` decisions."""

    at: int
    count: int
    every: int
    kinds: Counter[str]
    took: list[int]


class DecisionRates:
    """Counts outcomes as they come; ``now`` is always in seconds since 1970. If it goes back, a new minute begins."""

    def __init__(self) -> None:
        self._seconds: deque[SecondCounts] = deque(maxlen=SECONDS + 2)

    def count(self, value: bytes, now: float) -> bool:
        """Count an outcome; whether it is a sample, whose time is to be given to ``took``."""
        kind = _KINDS.get(value[_BEFORE : value.find(_QUOTE, _BEFORE)])
        if kind is None:
            return False
        second = self._second(int(now))
        second.count += 1
        second.kinds[kind] += 1
        return second.count % second.every == 0

    def took(self, milliseconds: int, now: float) -> None:
        """Add the time of a sampled decision."""
        self._second(int(now)).took.append(max(0, milliseconds))

    def report(self, now: float) -> RatesReport:
        """The full seconds before this one."""
        last = int(now) - 1
        known = {second.at: second for second in self._seconds}
        shown = [known.get(at) for at in range(last - SECONDS + 1, last + 1)]
        kinds: Counter[str] = Counter()
        for second in shown:
            kinds += second.kinds if second else Counter()
        took = sorted(each for second in shown if second for each in second.took)
        return RatesReport(
            counts=tuple(second.count if second else 0 for second in shown),
            median=tuple(percentile(sorted(second.took), 0.5) if second else 0 for second in shown),
            slowest=tuple(percentile(sorted(second.took), 0.99) if second else 0 for second in shown),
            kinds=dict(sorted(kinds.items())),
            took_median=percentile(took, 0.5),
            took_slowest=percentile(took, 0.99),
        )

    def _second(self, at: int) -> SecondCounts:
        if self._seconds and self._seconds[-1].at > at + SET_BACK_S:
            self._seconds.clear()
        if self._seconds and self._seconds[-1].at >= at:
            return self._seconds[-1]
        before = self._seconds[-1].count if self._seconds else 0
        self._seconds.append(SecondCounts(at, 0, 1 + before // SAMPLES_PER_SECOND, Counter(), []))
        return self._seconds[-1]


def percentile(ordered: list[int], share: float) -> int:
    """The value below which that share of ``ordered`` lies; 0 if it is empty."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0
