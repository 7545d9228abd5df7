"""The negative controls: short runs of mutants, and what the checker must find in them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lab.chaos.checks.finding import Finding
from lab.chaos.run import Options, Run
from lab.chaos.schedule import Fault, FaultKind

SECONDS: Final = 30.0
FORGET_EVERY_S: Final = 5.0
# Longer than a request is tried.
CUT_S: Final = 6.0
COPY_EVERY_S: Final = 0.1
SETTLE_MAX_S: Final = 30.0
# Without some mechanisms some answers never come.
RETRY_MAX_S: Final = 15.0


@dataclass(frozen=True, slots=True)
class Control:
    """One run: the mechanisms that are off, each with the promises and the words that the checker must report.

    A control without them must report nothing. ``also`` is off too, but not looked for. A ``calm`` run has no faults.
    In a ``forgetful`` one the ledger's workers are killed again and again and lose their folders. Links in ``cut`` are
    cut again and again.
    """

    missed: dict[str, tuple[tuple[int, ...], str]]
    calm: bool = False
    forgetful: bool = False
    also: tuple[str, ...] = ()
    cut: tuple[str, ...] = ()

    @property
    def without(self) -> tuple[str, ...]:
        """All mechanisms that are off."""
        return (*self.missed, *self.also)

    def silent(self, broken: list[Finding]) -> list[str]:
        """The mechanisms that were off without the checker's notice."""
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
        },
        calm=True,
    ),
    Control({"ledger memory": ((3,), "told")}),
    Control({"occupancy check": ((1,), "has two holders")}),
    Control({"orphan rule": ((3,), "seats=('")}),
    Control({"offset rule": ((1, 3, 4), "")}, forgetful=True, also=("writing over",)),
    Control({"record order": ((1, 3, 4), "")}, forgetful=True, also=("slow writes",)),
    Control({}, forgetful=True, also=("slow writes",)),
    Control({"confirm first": ((10,), "more than"), "refund ids": ((10,), "less than")}),
    Control({"payment checks": ((10,), "is still")}, cut=("payments-0 - paper",)),
)


def options(control: Control, seed: int, home: Path, folder: Path, seconds: float = SECONDS) -> Options:
    """The options of a control's run."""
    made = Options(seed, seconds, home, folder, control.without, copy_every_s=COPY_EVERY_S, settle_max_s=SETTLE_MAX_S)
    if control.missed:
        made.retry_max_s = RETRY_MAX_S
    if control.calm:
        made.processes, made.links = [], []
    if control.forgetful:
        times = [FORGET_EVERY_S * number for number in range(1, int(seconds / FORGET_EVERY_S))]
        made.processes = [Fault(at, FaultKind.FORGET, f"ledger-{number % 2}") for number, at in enumerate(times)]
    if control.cut:
        times = [CUT_S * number for number in range(1, int(seconds / CUT_S), 2)]
        made.links = [Fault(at, FaultKind.CUT, link, CUT_S) for at in times for link in control.cut]
    return made


def carry_out(control: Control, made: Options, say: Callable[[str], None]) -> list[str]:
    """Run a control and return what went wrong: mechanisms not noticed, or findings where nothing was looked for."""
    broken = Run(made, say).carry_out().verdict.broken
    for finding in broken[:10]:
        say(f"found: {finding}")
    if not control.missed:
        return [str(finding) for finding in broken]
    return [f"{name} is off, and nobody has noticed" for name in control.silent(broken)]
