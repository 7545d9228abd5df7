"""The diagram of the pipeline: boxes in six columns and three rows, and arrows between them.

board.css places the boxes where the arrows expect them.
"""

from typing import Final

from connect.topics import COMMANDS, OUTCOMES

BOX_WIDTH: Final = 180
BOX_HEIGHT: Final = 116
COLUMN: Final = 224
ROW: Final = 152
SIZE: Final = (5 * COLUMN + BOX_WIDTH, 2 * ROW + BOX_HEIGHT)
_PLACES: Final[dict[str, tuple[int, int]]] = {
    "postgres": (0, 0),
    "connect": (1, 0),
    "indexer": (4, 0),
    "elasticsearch": (5, 0),
    "api": (0, 1),
    COMMANDS: (1, 1),
    "ledger": (2, 1),
    OUTCOMES: (3, 1),
    "sales": (4, 1),
    "purchases": (5, 1),
    "notifications": (4, 2),
    "mail": (5, 2),
}
# Source, target, and the part whose rate says whether records flow there.
_ARROWS: Final = (
    ("postgres", "connect", "connect"),
    ("connect", "indexer", "indexer"),
    ("connect", "ledger", "connect"),
    ("indexer", "elasticsearch", "indexer"),
    ("api", "postgres", "connect"),
    ("api", COMMANDS, COMMANDS),
    (COMMANDS, "ledger", "ledger"),
    ("ledger", OUTCOMES, OUTCOMES),
    (OUTCOMES, "sales", "sales"),
    (OUTCOMES, "notifications", "notifications"),
    (OUTCOMES, "api", OUTCOMES),
    ("sales", "purchases", "sales"),
    ("notifications", "mail", "mail"),
)


def _arrow(source: str, target: str) -> str:
    """The SVG path from one box's edge to the other's, around the boxes between them."""
    (x1, y1), (x2, y2) = (_corner(name) for name in (source, target))
    middle = BOX_HEIGHT // 2
    if x1 == x2:
        return f"M{x1 + BOX_WIDTH // 2},{y1}V{y2 + BOX_HEIGHT + 7}"
    if x2 < x1:
        below = y1 + BOX_HEIGHT + (ROW - BOX_HEIGHT) // 2
        return f"M{x1 + BOX_WIDTH // 2},{y1 + BOX_HEIGHT}V{below}H{x2 + BOX_WIDTH // 2}V{y2 + BOX_HEIGHT + 7}"
    start = f"M{x1 + BOX_WIDTH},{y1 + middle}"
    if y1 == y2:
        return f"{start}H{x2 - 7}"
    if y2 > y1 and target == "ledger":
        return f"{start}H{x2 + BOX_WIDTH // 2}V{y2 - 7}"
    between = x2 - (COLUMN - BOX_WIDTH) // 2
    return f"{start}H{between}V{y2 + middle}H{x2 - 7}"


def _corner(name: str) -> tuple[int, int]:
    column, row = _PLACES[name]
    return column * COLUMN, row * ROW


ARROWS: Final = tuple((_arrow(source, target), flow) for source, target, flow in _ARROWS)
