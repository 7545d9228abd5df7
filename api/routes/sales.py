"""Lists of purchases and payments: of an account, and of an event for its organizer, in JSON or CSV."""

from typing import Final

from flask import Response

from api.organizing.callers_events import managed_event
from api.ports.ports import ports
from api.schemas.account import AccountPath
from api.schemas.event import EventPath
from api.schemas.purchase import PurchaseList
from api.schemas.sales import EventSales, PurchasesQuery
from api.web.authentication import require_to_act_for
from api.web.csv_export import MEDIA_TYPE, csv_export
from api.web.responses import answer, answers, blueprint

sales = blueprint("sales", "purchases")

CSV: Final = {"description": "the table", "content": {MEDIA_TYPE: {"schema": {"type": "string"}}}}


@sales.get(
    "/accounts/<uuid:accountId>/purchases",
    summary="List an account's purchases",
    responses=answers({200: PurchaseList}, "not-found", "invalid-input"),
)
def list_purchases(path: AccountPath, query: PurchasesQuery) -> Response:
    """Newest first, with rejected ones; for the account itself and administrators."""
    require_to_act_for(path.account_id)
    return answer(ports().sales.of_account(path.account_id, query.limit, query.cursor))


@sales.get(
    "/events/<uuid:eventId>/sales",
    summary="List an event's sales",
    responses=answers({200: EventSales}, "not-found", "invalid-input"),
)
def list_sales(path: EventPath, query: PurchasesQuery) -> Response:
    """Totals and purchases, newest first; for the event's organizer and administrators."""
    managed_event(path.event_id)
    return answer(ports().sales.of_event(path.event_id, query.limit, query.cursor))


@sales.get(
    "/events/<uuid:eventId>/sales.csv",
    summary="All sales of an event as a table",
    responses=answers({}, "not-found") | {"200": CSV},
)
def sales_table(path: EventPath) -> Response:
    """A row for each line of each purchase, oldest first; for the event's organizer and administrators.

    A cell that a spreadsheet would take for a formula begins with an apostrophe.
    """
    managed_event(path.event_id)
    return csv_export(f"sales-{path.event_id}.csv", ports().sales.table_of_event(path.event_id))


@sales.get(
    "/events/<uuid:eventId>/payments.csv",
    summary="All payments of an event as a table",
    responses=answers({}, "not-found") | {"200": CSV},
)
def payment_table(path: EventPath) -> Response:
    """A row for each purchase that is paid online, oldest first; for the event's organizer and administrators.

    Its worth, the reference of its payment, and what the provider captured and refunded.
    """
    managed_event(path.event_id)
    return csv_export(f"payments-{path.event_id}.csv", ports().sales.payments_of_event(path.event_id))
