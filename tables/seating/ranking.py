"""The seats of a section in the order of their distance to the focal point, and the first of some in that order."""

from collections.abc import Sequence
from typing import Final, NamedTuple

LEAF_MAX_SEATS: Final = 32
FANOUT: Final = 8


class _Node(NamedTuple):
    """Seats that follow each other in the order: their bits, the lowest of them, and the nodes below.

    One without nodes below has its bits in order, counted from the lowest.
    """

    bits: int
    lowest: int
    ordered: tuple[int, ...]
    children: tuple["_Node", ...]


class Ranking:
    """A tree of masks over the seats in their order, so that a look for the first one takes few operations on bits."""

    __slots__ = ("_top",)

    def __init__(self, ordered: Sequence[int]) -> None:
        nodes = [_leaf(ordered[at : at + LEAF_MAX_SEATS]) for at in range(0, len(ordered), LEAF_MAX_SEATS)]
        while len(nodes) > FANOUT:
            nodes = [_above(nodes[at : at + FANOUT]) for at in range(0, len(nodes), FANOUT)]
        self._top = tuple(nodes)

    def first(self, bits: int) -> int | None:
        """The bit among ``bits`` whose seat comes first; None if there is none."""
        nodes = self._top
        while True:
            for node in nodes:
                if here := bits & node.bits:
                    break
            else:
                return None
            if node.ordered:
                near = here >> node.lowest
                return node.lowest + next(bit for bit in node.ordered if near >> bit & 1)
            nodes = node.children


def _leaf(ordered: Sequence[int]) -> _Node:
    lowest = min(ordered)
    near = tuple([bit - lowest for bit in ordered])
    return _Node(sum([1 << bit for bit in near]) << lowest, lowest, near, ())


def _above(nodes: Sequence[_Node]) -> _Node:
    bits = 0
    for node in nodes:
        bits |= node.bits
    return _Node(bits, min(node.lowest for node in nodes), (), tuple(nodes))
