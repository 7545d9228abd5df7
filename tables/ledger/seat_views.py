"""What the workers' web views show of seats. In JSON the fields have camelCase names, and bytes are base64."""

from uuid import UUID

from msgspec import Struct

from tables.ledger.purchase_records import SeatedPurchase
from tables.ledger.records import SectionRecord


class RemovedSeatView(Struct, frozen=True, rename="camel"):
    """A seat that is sold, or else held, and not in the section's plan any more."""

    seat: str
    sold: bool


class SectionView(Struct, frozen=True, rename="camel"):
    """The seats of a section that are out, after the command at ``offset``, by the plan of the number ``plan``.

    ``heldSeats`` and ``soldSeats`` have bits, the least significant one of a byte first: one for each seat of a row,
    and one that belongs to no seat between two rows and where an aisle is. ``held`` and ``sold`` count seats, those in
    ``removed`` included.
    """

    event: UUID
    section: str
    plan: int
    offset: int
    held: int
    sold: int
    held_seats: bytes
    sold_seats: bytes
    removed: list[RemovedSeatView]

    @property
    def revision(self) -> str:
        """Differs where anything differs."""
        return str(self.offset)


def section_view(event: UUID, section: str, record: SectionRecord) -> SectionView:
    """A section."""
    return SectionView(
        event,
        section,
        record.plan,
        record.offset,
        _count(record.held) + sum(not sold for _, sold in record.removed),
        _count(record.sold) + sum(sold for _, sold in record.removed),
        record.held,
        record.sold,
        [RemovedSeatView(seat, sold) for seat, sold in record.removed],
    )


def seats_by_type(purchase: SeatedPurchase) -> dict[UUID, list[str]]:
    """The seats that a purchase has, by ticket type."""
    seats: dict[UUID, list[str]] = {}
    for name, ticket in purchase.seats().items():
        seats.setdefault(ticket.ticket_type, []).append(name)
    return seats


def _count(bits: bytes) -> int:
    return int.from_bytes(bits).bit_count()
