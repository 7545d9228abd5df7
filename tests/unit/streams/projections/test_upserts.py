"""Which records the agent of ``ticket-purchases`` writes of a batch."""

from types import SimpleNamespace
from typing import Any

from msgspec.structs import replace

from streams.projections.upserts import records_of
from tables.messages.encoding import json_decoder
from tables.messages.outcomes import Outcome, OutcomeKind, encode_outcome
from tables.messages.purchase_upserts import PurchaseUpsert
from tables.messages.statuses import PurchaseStatus
from tests.unit.streams.test_agents import outcome


def batch(*values: bytes | None) -> list[Any]:
    return [SimpleNamespace(decoded=None, value=value) for value in values]


def test_the_states_of_a_batch_are_written_in_order_and_the_rest_is_left_out() -> None:
    sold: Outcome = outcome()
    ended = replace(sold, kind=OutcomeKind.CANCELLED, status=PurchaseStatus.CANCELLED, offset=9)
    left_out = [replace(sold, repeated=True, offset=10), replace(sold, kind=OutcomeKind.REFUSED, offset=11)]
    values = [encode_outcome(each) for each in (sold, *left_out, ended)]

    records = list(records_of(batch(b"{", None, *values)))

    decode = json_decoder(PurchaseUpsert)
    assert [decode(record.value).payload.ledger_offset for record in records] == [7, 9]
    assert {record.key for record in records} == {f"{sold.event}.{sold.purchase}".encode()}
