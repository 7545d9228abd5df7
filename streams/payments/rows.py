"""The rows of the table ``payment`` in PostgreSQL: what the pages and the API show of a payment."""

from typing import Any, Final
from uuid import UUID

from tables.messages.encoding import from_milliseconds
from tables.payments.records import PaymentRecord, RefundOrder

# A row is only replaced by one of a later event.
COLUMNS: Final = """
event_id, purchase_id, account_id, state, provider, reference, url, due, authorized, captured, refunded, refundable,
goodwill, fee, refunds, currency, deadline, detail, disputed, since, record_offset, at
"""
UPSERT: Final = f"""
INSERT INTO payment ({COLUMNS})
SELECT {COLUMNS} FROM json_populate_recordset(NULL::payment, %s::json)
ON CONFLICT (event_id, purchase_id) DO UPDATE
SET state = excluded.state, provider = excluded.provider, reference = excluded.reference, url = excluded.url,
    due = excluded.due, authorized = excluded.authorized, captured = excluded.captured, refunded = excluded.refunded,
    refundable = excluded.refundable, goodwill = excluded.goodwill, fee = excluded.fee, refunds = excluded.refunds,
    deadline = excluded.deadline, detail = excluded.detail, disputed = excluded.disputed,
    since = CASE WHEN payment.state = excluded.state THEN payment.since ELSE excluded.since END,
    record_offset = excluded.record_offset, at = excluded.at
WHERE payment.record_offset < excluded.record_offset
"""  # noqa: S608 (put together from constants; values are parameters)


def payment_row(purchase: UUID, record: PaymentRecord) -> dict[str, Any]:
    """The row of a payment."""
    return {
        "event_id": record.event,
        "purchase_id": purchase,
        "account_id": record.account,
        "state": record.state.value,
        "provider": record.provider,
        "reference": record.reference,
        "url": record.url,
        "due": record.due,
        "authorized": record.authorized,
        "captured": record.captured,
        "refunded": record.refunded,
        "refundable": record.refundable,
        "goodwill": record.goodwill,
        "fee": record.fee,
        "refunds": [_order(order) for order in record.refunds],
        "currency": record.currency,
        "deadline": None if record.deadline is None else from_milliseconds(record.deadline),
        "detail": record.detail,
        "disputed": record.disputed,
        "since": from_milliseconds(record.at),
        "record_offset": record.offset,
        "at": from_milliseconds(record.at),
    }


def _order(order: RefundOrder) -> dict[str, Any]:
    return {
        "id": str(order.id),
        "by": str(order.by),
        "at": from_milliseconds(order.at).isoformat(),
        "reason": order.reason,
        "amount": str(order.amount),
        "status": order.status.value,
        "refusal": order.refusal,
        "goodwill": order.goodwill,
    }
