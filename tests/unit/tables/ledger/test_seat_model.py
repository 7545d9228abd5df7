"""The ledger sells the seats that the reference model sells, through plans that change, whatever is asked for."""

import json
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

import tables.ledger.seat_orders
from lab.chaos.reference_model import OCCUPYING, ReferenceModel
from tables.errors import InvariantBroken
from tables.ledger.records import SECTION_MARK, decode_section
from tables.messages.commands import Cancel, Command, LimitHolds, encode_command
from tables.seating.best_available import RowRuns, SeatPool
from tables.seating.layout import positions
from tables.seating.section_state import SectionState
from tests.unit.tables.halls import HALL_EVENT, SeatCommands
from tests.unit.tables.ledger.test_ledger_model import as_model, compare_tickets
from tests.unit.tables.ledger_driver import NOW, ledger_on

SEEDS = range(12)
COMMANDS = 150
DAMAGE = (AssertionError, InvariantBroken)


class SeatRun:
    """Gives ledger and model the same random commands, and compares what they say and which seats are out."""

    def __init__(self, seed: int) -> None:
        self.random = Random(f"seats {seed}")
        self.commands = SeatCommands(self.random)
        self.model = ReferenceModel()
        self.table: dict[bytes, bytes] = {}
        self.ledger = ledger_on(self.table)
        self.offset, self.at = 0, NOW

    def run(self) -> "SeatRun":
        self._both(LimitHolds(600, 12, 1))
        for _ in range(COMMANDS):
            self.at += self.random.choice([0, 1, 600])
            command = self.commands.command()
            if not isinstance(command, Cancel) or command.is_repeatable:
                self._both(command)
        return self

    def _both(self, command: Command) -> None:
        known = len(self.model.outcomes)
        result = self.ledger.apply(self.offset, self.at, command)
        self.model.apply(0, self.offset, self.at, json.loads(encode_command(command)))
        expected = self.model.outcomes[known:]
        assert [as_model(outcome) for outcome in result.outcomes] == expected
        for outcome, due in zip(result.outcomes, expected, strict=True):
            compare_tickets(outcome, due)
        self.offset += 1
        self._store()
        for step in result.commands:
            self._both(step)

    def _store(self) -> None:
        self.table |= self.ledger.take_purchases() | self.ledger.take_events()
        if self.random.random() < 0.3:
            self.ledger = ledger_on(self.table)
        rows = [row for row in self.model.purchases.values() if row.status in OCCUPYING]
        for status, sold in (("held", False), ("confirmed", True)):
            names = sorted(name for row in rows if row.status == status for name in row.names)
            assert self._out(sold=sold) == names
            assert len(set(names)) == len(names)

    def _out(self, *, sold: bool) -> list[str]:
        """The seats that the records show as held or sold, by the layouts of their plans."""
        names = []
        for key, value in self.table.items():
            if key[16:17] == SECTION_MARK:
                record = decode_section(value)
                section = key[17:].decode()
                layout = self.ledger._records.seats.state(HALL_EVENT, section, record.plan).layout
                assert layout.plan == record.plan
                bits = int.from_bytes(record.sold if sold else record.held, "little")
                names += [layout.name_of(bit) for bit in positions(bits)]
                names += [name for name, is_sold in record.removed if is_sold is sold]
        return sorted(names)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_ledger_sells_the_seats_that_the_model_sells(seed: int) -> None:
    run = SeatRun(seed).run()
    told = {(outcome.kind, outcome.reason) for outcome in run.model.outcomes}
    assert ("confirmed", None) in told


row_runs = SeatPool.row_runs


def with_orphans(pool: SeatPool, count: int, **_: bool) -> RowRuns:
    """Allow orphans."""
    return row_runs(pool, count, orphans=True)


def unchanged(state: SectionState, *_: object, **__: object) -> None:
    """Mark no seat."""


@pytest.mark.parametrize(
    ("owner", "name", "broken"),
    [
        (tables.ledger.seat_orders, "_is_free", lambda *_: True),
        (SeatPool, "row_runs", with_orphans),
        (SectionState, "take", unchanged),
        (SectionState, "change", unchanged),
        (SectionState, "move", unchanged),
        (SectionState, "_note", unchanged),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_model_notices_a_ledger_without(
    monkeypatch: pytest.MonkeyPatch, owner: object, name: str, broken: Callable[..., Any]
) -> None:
    monkeypatch.setattr(owner, name, broken)
    with pytest.raises(DAMAGE):
        for seed in SEEDS:
            SeatRun(seed).run()
