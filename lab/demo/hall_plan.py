"""The hall of the demonstration: its sections, rows, and blocks of adjacent seats, as the API has made them."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple
from uuid import UUID

# Name, share of the rows in tenths, price.
SECTIONS: Final = (("Stalls", 5, "79.90"), ("Circle", 3, "59.90"), ("Balcony", 2, "39.90"))
ROW_SEATS: Final = 50
AISLES_AFTER: Final = (13, 37)
ROWS_MIN: Final = 4
ROWS: Final = 40

Block = tuple[str, ...]


class HallRow(NamedTuple):
    """A row: the names of its seats, in blocks between the aisles."""

    label: str
    blocks: tuple[Block, ...]


class HallSection(NamedTuple):
    """A section of one ticket type."""

    name: str
    ticket_type: UUID
    rows: tuple[HallRow, ...]

    @property
    def blocks(self) -> list[Block]:
        """The blocks of all its rows."""
        return [block for row in self.rows for block in row.blocks]


def ticket_types(rows: int) -> list[tuple[str, int, str]]:
    """Name, number of seats and price of each section, in a hall of so many rows."""
    counts = [max(1, rows * tenths // 10) for _, tenths, _ in SECTIONS[:-1]]
    counts.append(rows - sum(counts))
    return [(name, ROW_SEATS * count, price) for (name, _, price), count in zip(SECTIONS, counts, strict=True)]


def plan_body(types: Mapping[UUID, tuple[str, int]]) -> dict[str, Any]:
    """What asks the API to generate the plan; ``types`` has the section and the number of seats of each ticket type."""
    shape = {"seatsPerRow": ROW_SEATS, "aislesAfter": list(AISLES_AFTER)}
    return {
        "sections": [
            {"name": name, "category": str(kind), "rows": seats // ROW_SEATS} | shape
            for kind, (name, seats) in types.items()
        ]
    }


def read_plan(sections: Iterable[Mapping[str, Any]]) -> list[HallSection]:
    """The sections of a plan as the API shows it."""
    return [
        HallSection(
            section["name"],
            UUID(section["category"]),
            tuple(HallRow(row["label"], tuple(_blocks(section["name"], row))) for row in section["rows"]),
        )
        for section in sections
    ]


def _blocks(section: str, row: Mapping[str, Any]) -> Iterator[Block]:
    block: list[str] = []
    for seat in row["seats"]:
        if seat.get("gapBefore") and block:
            yield tuple(block)
            block = []
        block.append(f"{section}-{row['label']}-{seat['label']}")
    yield tuple(block)
