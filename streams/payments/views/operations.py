"""The operations of the views of payments, with an example of each answer, for the OpenAPI document."""

from typing import Any, Final

from streams.runtime.web_operations import LIST_QUERY, WebOperation, listed, page_of, query_parameter
from tables.payments.views import PaymentView

ROLE: Final = "payments"
EXAMPLE: Final[dict[str, Any]] = {
    "event": "3f0c8a52-6d8e-4b1c-9a43-2f6d1c7b5e01",
    "purchase": "c25e9f10-4b7a-5d38-a1e6-0f93d84b7c23",
    "account": "91b6e7d4-2c5f-4a08-b3d9-6e1f7a0c8d34",
    "offset": 311,
    "at": 1795999400000,
    "state": "captured",
    "currency": "EUR",
    "due": "99.80",
    "worth": "99.80",
    "authorized": "99.80",
    "captured": "99.80",
    "refunded": "0",
    "fee": "1.65",
    "provider": "paper",
    "reference": "paper_8Jk2",
    "deadline": 1796000000000,
    "tasks": [],
    "checkAt": 0,
    "disputed": False,
    "refunds": [],
}


OPERATIONS: Final = (
    WebOperation(
        "/api/payments/",
        "payments",
        "The payments of purchases that are paid online",
        page_of("payments", PaymentView),
        listed(EXAMPLE, "kgHEEA"),
        (query_parameter("event", "only those of this event", type="string", format="uuid"), *LIST_QUERY),
        role=ROLE,
    ),
    WebOperation(
        "/api/payment/{event}/{purchase}/",
        "payment",
        "The payment of a purchase",
        PaymentView,
        EXAMPLE,
        has_revision=True,
        role=ROLE,
    ),
)
