"""The operation of the view of quotas, with an example of its answer, for the OpenAPI document."""

from typing import Any, Final

from msgspec import Struct

from streams.runtime.web_operations import LIST_QUERY, WebOperation
from tables.gate.views import QuotaView

EXAMPLE: Final[dict[str, Any]] = {
    "topic": "ticket-requests.partner",
    "partition": 2,
    "offset": 4711,
    "at": 1795999400000,
    "fullAt": 1795999400310,
}


class QuotasAnswer(Struct, frozen=True):
    """A page of quotas."""

    items: list[QuotaView]
    next: str | None


OPERATIONS: Final = (
    WebOperation(
        "/api/quotas/",
        "quotas",
        "How far the requests of each producer were checked, and when its quota is free again",
        QuotasAnswer,
        {"items": [EXAMPLE], "next": None},
        LIST_QUERY,
        role="gate",
    ),
)
