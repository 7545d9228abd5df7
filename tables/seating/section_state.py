"""Which seats of a section are free, held and sold."""

from tables.errors import InvariantBroken
from tables.seating.layout import SectionLayout


class SectionState:
    """The bits of the seats free and held by a layout; all others are sold.

    ``offset`` is that of the last command that changed them. ``removed`` has the seats that are out and not in the
    layout, by name: whether each is sold, or else held.
    """

    __slots__ = ("_seen", "free", "held", "layout", "offset", "removed")

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
        self.free = layout.seats ^ (held | sold)
        self.held = held
        self.removed = removed or {}
        self._seen: SectionState | None = None

    @property
    def sold(self) -> int:
        """The bits of the seats sold."""
        return self.layout.seats ^ self.free ^ self.held

    def seen_by(self, layout: SectionLayout) -> "SectionState":
        """The same seats by the layout of another plan; this state stays as it is."""
        if layout.plan == self.layout.plan:
            return self
        if self._seen is None or self._seen.layout.plan != layout.plan:
            self._seen = self._moved(layout)
        return self._seen

    def move(self, layout: SectionLayout) -> None:
        """Keep the seats that are out by the layout of another plan."""
        if layout.plan != self.layout.plan:
            moved = self._moved(layout)
            self.layout, self.free, self.held, self.removed = layout, moved.free, moved.held, moved.removed
            self._seen = None

    def take(self, bits: int, *, sold: bool) -> None:
        """Mark free seats as held or sold. Raises InvariantBroken if one is not free."""
        if bits & self.free != bits:
            raise InvariantBroken(f"seats of section {self.layout.name} can't be taken: one is not free")
        self.free ^= bits
        if not sold:
            self.held |= bits
        self._seen = None

    def change(self, given: tuple[str, ...], taken: tuple[str, ...], *, sold: bool) -> None:
        """Give seats back, then mark others as held or sold; a seat that is both changes its mark only.

        Raises InvariantBroken for a given seat that is not out, and for a taken one that is not free.
        """
        bits, lacking = self.layout.find(given)
        if bits & self.free or [name for name in lacking if self.removed.pop(name, None) is None]:
            raise InvariantBroken(f"seats {', '.join(given)} can't be given back: one is not out")
        self.free |= bits
        self.held ^= self.held & bits
        bits, lacking = self.layout.find(taken)
        if [name for name in lacking if name not in given]:
            raise InvariantBroken(f"seats {', '.join(taken)} can't be taken: one is not there")
        self.take(bits, sold=sold)
        self.removed |= dict.fromkeys(lacking, sold)

    def _moved(self, layout: SectionLayout) -> "SectionState":
        moved = SectionState(layout, self.offset)
        for sold, marked in ((False, self.held), (True, self.sold)):
            names = self.layout.names_of(marked) + [name for name, is_sold in self.removed.items() if is_sold is sold]
            bits, lacking = layout.find(names)
            moved.take(bits, sold=sold)
            moved.removed |= dict.fromkeys(lacking, sold)
        return moved
