"""Promise 9 as `verify` checks it: every event of PostgreSQL, and those that only the ledger sells."""

from collections.abc import Iterable
from uuid import UUID

import pytest

import ops.promises
from ops.promises import SaleComparison, compare_sale
from settings import Settings
from tables.messages.commands import DefineEvent
from tests.unit.connect.observe.test_definition_watch import FakePostgres, event

FOREIGN = UUID(int=99)
NOW = Settings(ticket_key="k" * 32)


class FakeCopy:
    """The ledger's records; ``late`` are those that come with the next reading of the changelog."""

    def __init__(self, postgres: FakePostgres) -> None:
        self.records = postgres.ledger
        self.late: dict[UUID, DefineEvent] = {}

    def catch_up(self) -> None:
        self.records |= self.late

    def definitions(self, events: Iterable[UUID]) -> dict[UUID, DefineEvent]:
        return {key: self.records[key] for key in events if key in self.records}


@pytest.fixture
def postgres(monkeypatch: pytest.MonkeyPatch) -> FakePostgres:
    postgres = FakePostgres(120)
    monkeypatch.setattr(ops.promises, "DefinitionDelay", lambda _: postgres)
    monkeypatch.setattr("psycopg.connect", lambda *_, **__: postgres.connect())
    monkeypatch.setattr(ops.promises, "PAUSE_S", 0)
    return postgres


def compared(postgres: FakePostgres, copy: FakeCopy, within: float) -> SaleComparison:
    selling = {key for key in postgres.ledger if key.int > 100}
    return compare_sale(NOW, copy, selling | {FOREIGN}, within)  # type: ignore[arg-type]


@pytest.mark.parametrize("delay_s", [-5.0, 3_600.0])
def test_a_difference_on_any_page_and_an_event_that_only_the_ledger_sells_are_named(
    postgres: FakePostgres, monkeypatch: pytest.MonkeyPatch, delay_s: float
) -> None:
    """A capture that is behind may explain them: then they are notes."""
    monkeypatch.setattr(postgres, "seconds", lambda: delay_s)
    postgres.ledger[UUID(int=117)] = event(117, version=2**62)
    del postgres.rows[FOREIGN]
    found = compared(postgres, FakeCopy(postgres), within=0)
    named = [each.event.int for each in (found.lasting if delay_s < 0 else found.recent)]
    assert (sorted(named), len(found.lasting) + len(found.recent)) == ([99, 117], 2)


def test_a_change_that_arrives_meanwhile_is_no_difference(postgres: FakePostgres) -> None:
    copy = FakeCopy(postgres)
    copy.late = {UUID(int=3): event(3)}
    postgres.ledger[UUID(int=3)] = event(3, version=2)
    assert compared(postgres, copy, within=5) == SaleComparison([], [])
