"""Tickets with QR codes, and the calendar file, as in the mail."""

from functools import lru_cache
from io import BytesIO
from itertools import islice, zip_longest
from typing import Final, NamedTuple
from uuid import UUID

import segno
from markupsafe import Markup

from api.schemas.event import Event
from api.schemas.purchase import BoughtLine, Purchase
from tables.mail.calendar import calendar, entry
from tables.messages.outcomes import EventFacts
from tables.signing.tickets import Ticket, TicketSigner

# QR codes take time to draw.
PAGE_TICKETS: Final = 12


class PrintedTicket(NamedTuple):
    """A ticket: its number within the purchase, from 1 on, and its QR code as SVG."""

    number: int
    name: str
    seat: str | None
    code: str
    picture: Markup


def printed_tickets(signer: TicketSigner, event: UUID, lines: list[BoughtLine], sheet: int) -> list[PrintedTicket]:
    """The tickets of a page; ``sheet`` counts from 1."""
    codes = ((line.name, seat, code) for line in lines for code, seat in zip_longest(line.codes, line.seats or []))
    first = (sheet - 1) * PAGE_TICKETS
    return [
        PrintedTicket(number, name, seat, code, _qr_code(signer.sign(Ticket(event, code))))
        for number, (name, seat, code) in enumerate(islice(codes, first, first + PAGE_TICKETS), start=first + 1)
    ]


def purchase_calendar(ids: tuple[UUID, UUID], purchase: Purchase, event: Event, domain: str, notes: list[str]) -> bytes:
    """The purchase's calendar file; ``notes`` are what the entry says besides time and place."""
    facts = EventFacts(**{name: getattr(event, name) for name in EventFacts.__struct_fields__})
    made = entry(*ids, facts, purchase.decided_at or event.updated_at, domain, notes=notes)
    return calendar("PUBLISH", made)


@lru_cache(maxsize=2_000)
def _qr_code(text: str) -> Markup:
    """A QR code as safe markup: it is drawn here and has no text that people typed."""
    picture = BytesIO()
    code = segno.make_qr(text, error="m", boost_error=False)
    code.save(
        picture,
        kind="svg",
        xmldecl=False,
        svgns=False,
        omitsize=True,
        border=2,
        svgclass="qr",
        lineclass=None,
        nl=False,
    )
    return Markup(picture.getvalue().decode())  # noqa: S704
