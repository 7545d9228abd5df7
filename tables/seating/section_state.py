"""Which seats of a section are free, held and sold."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from tables.errors import InvariantBroken
from tables.seating.best_available import RUNS_MAX_SIZES, RowRuns, RunPlace
from tables.seating.layout import SectionLayout
from tables.seating.rows import RowBits, by_row, joined, rows_with

CHANGES_MAX: Final = 1_000


class SectionState:
    """The bits of the seats free and held by a layout; all others are sold.

    ``rows`` has the free ones by row. ``offset`` is that of the last command that changed them.
    ``removed`` has the seats that are out and not in the layout, by name: whether each is sold, or else held.
    """

    __slots__ = (
        "_changes",
        "_free",
        "_held",
        "_runs",
        "_seen",
        "_taken",
        "layout",
        "offset",
        "removed",
        "rows",
    )

    def __init__(
        self,
        layout: SectionLayout,
        offset: int = -1,
        held: int = 0,
        sold: int = 0,
        removed: dict[str, bool] | None = None,
    ) -> None:
        self.layout = layout
        self.offset = offset
        self.removed = removed or {}
        self._set(layout.seats ^ (held | sold), held)

    def _set(self, free: int, held: int) -> None:
        self.rows = by_row(self.layout.starts, free)
        self._free = free
        self._held = held
        # What has been taken since.
        self._taken: list[RowBits] = []
        # The best runs by category and number of seats, and the rows that have changed since the first was looked for.
        self._runs: dict[tuple[int, int], RowRuns] = {}
        self._changes: list[RowBits] = []
        self._seen: SectionState | None = None

    @property
    def is_full(self) -> bool:
        """Whether no seat is free."""
        return not any(self.rows)

    @property
    def free(self) -> int:
        """The bits of the free seats."""
        if self._taken:
            self._free ^= joined(self.layout.starts, self._taken)
            self._taken.clear()
        return self._free

    @property
    def held(self) -> int:
        """The bits of the seats held."""
        return self._held

    @property
    def sold(self) -> int:
        """The bits of the seats sold."""
        return self.layout.seats ^ self.free ^ self._held

    def best_run(self, category: UUID, count: int) -> RunPlace | None:
        """Where the best ``count`` free seats of a category are that leave no orphan, as SeatPool.best_run."""
        runs = self._runs.get((category.int, count)) or self._add_runs(category, count)
        return runs.best_of(self.rows, self._changes)

    def seen_by(self, layout: SectionLayout) -> "SectionState":
        """The same seats by the layout of another plan; this state stays as it is."""
        if self._seen is None or self._seen.layout.plan != layout.plan:
            self._seen = self._moved(layout)
        return self._seen

    def move(self, layout: SectionLayout) -> None:
        """Keep the seats that are out by the layout of another plan."""
        moved = self._moved(layout)
        self.layout, self.removed = layout, moved.removed
        self._set(moved.free, moved.held)

    def take(self, chosen: Sequence[RowBits], *, sold: bool) -> None:
        """Mark free seats as held or sold. Raises InvariantBroken if one is not free."""
        rows = self.rows
        for row, bits in chosen:
            free = rows[row]
            if bits & free != bits:
                raise InvariantBroken(f"seats of section {self.layout.name} can't be taken: one is not free")
            rows[row] = free ^ bits
        self._taken += chosen
        if not sold:
            self._held |= joined(self.layout.starts, chosen)
        self._note(chosen)

    def change(self, given: tuple[str, ...], taken: tuple[str, ...], *, sold: bool) -> None:
        """Give seats back, then mark others as held or sold; a seat that is both changes its mark only.

        Raises InvariantBroken for a given seat that is not out, and for a taken one that is not free.
        """
        bits, lacking = self.layout.find(given)
        if bits & self.free or [name for name in lacking if self.removed.pop(name, None) is None]:
            raise InvariantBroken(f"seats {', '.join(given)} can't be given back: one is not out")
        self._give_back(bits)
        bits, lacking = self.layout.find(taken)
        if [name for name in lacking if name not in given]:
            raise InvariantBroken(f"seats {', '.join(taken)} can't be taken: one is not there")
        self.take(rows_with(self.layout.starts, bits), sold=sold)
        self.removed |= dict.fromkeys(lacking, sold)

    def _give_back(self, bits: int) -> None:
        self._free = self.free | bits
        self._held ^= self._held & bits
        given = rows_with(self.layout.starts, bits)
        for row, here in given:
            self.rows[row] |= here
        self._note(given)

    def _note(self, changed: Sequence[RowBits]) -> None:
        """Have these rows looked at again for the best runs."""
        self._seen = None
        if self._runs:
            self._changes += changed
            if len(self._changes) > CHANGES_MAX:
                self._runs.clear()
                self._changes.clear()

    def _add_runs(self, category: UUID, count: int) -> RowRuns:
        while len(self._runs) >= RUNS_MAX_SIZES:
            del self._runs[next(iter(self._runs))]
        runs = self.layout.pool(category, accessible=False).row_runs(count, orphans=False)
        self._runs[category.int, count] = runs
        return runs

    def _moved(self, layout: SectionLayout) -> "SectionState":
        moved = SectionState(layout, self.offset)
        for sold, marked in ((False, self.held), (True, self.sold)):
            names = self.layout.names_of(marked) + [name for name, is_sold in self.removed.items() if is_sold is sold]
            bits, lacking = layout.find(names)
            moved.take(rows_with(layout.starts, bits), sold=sold)
            moved.removed |= dict.fromkeys(lacking, sold)
        return moved
