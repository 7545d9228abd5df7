"""The rows of the table ``payment`` in PostgreSQL: what the pages and the API show of a payment."""

from typing import Any, Final
from uuid import UUID

from tables.payments.records import PaymentRecord
from tables.times import from_milliseconds

# A row is only replaced by one of a later event.
UPSERT: Final = """
INSERT INTO payment (event_id, purchase_id, account_id, state, provider, reference, url, due, captured, refunded,
                     currency, deadline, detail, disputed, record_offset, at)
VALUES (%(event_id)s, %(purchase_id)s, %(account_id)s, %(state)s, %(provider)s, %(reference)s, %(url)s, %(due)s,
        %(captured)s, %(refunded)s, %(currency)s, %(deadline)s, %(detail)s, %(disputed)s, %(record_offset)s, %(at)s)
ON CONFLICT (event_id, purchase_id) DO UPDATE
SET state = excluded.state, provider = excluded.provider, reference = excluded.reference, url = excluded.url,
    due = excluded.due, captured = excluded.captured, refunded = excluded.refunded, deadline = excluded.deadline,
    detail = excluded.detail, disputed = excluded.disputed, record_offset = excluded.record_offset, at = excluded.at
WHERE payment.record_offset < excluded.record_offset
"""


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
        "captured": record.captured,
        "refunded": record.refunded,
        "currency": record.currency,
        "deadline": None if record.deadline is None else from_milliseconds(record.deadline),
        "detail": record.detail,
        "disputed": record.disputed,
        "record_offset": record.offset,
        "at": from_milliseconds(record.at),
    }
