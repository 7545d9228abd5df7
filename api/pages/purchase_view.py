"""The template values of a purchase, for its own page and for the page behind a mailed link."""

from typing import Any, Final
from uuid import UUID

from flask import request

from api.pages.holder_texts import purchase_end
from api.pages.language import lazy_gettext
from api.pages.printed_tickets import PAGE_TICKETS, printed_tickets
from api.pages.refusal_texts import refusal_text
from api.ports.ports import ports
from api.schemas.purchase import Purchase

HEADLINES: Final = {
    "held": lazy_gettext("Held for you"),
    "confirmed": lazy_gettext("Your tickets"),
    "rejected": lazy_gettext("Nothing was ordered"),
}


def purchase_values(found: Purchase, page: str) -> dict[str, Any]:
    """The values of ``purchase_state.html``; ``page`` is the URL of the page itself."""
    end = purchase_end(found.status, found.reason)
    return {
        "purchase": found,
        "headline": end.headline if end else HEADLINES[found.status],
        "end": end.text if end else None,
        "seconds_left": _seconds_left(found),
        "count": sum(line.quantity for line in found.lines or []),
        "reason": refusal_text(found.reason) if found.reason else None,
        "page": page,
        "is_paid_here": ports().payments.provider is not None,
    }


def ticket_values(event: UUID, found: Purchase, page: str) -> dict[str, Any]:
    """The values of ``printed_tickets.html``: one page of the tickets."""
    bought = found.lines or []
    sheets = -(-sum(len(line.codes) for line in bought) // PAGE_TICKETS)
    sheet = min(max(1, request.args.get("sheet", 1, int)), max(1, sheets))
    return {
        "tickets": printed_tickets(ports().signer, event, bought, sheet) if found.status == "confirmed" else [],
        "sheet": sheet,
        "sheets": sheets,
        "sheets_page": f"{page}{'&' if '?' in page else '?'}sheet=",
    }


def _seconds_left(found: Purchase) -> int | None:
    if found.status != "held" or found.deadline is None:
        return None
    return max(0, round((found.deadline - ports().clock()).total_seconds()))
