"""How many decisions there were in each of the last SECONDS, of which kinds, and how long they took.

Counting an outcome costs well below a microsecond: its kind is cut out of the record. How long a decision took (from
the command's place in the log to here) is read from about SAMPLES of a second's outcomes.
"""

from collections import Counter, deque
from typing import Final

from msgspec import Struct

SECONDS: Final = 60
SAMPLES: Final = 100

# The ledger writes the kind first.
_BEFORE: Final = len(b'{"kind":"')
_QUOTE: Final = b'"'


class Second(Struct):
    """What was decided in one second: ``at`` is seconds since 1970, ``took`` milliseconds of some decisions."""

    at: int
    count: int
    every: int
    kinds: Counter[str]
    took: list[int]


class Report(Struct, frozen=True, rename="camel"):
    """The last SECONDS full seconds, the oldest first; 0 ms where nothing was decided. ``kinds`` of all together."""

    counts: tuple[int, ...]
    median: tuple[int, ...]
    slowest: tuple[int, ...]
    kinds: dict[str, int]
    took_median: int
    took_slowest: int

    @property
    def total(self) -> int:
        """Decisions in all of these seconds."""
        return sum(self.counts)


class Pace:
    """Counts outcomes as they come; ``now`` is always seconds since 1970 and never goes back by much."""

    def __init__(self) -> None:
        self._seconds: deque[Second] = deque(maxlen=SECONDS + 2)

    def count(self, value: bytes, now: float) -> bool:
        """Count an outcome; whether it is one of those whose time should be told to ``took``."""
        second = self._second(int(now))
        second.count += 1
        second.kinds[value[_BEFORE : value.index(_QUOTE, _BEFORE)].decode()] += 1
        return second.count % second.every == 0

    def took(self, milliseconds: int, now: float) -> None:
        """A decision has taken so long."""
        self._second(int(now)).took.append(max(0, milliseconds))

    def report(self, now: float) -> Report:
        """The seconds before this one."""
        last = int(now) - 1
        known = {second.at: second for second in self._seconds}
        shown = [known.get(at) for at in range(last - SECONDS + 1, last + 1)]
        kinds: Counter[str] = Counter()
        for second in shown:
            kinds += second.kinds if second else Counter()
        took = sorted(each for second in shown if second for each in second.took)
        return Report(
            counts=tuple(second.count if second else 0 for second in shown),
            median=tuple(percentile(sorted(second.took), 0.5) if second else 0 for second in shown),
            slowest=tuple(percentile(sorted(second.took), 0.99) if second else 0 for second in shown),
            kinds=dict(sorted(kinds.items())),
            took_median=percentile(took, 0.5),
            took_slowest=percentile(took, 0.99),
        )

    def _second(self, at: int) -> Second:
        if self._seconds and self._seconds[-1].at >= at:
            return self._seconds[-1]
        before = self._seconds[-1].count if self._seconds else 0
        self._seconds.append(Second(at, 0, 1 + before // SAMPLES, Counter(), []))
        return self._seconds[-1]


def percentile(ordered: list[int], share: float) -> int:
    """The value below which that share of them lies; 0 of none."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0
