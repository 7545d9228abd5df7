from typing import Any

import pytest

from connect.connectors.configuration import Connector, connectors
from settings import Settings
from tests.unit.connect.fakes import Clock


@pytest.fixture
def make_settings() -> Any:
    def make(**values: Any) -> Settings:
        return Settings(ticket_key="k" * 32, **values)

    return make


@pytest.fixture
def settings(make_settings: Any) -> Settings:
    made: Settings = make_settings()
    return made


@pytest.fixture
def wanted(settings: Settings) -> list[Connector]:
    return connectors(settings)


@pytest.fixture
def clock() -> Clock:
    return Clock()
