"""Mutants of the ledger's worker that sell seats wrongly. Each imports what it changes, as those of the ledger do."""

from collections.abc import Collection, Iterable
from typing import Any

from lab.chaos.mutants.patching import patch


def occupancy_check() -> None:
    """A seat that is asked for by name is free, whoever has it, and is booked without another look."""
    import tables.ledger.seat_orders
    from tables.seating.rows import rows_with
    from tables.seating.section_state import SectionState

    checked_take: Any = SectionState.take

    def take(state: Any, chosen: Iterable[tuple[int, int]], *, sold: bool) -> None:
        checked_take(state, [(row, bits & state.rows[row]) for row, bits in chosen], sold=sold)

    def change(state: Any, given: Collection[str], taken: Collection[str], *, sold: bool) -> None:
        bits, lacking = state.layout.find(given)
        state._give_back(bits)
        for name in lacking:
            state.removed.pop(name, None)
        take(state, rows_with(state.layout.starts, state.layout.find(taken)[0]), sold=sold)

    patch(tables.ledger.seat_orders, "_is_free", lambda *_: True)
    patch(SectionState, "take", take)
    patch(SectionState, "change", change)


def orphan_rule() -> None:
    """The best available seats may leave a single one beside them."""
    from tables.seating.best_available import SeatPool

    row_runs: Any = SeatPool.row_runs
    patch(SeatPool, "row_runs", lambda pool, count, **_: row_runs(pool, count, orphans=True))
