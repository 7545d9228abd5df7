"""The negative controls: short runs in which safety mechanisms are off, and what the checker must find then."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lab.chaos.checks.finding import Finding
from lab.chaos.run import Order, Run
from lab.chaos.schedule import Deed, Fault

SECONDS: Final = 30.0
FORGET_EVERY_S: Final = 5.0
COPY_EVERY_S: Final = 0.15
SETTLING_S: Final = 30.0
# Some answers never come where a mechanism is off.
ASKING_S: Final = 15.0


@dataclass(frozen=True, slots=True)
class Control:
    """Mechanisms that are off in the same run, each with the promises and the words by which it is missed.

    None is missed where all is well. ``forgetful``: the ledgers are killed again and again and lose their folders.
    """

    missed: dict[str, tuple[tuple[int, ...], str]]
    forgetful: bool = False
    also: tuple[str, ...] = ()

    @property
    def without(self) -> tuple[str, ...]:
        """Everything that is off."""
        return (*self.missed, *self.also)

    def silent(self, broken: list[Finding]) -> list[str]:
        """The mechanisms of which the checker has not noticed that they were off."""
        return [
            name
            for name, (promises, words) in self.missed.items()
            if not any(finding.promise in promises and words in finding.text for finding in broken)
        ]


CONTROLS: Final = (
    Control(
        {
            "index version": ((5,), "document"),
            "projection order": ((4,), "table purchase"),
            "mail memory": ((6,), "asked for again"),
            "dead letters": ((7,), "can't be read"),
            "outbox": ((4,), "to the ledger"),
            "hidden drafts": ((5,), "found the draft"),
            "ownership": ((8,), "was let in"),
            "partition check": ((3,), "told"),
            "hold limits": ((3,), "hold-limit-exceeded"),
            "idempotency key": ((3,), "the log has no such purchase"),
        }
    ),
    Control({"ledger memory": ((3,), "told")}),
    Control({"offset rule": ((1, 3, 4), "")}, forgetful=True, also=("writing over",)),
    Control({"record order": ((1, 3, 4), "")}, forgetful=True, also=("slow writes",)),
    Control({}, forgetful=True, also=("slow writes",)),
)


def order(control: Control, seed: int, home: Path, folder: Path, seconds: float = SECONDS) -> Order:
    """The run of a control: a sale of so many ``seconds``."""
    made = Order(seed, seconds, home, folder, control.without, copy_every=COPY_EVERY_S, patience=SETTLING_S)
    if control.missed:
        made.asking = ASKING_S
    if control.forgetful:
        times = [FORGET_EVERY_S * number for number in range(1, int(seconds / FORGET_EVERY_S))]
        made.processes = [Fault(at, Deed.FORGET, f"ledger-{number % 2}") for number, at in enumerate(times)]
    return made


def carry_out(control: Control, made: Order, say: Callable[[str], None]) -> list[str]:
    """Run a control; what was not as it must be. Nothing off means that nothing may be found."""
    broken = Run(made, say).carry_out().verdict.broken
    for finding in broken[:10]:
        say(f"found: {finding}")
    if not control.missed:
        return [str(finding) for finding in broken]
    return [f"{name} is off, and nobody has noticed" for name in control.silent(broken)]
