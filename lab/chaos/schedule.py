"""The schedule of faults, made from a seed alone: one list for processes, one for links.

Each list has one fault at a time, so at most two meet.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeVar

T = TypeVar("T")


class FaultKind(StrEnum):
    """A fault of a process (the first four) or of a link."""

    KILL = "kill"  # SIGKILL, and started again
    FORGET = "forget"  # the same, and its data folder is lost
    PAUSE = "pause"  # SIGSTOP, later SIGCONT
    RESTART = "restart"  # SIGTERM, and started again
    CUT = "cut"  # connections are closed, new ones refused
    STALL = "stall"  # connections stay open, nothing passes
    SLOW = "slow"  # all data is delayed


WORKERS: Final = ("ledger-0", "ledger-1", "indexer-0", "notifications-0", "sales-0", "payments-0")
SERVERS: Final = ("kafka", "postgres", "connect", "elasticsearch", "smtp", "paper")
PROCESSES: Final = (*WORKERS, "api", *SERVERS)
WITH_TABLES: Final = ("ledger-0", "ledger-1", "notifications-0", "payments-0")
# The session timeout of a worker is 6 s: some pauses are shorter, some longer.
PAUSES_S: Final = (1.0, 3.0, 8.0)
OUTAGES_S: Final = (0.2, 1.0, 2.0, 4.0, 8.0)
DELAYS_S: Final = (0.02, 0.05, 0.1, 0.2)
SLOW_S: Final = (3.0, 6.0, 10.0)
FIRST_S: Final = 4.0
PROCESS_EVERY_S: Final = (6.0, 12.0)
LINK_EVERY_S: Final = (5.0, 11.0)


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of a process or link, ``at`` so many seconds of the run, for so many ``seconds``.

    ``delay`` (seconds) is what a slow link adds to all data.
    """

    at: float
    kind: FaultKind
    target: str
    seconds: float = 0.0
    delay: float = 0.0


def process_faults(seed: int, seconds: float) -> list[Fault]:
    """Every fault of every process in turn, in random order, within ``seconds``."""
    rng = random.Random(f"processes {seed}")
    pairs = [(kind, name) for kind in (FaultKind.KILL, FaultKind.PAUSE, FaultKind.RESTART) for name in PROCESSES]
    pairs += [(FaultKind.FORGET, name) for name in WITH_TABLES]
    faults = []
    for at, (kind, target) in zip(_times(rng, seconds, PROCESS_EVERY_S), _in_turn(rng, pairs), strict=False):
        faults.append(Fault(at, kind, target, rng.choice(PAUSES_S) if kind is FaultKind.PAUSE else 0.0))
    return faults


def link_faults(seed: int, seconds: float, links: Sequence[str]) -> list[Fault]:
    """Every fault of every link in turn, in random order; all are over within ``seconds``."""
    rng = random.Random(f"links {seed}")
    pairs = [(kind, link) for kind in (FaultKind.CUT, FaultKind.STALL, FaultKind.SLOW) for link in links]
    faults = []
    for at, (kind, target) in zip(_times(rng, seconds, LINK_EVERY_S), _in_turn(rng, pairs), strict=False):
        slow = kind is FaultKind.SLOW
        lasts = rng.choice(SLOW_S if slow else OUTAGES_S)
        faults.append(Fault(at, kind, target, min(lasts, seconds - at), rng.choice(DELAYS_S) if slow else 0.0))
    return faults


def _times(rng: random.Random, seconds: float, every: tuple[float, float]) -> Iterator[float]:
    at = FIRST_S
    while at < seconds:
        yield at
        at += rng.uniform(*every)


def _in_turn(rng: random.Random, things: Sequence[T]) -> Iterator[T]:
    """All of them in random order, then all again in another."""
    while True:
        yield from rng.sample(things, len(things))
