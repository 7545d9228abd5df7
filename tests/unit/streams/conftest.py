"""A worker that is not started, and its ledger table on a real database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.runtime.app import App, make_app
from streams.runtime.table import OffsetTable
from tables.ledger.deadlines import index_change
from tables.ledger.records import record_offset
from tests.unit.streams.worker_settings import settings_in


@pytest.fixture
def app(tmp_path: Path) -> App:
    app = make_app(settings_in(tmp_path))
    app.conf.tabledir.mkdir(parents=True, exist_ok=True)
    return app


@pytest.fixture
def table(app: App) -> Iterator[OffsetTable]:
    table = OffsetTable.add(app, "ledger", 4, record_offset, index_change)
    yield table
    table.close()
