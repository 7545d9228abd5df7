"""What is done to the parts and when: two lanes of faults, made from a seed alone.

One lane is for processes, one for links; each has one fault at a time, so two may meet.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeVar

T = TypeVar("T")


class Deed(StrEnum):
    """What can be done to a process or to a link."""

    KILL = "kill"  # SIGKILL, and started again
    FORGET = "forget"  # the same, and its data folder is lost
    PAUSE = "pause"  # SIGSTOP, later SIGCONT
    RESTART = "restart"  # stopped as it should be, and started again
    CUT = "cut"  # connections are ended, new ones refused
    STALL = "stall"  # connections stand, nothing passes
    SLOW = "slow"  # everything takes longer


WORKERS: Final = ("ledger-0", "ledger-1", "indexer-0", "notifications-0", "sales-0")
SERVERS: Final = ("kafka", "postgres", "connect", "elasticsearch", "smtp")
PROCESSES: Final = (*WORKERS, "api", *SERVERS)
WITH_TABLES: Final = ("ledger-0", "ledger-1", "notifications-0")
# A worker is out of its group after 6 s without a sign: some pauses are shorter, some longer.
PAUSES_S: Final = (1.0, 3.0, 8.0)
OUTAGES_S: Final = (0.2, 1.0, 2.0, 4.0, 8.0)
DELAYS_S: Final = (0.02, 0.05, 0.1, 0.2)
SLOW_S: Final = (3.0, 6.0, 10.0)
FIRST_S: Final = 4.0
PROCESS_EVERY_S: Final = (6.0, 12.0)
LINK_EVERY_S: Final = (5.0, 11.0)


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is done ``at`` so many seconds to a process or a link, for so many ``seconds``.

    ``delay`` (seconds) is how much a slow link adds.
    """

    at: float
    deed: Deed
    victim: str
    seconds: float = 0.0
    delay: float = 0.0


def process_faults(seed: int, seconds: float) -> list[Fault]:
    """Every deed to every process in turn, the order shuffled, within ``seconds``."""
    dice = random.Random(f"processes {seed}")
    deeds = [(deed, name) for deed in (Deed.KILL, Deed.PAUSE, Deed.RESTART) for name in PROCESSES]
    deeds += [(Deed.FORGET, name) for name in WITH_TABLES]
    faults = []
    for at, (deed, victim) in zip(_times(dice, seconds, PROCESS_EVERY_S), _in_turn(dice, deeds), strict=False):
        faults.append(Fault(at, deed, victim, dice.choice(PAUSES_S) if deed is Deed.PAUSE else 0.0))
    return faults


def link_faults(seed: int, seconds: float, links: Sequence[str]) -> list[Fault]:
    """Every deed to every link in turn, the order shuffled, over within ``seconds``."""
    dice = random.Random(f"links {seed}")
    deeds = [(deed, link) for deed in (Deed.CUT, Deed.STALL, Deed.SLOW) for link in links]
    faults = []
    for at, (deed, victim) in zip(_times(dice, seconds, LINK_EVERY_S), _in_turn(dice, deeds), strict=False):
        slow = deed is Deed.SLOW
        lasts = dice.choice(SLOW_S if slow else OUTAGES_S)
        faults.append(Fault(at, deed, victim, min(lasts, seconds - at), dice.choice(DELAYS_S) if slow else 0.0))
    return faults


def _times(dice: random.Random, seconds: float, every: tuple[float, float]) -> Iterator[float]:
    at = FIRST_S
    while at < seconds:
        yield at
        at += dice.uniform(*every)


def _in_turn(dice: random.Random, things: Sequence[T]) -> Iterator[T]:
    """All of them in an order of chance, then all again in another."""
    while True:
        yield from dice.sample(things, len(things))
