"""Every measurement by name, in the order in which they are made."""

from typing import Final

from lab.bench import (
    availability,
    gate,
    growth,
    holds,
    hostile,
    hot_pages,
    ledger,
    mail,
    payments,
    recovery,
    rest,
    search,
    seat_decisions,
    seat_sales,
    seats,
    soak,
)
from lab.bench.baseline import selling
from lab.bench.measurement import Measurement

MODULES: Final = (
    availability,
    ledger,
    growth,
    seat_decisions,
    seats,
    holds,
    gate,
    recovery,
    rest,
    hostile,
    selling,
    seat_sales,
    payments,
    search,
    hot_pages,
    mail,
    soak,
)
ALL: Final[dict[str, Measurement]] = {one.name: one for module in MODULES for one in module.MEASUREMENTS}


class NoMeasurement(LookupError):
    """No measurement has the name; the message lists all names."""


def chosen(names: tuple[str, ...]) -> list[Measurement]:
    """The measurements of these names, or of names that begin so (``ledger``); all without names.

    Raises NoMeasurement for a name that fits none.
    """
    if not names:
        return list(ALL.values())
    for name in names:
        if not any(_fits(one, name) for one in ALL):
            raise NoMeasurement(f"no measurement is called {name!r}; there are {', '.join(ALL)}")
    return [one for one in ALL.values() if any(_fits(one.name, name) for name in names)]


def _fits(one: str, name: str) -> bool:
    return one == name or one.startswith(f"{name}.")
