"""Mutants of the ledger's worker that sell seats wrongly. Each imports what it changes, as those of the ledger do."""

from collections.abc import Collection
from typing import Any

from lab.chaos.mutants.patching import patch


def occupancy_check() -> None:
    """A seat that is asked for by name is free, whoever has it, and is booked without another look."""
    import tables.ledger.seat_orders
    from tables.seating.section_state import SectionState

    def take(state: Any, bits: int, *, sold: bool) -> None:
        state.free ^= state.free & bits
        state.held ^= state.held & bits
        if not sold:
            state.held |= bits
        state._seen = None

    def change(state: Any, given: Collection[str], taken: Collection[str], *, sold: bool) -> None:
        bits, lacking = state.layout.find(given)
        state.free |= bits
        state.held ^= state.held & bits
        for name in lacking:
            state.removed.pop(name, None)
        take(state, state.layout.find(taken)[0], sold=sold)

    patch(tables.ledger.seat_orders, "_is_free", lambda *_: True)
    patch(SectionState, "take", take)
    patch(SectionState, "change", change)


def orphan_rule() -> None:
    """The best available seats may leave a single one beside them."""
    from tables.seating.best_available import SeatPool

    best_run: Any = SeatPool.best_run
    patch(SeatPool, "best_run", lambda pool, free, count, **_: best_run(pool, free, count, orphans=True))
