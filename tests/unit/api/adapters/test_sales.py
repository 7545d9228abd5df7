"""Purchases as the worker that decided them tells them, while the projection lags."""

from typing import Any
from uuid import UUID

import pytest

from api.adapters.sales import _viewed
from streams.inventory.views.examples import EVENT, PURCHASE, PURCHASE_EXAMPLE


@pytest.mark.parametrize(
    ("changes", "payment"),
    [
        ({}, {"due": {"amount": "99.80", "currency": "EUR"}, "deadline": "2026-11-30T00:53:20Z"}),
        ({"payment": "0"}, None),
        ({"payment": None}, None),
        ({"status": "confirmed", "reference": "pi_1"}, {"reference": "pi_1"}),
        ({"status": "expired", "payment": "0"}, None),
    ],
)
def test_a_workers_view_tells_what_is_due_or_how_it_was_paid(changes: Any, payment: Any) -> None:
    found = _viewed(UUID(EVENT), UUID(PURCHASE), PURCHASE_EXAMPLE | changes)
    told = found.model_dump(mode="json", by_alias=True, exclude_none=True).get("payment")
    assert (told and {name: value for name, value in told.items() if name != "url"}) == payment
