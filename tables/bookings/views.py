"""What the workers' web views show of the bookings. In JSON the fields have camelCase names."""

from decimal import Decimal
from uuid import UUID

from msgspec import Struct

from tables.bookings.records import Booking, decode_booking_key
from tables.messages.statuses import PurchaseStatus


class BookingLineView(Struct, frozen=True, rename="camel"):
    """Tickets of one type in a booking, and the price of one."""

    ticket_type: UUID
    name: str
    quantity: int
    price: Decimal


class BookingView(Struct, frozen=True, rename="camel"):
    """A purchase as the mails know it, after the outcome of the command at ``offset``; times are in ms.

    ``remindAt`` is when the mail before the end of a hold is due, ``reminded`` whether it was ordered.
    """

    event: UUID
    purchase: UUID
    account: UUID
    offset: int
    at: int
    status: PurchaseStatus
    currency: str
    lines: list[BookingLineView]
    deadline: int | None
    remind_at: int | None
    reminded: bool

    @property
    def revision(self) -> str:
        """Differs where anything differs."""
        return f"{self.offset}-{int(self.reminded)}"


def booking_view(key: bytes, booking: Booking) -> BookingView:
    """The booking under a key."""
    event, purchase = decode_booking_key(key)
    return BookingView(
        event,
        purchase,
        booking.account,
        booking.offset,
        booking.at,
        booking.status,
        booking.currency,
        [BookingLineView(line.ticket_type, line.name, line.quantity, line.price) for line in booking.lines],
        booking.deadline,
        booking.remind_at,
        booking.reminded,
    )
