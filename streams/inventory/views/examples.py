"""Examples of the answers of the ledger's views, which tests compare with the types."""

from typing import Any, Final

EVENT: Final = "3f0c8a52-6d8e-4b1c-9a43-2f6d1c7b5e01"
TICKET_TYPE: Final = "7a1d4c3e-90b2-4f57-8c66-5d2e8b9f0a12"
PURCHASE: Final = "c25e9f10-4b7a-5d38-a1e6-0f93d84b7c23"
ACCOUNT: Final = "91b6e7d4-2c5f-4a08-b3d9-6e1f7a0c8d34"
WORKER: Final = "http://127.0.0.1:6066"

EVENT_EXAMPLE: Final[dict[str, Any]] = {
    "event": EVENT,
    "version": 2,
    "offset": 1041,
    "title": "A Night at the Opera",
    "status": "ACTIVE",
    "ticketTypes": [
        {
            "ticketType": TICKET_TYPE,
            "name": "Floor",
            "quantity": 500,
            "held": 12,
            "sold": 440,
            "available": 48,
            "overcommitted": False,
            "state": "low",
        }
    ],
}
PURCHASE_EXAMPLE: Final[dict[str, Any]] = {
    "event": EVENT,
    "purchase": PURCHASE,
    "account": ACCOUNT,
    "status": "held",
    "reason": None,
    "figures": {},
    "currency": "EUR",
    "deadline": 1796000000000,
    "lines": [{"ticketType": TICKET_TYPE, "name": "Floor", "quantity": 2, "price": "49.90"}],
    "history": [{"offset": 1041, "at": 1795999400000, "kind": "held"}],
    "payment": "99.80",
    "reference": None,
    "returned": 0,
}
SECTION_EXAMPLE: Final[dict[str, Any]] = {
    "event": EVENT,
    "section": "A",
    "plan": 2,
    "offset": 1041,
    "held": 1,
    "sold": 3,
    "heldSeats": "CAA=",
    "soldSeats": "BgE=",
    "removed": [],
}


DEFINITION_EXAMPLE: Final[dict[str, Any]] = {
    "kind": "define-event",
    "event": EVENT,
    "version": 2,
    "definition": {
        "title": "A Night at the Opera",
        "status": "ACTIVE",
        "startsAt": "2026-12-31T19:00:00Z",
        "endsAt": "2026-12-31T22:00:00Z",
        "timeZone": "Europe/Rome",
        "venue": "La Scala",
        "city": "Milano",
        "ticketTypes": [{"id": TICKET_TYPE, "name": "Floor", "price": "49.90", "currency": "EUR", "quantity": 500}],
    },
}
