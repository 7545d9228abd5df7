"""A measured run over time: how much was done, and what each role had used, at each moment."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from lab.bench.cpu import Seconds, spent

SAMPLE_EVERY_S = 0.1


@dataclass(frozen=True, slots=True)
class Sample:
    """Seconds since the start, units of work done so far, CPU seconds so far by role.

    ``resident`` is the memory of each role (MB), ``disk`` the size of the data (MB), ``pace`` the time of a step of the
    fixed job of lab/bench/machine.py (ms); the last two are 0 where they aren't measured.
    """

    at: float
    done: int
    cpu: Seconds
    resident: Seconds
    disk: float = 0.0
    pace: float = 0.0


@dataclass(frozen=True, slots=True)
class Cost:
    """The difference of two samples."""

    done: int
    wall: float
    cpu: Seconds

    def per_cpu_second(self, *roles: str) -> float:
        """Units of work for each CPU second of these roles together."""
        return self.done / sum(self.cpu[role] for role in roles)

    def microseconds(self, role: str) -> float:
        """CPU microseconds of a role for each unit of work."""
        return 1e6 * self.cpu[role] / self.done

    @property
    def per_second(self) -> float:
        """Units of work for each second of the clock."""
        return self.done / self.wall


class Track:
    """Samples in the order of time."""

    def __init__(self, samples: list[Sample] | None = None) -> None:
        self.samples = samples or []

    def between(self, first: int, last: int) -> Cost:
        """From the first sample with ``first`` done to the first with ``last``.

        Raises ValueError where the samples don't reach that far.
        """
        begin, end = self._reached(first), self._reached(last)
        if end.done <= begin.done:
            raise ValueError(f"the samples at {begin.done} and {end.done} show nothing between {first} and {last}")
        return Cost(end.done - begin.done, end.at - begin.at, spent(begin.cpu, end.cpu))

    def pace(self, first: int, last: int) -> float:
        """The median pace between the two. Raises StatisticsError without samples there."""
        return median(sample.pace for sample in self.samples if first <= sample.done < last)

    def plain(self) -> list[dict[str, Any]]:
        """The samples as JSON can hold them."""
        return [asdict(sample) for sample in self.samples]

    def _reached(self, done: int) -> Sample:
        for sample in self.samples:
            if sample.done >= done:
                return sample
        raise ValueError(f"{done} were never done, only {self.samples[-1].done if self.samples else 0}")


def follow(
    look: Callable[[], Sample],
    until: int,
    *,
    stall_timeout_s: float,
    tick: Callable[[int], None],
    every_s: float = SAMPLE_EVERY_S,
) -> Track:
    """Take samples until so much is done. Raises TimeoutError after ``stall_timeout_s`` seconds without progress."""
    track = Track([look()])
    moved = time.monotonic()
    while track.samples[-1].done < until:
        if time.monotonic() - moved > stall_timeout_s:
            raise TimeoutError(
                f"nothing moved for {stall_timeout_s:.0f} s: {track.samples[-1].done} of {until} are done"
            )
        time.sleep(every_s)
        sample = look()
        if sample.done > track.samples[-1].done:
            moved = time.monotonic()
        track.samples.append(sample)
        tick(sample.done)
    return track
