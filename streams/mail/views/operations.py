"""The operations of the views of contacts and bookings, with an example of each answer, for the OpenAPI document."""

from typing import Any, Final

from streams.mail.views.contacts import ContactView
from streams.runtime.web_operations import LIST_QUERY, WebOperation, listed, page_of, query_parameter
from tables.bookings.views import BookingView

ROLE: Final = "notifications"
ACCOUNT: Final = "91b6e7d4-2c5f-4a08-b3d9-6e1f7a0c8d34"
CONTACT_EXAMPLE: Final[dict[str, Any]] = {"account": ACCOUNT, "lsn": 26_871_832, "locale": "it", "deleted": False}
BOOKING_EXAMPLE: Final[dict[str, Any]] = {
    "event": "3f0c8a52-6d8e-4b1c-9a43-2f6d1c7b5e01",
    "purchase": "c25e9f10-4b7a-5d38-a1e6-0f93d84b7c23",
    "account": ACCOUNT,
    "offset": 1041,
    "at": 1795999400000,
    "status": "held",
    "currency": "EUR",
    "lines": [{"ticketType": "7a1d4c3e-90b2-4f57-8c66-5d2e8b9f0a12", "name": "Floor", "quantity": 2, "price": "49.90"}],
    "deadline": 1796000000000,
    "remindAt": 1795999880000,
    "reminded": False,
}


OPERATIONS: Final = (
    WebOperation(
        "/api/bookings/",
        "bookings",
        "The bookings: the purchases as the mails know them",
        page_of("bookings", BookingView),
        listed(BOOKING_EXAMPLE, "kgHEEA"),
        (query_parameter("event", "only those of this event", type="string", format="uuid"), *LIST_QUERY),
        role=ROLE,
    ),
    WebOperation(
        "/api/booking/{event}/{purchase}/",
        "booking",
        "A booking",
        BookingView,
        BOOKING_EXAMPLE,
        has_revision=True,
        role=ROLE,
    ),
    WebOperation(
        "/api/contacts/",
        "contacts",
        "The contacts, without names and addresses",
        page_of("contacts", ContactView),
        listed(CONTACT_EXAMPLE),
        LIST_QUERY,
        role=ROLE,
    ),
    WebOperation(
        "/api/contact/{account}/",
        "contact",
        "A contact, without name and address",
        ContactView,
        CONTACT_EXAMPLE,
        has_revision=True,
        role=ROLE,
    ),
)
