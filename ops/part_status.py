"""The state of a part, as `turnstile status` shows it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from settings import Settings

TIMEOUT_S: Final = 3
# From here on the lag of a role (records) is a warning.
LAG_WARN_RECORDS: Final = 10_000
# And so is the age of the oldest record that it has not done, as for the alert LagGrowing.
AGE_WARN_S: Final = 60


class PartState(StrEnum):
    """DOWN needs an operator, WARN may pass by itself."""

    OK = "ok"
    WARN = "warn"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class PartStatus:
    """A part's state in one line, with its figures."""

    name: str
    state: PartState
    text: str
    facts: dict[str, Any] = field(default_factory=dict)


Probe = Callable[[Settings], Iterable[PartStatus]]


def size(count: int) -> str:
    """A number of bytes with its unit."""
    amount = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if abs(amount) < 1000:
            return f"{amount:.0f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"
