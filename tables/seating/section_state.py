"""Which seats of a section are held and sold."""

from collections.abc import Collection, Iterable

from tables.errors import InvariantBroken
from tables.seating.layout import SectionLayout


class SectionState:
    """The bits of the seats held and sold by a layout. ``offset`` is that of the last command that changed them.

    ``removed`` has the seats that are out and not in the layout, by name: whether each is sold, or else held.
    """

    __slots__ = ("_seen", "held", "layout", "offset", "removed", "sold")

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
        self.held = held
        self.sold = sold
        self.removed = removed or {}
        self._seen: SectionState | None = None

    @property
    def free(self) -> int:
        """The bits of the seats that can be sold."""
        return self.layout.seats ^ (self.held | self.sold)

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
            self.layout, self.held, self.sold, self.removed = layout, moved.held, moved.sold, moved.removed
            self._seen = None

    def change(self, given: Collection[str], taken: Iterable[str], *, sold: bool) -> None:
        """Mark seats as free, then others as held or sold; a seat that is both changes its mark only.

        Raises InvariantBroken for a given seat that is not out, and for a taken one that is not free.
        """
        for name in given:
            self._give(name)
        free = self.free
        for name in taken:
            bit = self.layout.bit_of(name)
            if name not in given and (bit is None or not free >> bit & 1):
                raise InvariantBroken(f"seat {name} can't be taken: it is not free")
            self._put(name, bit, sold=sold)
        self._seen = None

    def _give(self, name: str) -> None:
        bit = self.layout.bit_of(name)
        if bit is None:
            was_out = self.removed.pop(name, None) is not None
        else:
            was_out = bool((self.held | self.sold) >> bit & 1)
            self.held &= ~(1 << bit)
            self.sold &= ~(1 << bit)
        if not was_out:
            raise InvariantBroken(f"seat {name} can't be given back: it is not out")

    def _moved(self, layout: SectionLayout) -> "SectionState":
        moved = SectionState(layout, self.offset)
        for bits, sold in ((self.held, False), (self.sold, True)):
            for name in self.layout.names_of(bits):
                moved._put(name, layout.bit_of(name), sold=sold)
        for name, sold in self.removed.items():
            moved._put(name, layout.bit_of(name), sold=sold)
        return moved

    def _put(self, name: str, bit: int | None, *, sold: bool) -> None:
        if bit is None:
            self.removed[name] = sold
        elif sold:
            self.sold |= 1 << bit
        else:
            self.held |= 1 << bit
