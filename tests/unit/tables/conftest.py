"""Desks that store what they did at once or late; no rule may show the difference."""

import pytest

from tests.unit.tables.office import Desk


@pytest.fixture(params=[1, 2, 1_000], ids=["stored at once", "stored by twos", "stored late"])
def desk(request: pytest.FixtureRequest) -> Desk:
    """An empty ledger."""
    return Desk(request.param)
