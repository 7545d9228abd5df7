"""Mutants of the ledger's worker that sell seats wrongly. Each imports what it changes, as those of the ledger do."""

from collections.abc import Collection, Iterable
from contextlib import suppress
from typing import Any

from lab.chaos.mutants.patching import patch


def occupancy_check() -> None:
    """A seat that is asked for by name is free, whoever has it, and is booked without another look."""
    import tables.ledger.seat_orders
    from tables.errors import InvariantBroken
    from tables.seating.section_state import SectionState

    def change(state: Any, given: Collection[str], taken: Iterable[str], *, sold: bool) -> None:
        for name in given:
            with suppress(InvariantBroken):
                state._give(name)
        for name in taken:
            state._put(name, state.layout.bit_of(name), sold=sold)
        state._seen = None

    patch(tables.ledger.seat_orders, "_is_free", lambda *_: True)
    patch(SectionState, "change", change)


def orphan_rule() -> None:
    """The best available seats may leave a single one beside them."""
    import tables.seating.best_available

    patch(tables.seating.best_available, "_orphaning", lambda *_: 0)
