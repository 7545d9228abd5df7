"""The seats of a section in the order of their distance to the focal point, and the first of some in that order."""

from collections.abc import Sequence
from typing import Final, NamedTuple

LEAF_MAX_SEATS: Final = 8
FANOUT: Final = 8


class _Node(NamedTuple):
    """Seats that follow each other in the order: their bits, the lowest of them, and the nodes below.

    Bits are counted from the lowest one of the node above, so that they become small. A node without others below has
    its bits in order, counted from its own lowest.
    """

    bits: int
    lowest: int
    ordered: tuple[int, ...]
    children: tuple["_Node", ...]


class Ranking:
    """A tree of masks over the seats in their order, so that a look for the first one takes few operations on bits."""

    __slots__ = ("_top",)

    def __init__(self, ordered: Sequence[int]) -> None:
        self._top = _nodes(ordered, 0)

    def first(self, bits: int) -> int | None:
        """The bit among ``bits`` whose seat comes first; None if there is none."""
        nodes = self._top
        start = 0
        while True:
            for node in nodes:
                if here := bits & node.bits:
                    break
            else:
                return None
            start += node.lowest
            bits = here >> node.lowest
            for bit in node.ordered:
                if bits >> bit & 1:
                    return start + bit
            nodes = node.children


def _nodes(ordered: Sequence[int], above: int) -> tuple[_Node, ...]:
    """At most FANOUT nodes for these seats; ``above`` is the lowest bit of the node above."""
    size = LEAF_MAX_SEATS
    while size * FANOUT < len(ordered):
        size *= FANOUT
    return tuple([_node(ordered[at : at + size], above) for at in range(0, len(ordered), size)])


def _node(ordered: Sequence[int], above: int) -> _Node:
    lowest = min(ordered)
    if len(ordered) <= LEAF_MAX_SEATS:
        near = tuple([bit - lowest for bit in ordered])
        return _Node(sum([1 << bit for bit in near]) << lowest - above, lowest - above, near, ())
    children = _nodes(ordered, lowest)
    bits = 0
    for child in children:
        bits |= child.bits
    return _Node(bits << lowest - above, lowest - above, (), children)
