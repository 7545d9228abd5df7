"""The ledger's definitions are asked for partition by partition."""

from typing import Any
from uuid import UUID

from api.adapters.ledger.recorded_definitions import RecordedDefinitions
from connect.partitioning import partition_of
from tables.messages.commands import DefineEvent
from tests.unit.tables.ledger_driver import definition, ticket_type

EVENTS = [UUID(int=number) for number in range(1, 20)]
UNKNOWN = EVENTS[3]


class Views:
    """The views of workers that refuse events of another partition."""

    def definitions(self, partition: int, events: list[UUID]) -> list[DefineEvent]:
        assert {partition_of(str(event).encode(), 4) for event in events} == {partition}
        return [DefineEvent(event, 1, definition(ticket_type())) for event in events if event != UNKNOWN]


def test_each_event_is_asked_of_its_partition_and_unknown_ones_are_left_out() -> None:
    views: Any = Views()
    assert RecordedDefinitions(views, 4)(EVENTS).keys() == set(EVENTS) - {UNKNOWN}
