"""Payments compared with what their provider says now; what it says is appended to ``payment-events``.

The projection may be a moment behind. That does no harm: an event tells totals, so an older one changes nothing.
"""

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import closing
from decimal import Decimal
from typing import Final, NamedTuple
from uuid import UUID

import psycopg
from psycopg.rows import class_row

from connect.client_options import client_options
from connect.partitioning import partition_of
from connect.records.appending import Appender
from connect.topics import PAYMENT_EVENTS
from providers.configured import providers_of
from providers.port import PaymentQuestion, ProviderUnavailable
from settings import Settings
from tables.errors import MalformedRecord
from tables.ids import id_bytes
from tables.messages.payment_events import PaymentEvent, PaymentEventKind, encode_payment_event

UNANSWERED_MAX: Final = 3
K = PaymentEventKind
# Payments that were asked for, and that somebody still waits for or may give money back of.
_SELECT: Final = """
SELECT payment.event_id AS event, purchase_id AS purchase, state, provider, reference, payment.currency, captured,
       refunded, goodwill, CASE WHEN purchase.status = 'confirmed'
       AND payment_reference = coalesce(nullif(reference, ''), purchase_id::text) THEN paid_worth ELSE 0 END AS worth
FROM payment LEFT JOIN purchase ON purchase.event_id = payment.event_id AND purchase.id = purchase_id
WHERE provider <> '' AND (%(all)s OR state NOT IN ('due', 'captured', 'refunded', 'voided', 'ended', 'elsewhere'))
ORDER BY payment.at
"""


class KnownPayment(NamedTuple):
    """A payment as the projection has it.

    ``worth`` is that of the tickets that are confirmed with it; ``goodwill`` goes back although they are kept.
    """

    event: UUID
    purchase: UUID
    state: str
    provider: str
    reference: str
    currency: str
    captured: Decimal
    refunded: Decimal
    goodwill: Decimal
    worth: Decimal


def reconcile(now: Settings, *, everything: bool) -> Iterator[tuple[KnownPayment, list[str]]]:
    """Each unfinished payment, or each that was asked for, with its differences; the log has the provider's answers.

    A payment of which the provider says nothing that can be read is named, and the next ones are asked about. Raises
    psycopg.Error, KafkaError, and ProviderUnavailable or MalformedRecord after UNANSWERED_MAX such payments in a row,
    or if there were no others.
    """
    providers, known = providers_of(now), _known(now, everything=everything)
    unanswered = answered = 0
    with closing(Appender(client_options(now))) as appender, asyncio.Runner() as loop:
        for payment in known:
            provider = providers.get(payment.provider)
            if provider is None:
                yield payment, [f"{payment.provider} is not a provider of this deployment"]
                continue
            try:
                question = PaymentQuestion(payment.event, payment.purchase, payment.currency, payment.reference)
                found = loop.run(provider.look(question))
            except (MalformedRecord, ProviderUnavailable) as error:
                unanswered += 1
                if unanswered == UNANSWERED_MAX or (payment is known[-1] and not answered):
                    raise
                yield payment, [f"the provider says nothing that can be read: {error}"]
                continue
            unanswered, answered = 0, answered + 1
            yield payment, differences(payment, found)
            for event in found:
                key = id_bytes(event.purchase)
                appender.append(PAYMENT_EVENTS, partition_of(key, now.partitions), key, encode_payment_event(event), ())


def differences(payment: KnownPayment, found: Iterable[PaymentEvent]) -> list[str]:
    """How a payment differs: in its totals, and in what is authorized or charged beyond the tickets."""
    events = {event.kind: event for event in found}
    captured, refunded = _total(events.get(K.CAPTURED)), _total(events.get(K.REFUNDED))
    said = []
    if not events:
        said.append("the provider knows no payment of this purchase")
    if captured != payment.captured:
        said.append(f"captured is {captured} at the provider and {payment.captured} here")
    if refunded != payment.refunded:
        said.append(f"refunded is {refunded} at the provider and {payment.refunded} here")
    if captured - refunded != max(Decimal(0), payment.worth - payment.goodwill):
        goodwill = f", less {payment.goodwill} as goodwill" if payment.goodwill else ""
        said.append(f"charged is {captured - refunded} and the tickets are worth {payment.worth}{goodwill}")
    if K.AUTHORIZED in events and payment.state != "confirming":
        said.append(f"{_total(events[K.AUTHORIZED])} is authorized and the payment is {payment.state}")
    return said


def _total(event: PaymentEvent | None) -> Decimal:
    return Decimal(0) if event is None or event.amount is None else event.amount


def _known(now: Settings, *, everything: bool) -> list[KnownPayment]:
    url = now.database_url.get_secret_value()
    with (
        psycopg.connect(url, application_name="turnstile-payments") as connection,
        connection.cursor(row_factory=class_row(KnownPayment)) as cursor,
    ):
        return cursor.execute(_SELECT, {"all": everything}).fetchall()
