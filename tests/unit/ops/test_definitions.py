"""What the exporter tells of events that the ledger sells otherwise than PostgreSQL says."""

import logging
from typing import Any
from uuid import UUID

import pytest

from connect.observe.definitions import EventDifference
from ops.definitions import EVENTS_NAMED_MAX, DefinitionSource
from settings import Settings
from tables.ledger.definition_differences import FieldDifference


class Found:
    """A watch that has found differences."""

    def __init__(self, count: int) -> None:
        field = FieldDifference("version", "3", "9")
        self.found = [EventDifference(UUID(int=number), (field, field)) for number in range(count)]

    def look(self, _: Any) -> list[EventDifference]:
        return self.found


def samples(source: DefinitionSource) -> dict[str, float]:
    [family] = source.look()
    return {sample.labels["event"]: sample.value for sample in family.samples}


@pytest.fixture
def source() -> DefinitionSource:
    def connect() -> Any:
        raise AssertionError("the fake watch needs no connection")

    return DefinitionSource(Settings(ticket_key="k" * 32), connect)


def test_the_first_events_are_named_and_the_others_counted(source: DefinitionSource) -> None:
    source.__dict__["_watch"] = Found(EVENTS_NAMED_MAX + 3)
    told = samples(source)
    assert (len(told), told[str(UUID(int=0))], told["other"]) == (EVENTS_NAMED_MAX + 1, 2.0, 3.0)
    source.__dict__["_watch"] = Found(0)
    assert samples(source) == {"other": 0.0}


def test_a_difference_is_logged_once_with_both_values(
    source: DefinitionSource, caplog: pytest.LogCaptureFixture
) -> None:
    source.__dict__["_watch"] = Found(1)
    with caplog.at_level(logging.ERROR):
        samples(source)
        samples(source)
    [line] = [record.getMessage() for record in caplog.records]
    assert "version: PostgreSQL says 3, the ledger 9" in line
