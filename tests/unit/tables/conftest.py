"""The ledger, driven in batches of 1, 2 or 1,000 commands: no rule may depend on where batches end."""

import pytest

from tests.unit.tables.ledger_driver import LedgerDriver


@pytest.fixture(params=[1, 2, 1_000], ids=["stored at once", "stored by twos", "stored late"])
def driver(request: pytest.FixtureRequest) -> LedgerDriver:
    """An empty ledger."""
    return LedgerDriver(request.param)
