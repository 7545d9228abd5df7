"""Purchases as the worker that decided them tells them, while the projection lags."""

from typing import Any
from uuid import UUID

import pytest

from api.adapters.sales import PurchaseRows, _viewed
from api.problems import Unavailable
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


class Lagging:
    """A database that knows nothing yet, and a worker that tells ``view``."""

    def __init__(self, view: Any) -> None:
        self.view = view

    def one(self, query: str, **values: Any) -> None:
        return None

    def purchase(self, event: UUID, purchase: UUID) -> Any:
        return self.view


@pytest.mark.parametrize(
    "view",
    [
        {},
        PURCHASE_EXAMPLE | {"account": None},
        PURCHASE_EXAMPLE | {"lines": [{}]},
        PURCHASE_EXAMPLE | {"deadline": 1e30},
    ],
)
def test_a_view_that_is_no_purchase_is_no_answer(view: Any) -> None:
    told: Any = Lagging(view)
    with pytest.raises(Unavailable):
        PurchaseRows(told, told, told).find(UUID(EVENT), UUID(PURCHASE), lambda _: True)


def test_a_purchase_that_no_worker_knows_is_none() -> None:
    told: Any = Lagging(None)
    assert PurchaseRows(told, told, told).find(UUID(EVENT), UUID(PURCHASE), lambda _: True) is None
