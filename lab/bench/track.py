"""A measured run over time: how much was done by when, and what every role had used by then."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from lab.bench.cpu import Seconds, spent

PAUSE_S = 0.1


@dataclass(frozen=True, slots=True)
class Sample:
    """One look: seconds since the beginning, things done so far, CPU seconds so far by role.

    ``resident`` is the memory (MB) of each role now, ``disk`` what is stored (MB) and ``pace`` what a step of the fixed
    job of lab/bench/machine.py took (ms), where that is looked at.
    """

    at: float
    done: int
    cpu: Seconds
    resident: Seconds
    disk: float = 0.0
    pace: float = 0.0


@dataclass(frozen=True, slots=True)
class Cost:
    """What lies between two looks."""

    done: int
    wall: float
    cpu: Seconds

    def per_cpu_second(self, *roles: str) -> float:
        """Things done for each CPU second of these roles together."""
        return self.done / sum(self.cpu[role] for role in roles)

    def microseconds(self, role: str) -> float:
        """CPU microseconds of a role for each thing done."""
        return 1e6 * self.cpu[role] / self.done

    @property
    def per_second(self) -> float:
        """Things done for each second of the clock."""
        return self.done / self.wall


class Track:
    """Samples in the order of time."""

    def __init__(self, samples: list[Sample] | None = None) -> None:
        self.samples = samples or []

    def between(self, first: int, last: int) -> Cost:
        """From the first look that shows ``first`` done to the first that shows ``last``.

        Raises ValueError where the looks don't show that stretch.
        """
        begin, end = self._reached(first), self._reached(last)
        if end.done <= begin.done:
            raise ValueError(f"the looks at {begin.done} and {end.done} show no stretch from {first} to {last}")
        return Cost(end.done - begin.done, end.at - begin.at, spent(begin.cpu, end.cpu))

    def pace(self, first: int, last: int) -> float:
        """The middle one of the paces in that stretch. Raises StatisticsError where there is none."""
        return median(sample.pace for sample in self.samples if first <= sample.done < last)

    def plain(self) -> list[dict[str, Any]]:
        """The samples as JSON can hold them."""
        return [asdict(sample) for sample in self.samples]

    def _reached(self, done: int) -> Sample:
        for sample in self.samples:
            if sample.done >= done:
                return sample
        raise ValueError(f"{done} were never done, only {self.samples[-1].done if self.samples else 0}")


def follow(look: Callable[[], Sample], until: int, *, patience: float, tick: Callable[[int], None]) -> Track:
    """Look again and again until so many are done. Raises TimeoutError where nothing moves for ``patience`` seconds."""
    track = Track([look()])
    moved = time.monotonic()
    while track.samples[-1].done < until:
        if time.monotonic() - moved > patience:
            raise TimeoutError(f"nothing moved for {patience:.0f} s: {track.samples[-1].done} of {until} are done")
        time.sleep(PAUSE_S)
        sample = look()
        if sample.done > track.samples[-1].done:
            moved = time.monotonic()
        track.samples.append(sample)
        tick(sample.done)
    return track
