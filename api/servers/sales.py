"""Purchases as they stand: from the projection, or, while that lags, from the worker that decided."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import httpx

from api.bodies.money import Money
from api.bodies.purchase import BoughtLine, Purchase, public_id
from api.problems import Unavailable
from api.servers.database import Database

WORKER: Final = "worker"
TIMEOUT: Final = httpx.Timeout(2.5, connect=1.0)
_SELECT: Final = """
SELECT account_id, status, reason, figures, lines, total, currency, deadline, at
FROM purchase
WHERE event_id = %(event)s AND id = %(purchase)s
"""


class WorkerViews:
    """The web views of the workers; any of them passes the question on to the one that knows."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=TIMEOUT, trust_env=False)

    def purchase(self, event: UUID, purchase: UUID) -> dict[str, Any] | None:
        """What the ledger says of a purchase. Raises Unavailable when no worker can tell."""
        answer = self._get(f"/api/purchase/{event}/{purchase}/")
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        if not answer.is_success:
            raise Unavailable(WORKER)
        found: dict[str, Any] = answer.json()
        return found

    def probe(self) -> None:
        """Ask the worker whether it is ready."""
        self._get("/health/ready").raise_for_status()

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def _get(self, path: str) -> httpx.Response:
        try:
            return self._client.get(path)
        except httpx.HTTPError as error:
            raise Unavailable(WORKER) from error


class PurchaseRows:
    """The projection ``purchase``, and behind it the views."""

    def __init__(self, database: Database, views: WorkerViews) -> None:
        self._database = database
        self._views = views

    def find(self, event: UUID, purchase: UUID) -> Purchase | None:
        """The purchase, from the projection or from the worker that decided it."""
        row = self._database.one(_SELECT, event=event, purchase=purchase)
        if row is not None:
            return _projected(event, purchase, row)
        viewed = self._views.purchase(event, purchase)
        return _viewed(event, purchase, viewed) if viewed else None


def _projected(event: UUID, purchase: UUID, row: Any) -> Purchase:
    return Purchase(
        id=public_id(event, purchase),
        event_id=event,
        account_id=row["account_id"],
        status=row["status"],
        reason=row["reason"],
        figures=row["figures"] or None,
        lines=_lines(row["lines"], row["currency"] or ""),
        total=Money.of(row["total"], row["currency"]) if row["currency"] else None,
        deadline=row["deadline"],
        decided_at=row["at"],
    )


def _viewed(event: UUID, purchase: UUID, view: dict[str, Any]) -> Purchase:
    currency = view.get("currency") or ""
    lines = _lines(view.get("lines", []), currency)
    total = sum((line.price.exact * line.quantity for line in lines), Decimal(0))
    history = view.get("history") or [{}]
    return Purchase(
        id=public_id(event, purchase),
        event_id=event,
        account_id=view.get("account"),
        status=view["status"],
        reason=view.get("reason"),
        figures=view.get("figures") or None,
        lines=lines,
        total=Money.of(total, currency) if currency else None,
        deadline=_moment(view.get("deadline")),
        decided_at=_moment(history[-1].get("at")),
    )


def _lines(lines: list[dict[str, Any]], currency: str) -> list[BoughtLine]:
    return [
        BoughtLine(
            ticket_type_id=line.get("ticketTypeId") or line["ticketType"],
            name=line["name"],
            quantity=line["quantity"],
            price=Money.of(Decimal(line["price"]), currency),
            codes=line.get("codes", []),
        )
        for line in lines
    ]


def _moment(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)
