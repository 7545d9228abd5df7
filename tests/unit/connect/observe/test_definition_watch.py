"""What differs is named once no change on its way can explain it; pages and suspects are bounded."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any
from uuid import UUID

import pytest
from kafka import TopicPartition
from msgspec.structs import replace

from connect.observe.definition_delay import OUTBOX_CONNECTOR, DefinitionDelay
from connect.observe.definition_watch import LOOK_EVERY_S, SETTLING_S, SUSPECTS_MAX, DefinitionWatch, Suspects
from connect.observe.definitions import PAGE_EVENTS, EventDifference
from connect.observe.lag import LogState, RoleGroup
from connect.topics import COMMANDS
from tables.ledger.definition_differences import FieldDifference
from tables.messages.commands import DefineEvent, encode_command
from tests.unit.tables.ledger_driver import definition, ticket_type

DELAY_S = 100.0


def event(number: int, version: int = 1) -> DefineEvent:
    return DefineEvent(UUID(int=number), version, definition(ticket_type()))


class FakePostgres:
    """A connection whose rows are definitions, and the clock, the ledger and the delay of the watch."""

    def __init__(self, count: int) -> None:
        self.rows = {UUID(int=number): encode_command(event(number)).decode() for number in range(1, count + 1)}
        self.ledger = {key: event(key.int) for key in self.rows}
        self.now = 0.0
        self.asked: list[int] = []

    def connect(self) -> AbstractContextManager[Any]:
        return nullcontext(self)

    def cursor(self, **_: Any) -> AbstractContextManager[Any]:
        return nullcontext(self)

    def execute(self, _: str, values: dict[str, Any]) -> Iterator[tuple[UUID, str]]:
        if "events" in values:
            return ((key, self.rows[key]) for key in values["events"] if key in self.rows)
        after = values["after"] or UUID(int=0)
        return iter([(key, text) for key, text in sorted(self.rows.items()) if key > after][: values["limit"]])

    def recorded(self, events: Sequence[UUID]) -> dict[UUID, DefineEvent]:
        self.asked.append(len(events))
        return {key: self.ledger[key] for key in events if key in self.ledger}

    def seconds(self) -> float:
        return DELAY_S

    def close(self) -> None:
        pass


def watch_of(postgres: FakePostgres, events_max: int = 200) -> DefinitionWatch:
    return DefinitionWatch(postgres.recorded, postgres, events_max, lambda: postgres.now)


def after_minutes(postgres: FakePostgres, watch: DefinitionWatch, minutes: int) -> list[EventDifference]:
    found: list[EventDifference] = []
    for _ in range(minutes):
        postgres.now += LOOK_EVERY_S
        found = watch.look(postgres.connect)
    return found


def test_a_difference_is_named_once_it_is_older_than_a_change_takes() -> None:
    postgres = FakePostgres(3)
    watch = watch_of(postgres)
    postgres.ledger[UUID(int=2)] = event(2, version=2**62)
    # Found after a minute; lasting after 105 s more, at the next look.
    assert after_minutes(postgres, watch, 2) == []
    [found] = after_minutes(postgres, watch, 1)
    assert found == EventDifference(UUID(int=2), (FieldDifference("version", "1", str(2**62)),))
    postgres.ledger[UUID(int=2)] = event(2)
    assert after_minutes(postgres, watch, 1) == []


def test_a_difference_that_changes_is_a_new_one() -> None:
    postgres = FakePostgres(1)
    watch = watch_of(postgres)
    for version in range(2, 10):
        postgres.ledger[UUID(int=1)] = event(1, version)
        assert after_minutes(postgres, watch, 1) == []


def test_it_compares_once_a_minute_however_often_it_is_asked() -> None:
    postgres = FakePostgres(1)
    watch = watch_of(postgres)
    for _ in range(5):
        watch.look(postgres.connect)
    assert postgres.asked == [1]


def test_a_look_compares_the_next_events_and_begins_anew_at_the_end() -> None:
    postgres = FakePostgres(3 * PAGE_EVENTS + 1)
    watch = watch_of(postgres, 2 * PAGE_EVENTS)
    looks = []
    for _ in range(3):
        after_minutes(postgres, watch, 1)
        looks.append(sum(postgres.asked))
        postgres.asked.clear()
    assert looks == [2 * PAGE_EVENTS, PAGE_EVENTS + 1, 2 * PAGE_EVENTS]


def test_an_event_that_is_deleted_is_suspected_no_longer() -> None:
    postgres = FakePostgres(2)
    watch = watch_of(postgres)
    del postgres.ledger[UUID(int=2)]
    assert [each.event.int for each in after_minutes(postgres, watch, 3)] == [2]
    del postgres.rows[UUID(int=2)]
    assert after_minutes(postgres, watch, 1) == []


def test_a_row_that_cannot_be_read_is_named_and_the_others_are_compared() -> None:
    postgres = FakePostgres(2)
    watch = watch_of(postgres)
    postgres.rows[UUID(int=1)] = postgres.rows[UUID(int=1)].replace('"49.90"', '"-1"')
    [found] = after_minutes(postgres, watch, 3)
    assert (found.event.int, "price" in found.fields[0].postgres) == (1, True)


def test_suspects_are_bounded_and_go_when_they_are_equal() -> None:
    now = 0.0
    suspects = Suspects(lambda: now)
    many = [EventDifference(UUID(int=number), ()) for number in range(SUSPECTS_MAX + 5)]
    suspects.see([each.event for each in many], many)
    now += SETTLING_S
    assert len(suspects.lasting(0.0)) == SUSPECTS_MAX
    assert suspects.lasting(1.0) == []
    suspects.see([each.event for each in many], many[:2])
    assert suspects.differences == many[:2]


@pytest.mark.parametrize(("lag", "seconds"), [(0, 8.0), (3, 50.0)])
def test_the_delay_is_the_age_of_the_capture_and_of_what_the_ledger_has_not_read(lag: int, seconds: float) -> None:
    place = TopicPartition(COMMANDS, 0)
    asked: list[dict[TopicPartition, int]] = []

    class Servers:
        def look(self) -> LogState:
            groups: Any = {"ledger": RoleGroup("Stable", 1, {COMMANDS: lag}, {place: lag})}
            return LogState({}, groups, {place: 10}, {place: 9})

    class Oldest:
        def ages(self, waiting: dict[TopicPartition, int]) -> dict[TopicPartition, float]:
            asked.append(waiting)
            return dict.fromkeys(waiting, 42.0)

    class Capture:
        def look(self) -> None:
            pass

        def ages(self) -> dict[str, float]:
            return {OUTBOX_CONNECTOR: 8.0}

    delay = DefinitionDelay({})
    delay.__dict__.update(_log=Servers(), _oldest=Oldest(), _capture=Capture())
    assert delay.seconds() == seconds
    assert asked == [{place: 6} if lag else {}]


def test_the_known_versions_are_compared_whole() -> None:
    postgres = FakePostgres(1)
    watch = watch_of(postgres)
    cheap = replace(event(1), definition=definition(ticket_type(quantity=500)))
    postgres.ledger[UUID(int=1)] = cheap
    [found] = after_minutes(postgres, watch, 3)
    assert [each.ledger for each in found.fields] == ["500"]
