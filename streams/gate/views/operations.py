"""The operation of the view of quotas, with an example of its answer, for the OpenAPI document."""

from typing import Any, Final

from streams.runtime.web_operations import LIST_QUERY, WebOperation, listed, page_of
from tables.gate.views import QuotaView

EXAMPLE: Final[dict[str, Any]] = {
    "topic": "ticket-requests.partner",
    "partition": 2,
    "offset": 4711,
    "at": 1795999400000,
    "fullAt": 1795999400310,
}


OPERATIONS: Final = (
    WebOperation(
        "/api/quotas/",
        "quotas",
        "How far the requests of each producer were checked, and when its quota is free again",
        page_of("quotas", QuotaView),
        listed(EXAMPLE),
        LIST_QUERY,
        role="gate",
    ),
)
