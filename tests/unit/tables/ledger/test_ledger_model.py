"""The ledger does what the reference model does, whatever the batches and the restarts."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from random import Random
from typing import Any, TypeVar
from uuid import UUID

import pytest
from msgspec.structs import replace

import tables.ledger.decisions
import tables.ledger.inventory
import tables.ledger.ledger
import tables.ledger.ledger_records
import tables.ledger.purchase_changes
from lab.chaos.log_audit import model_outcome
from lab.chaos.reference_model import ReferenceModel
from lab.chaos.reference_purchases import ModelOutcome, ModelPurchase
from tables.errors import InvariantBroken
from tables.ledger.outcome_builder import CommandResult
from tables.ledger.purchase_records import PurchaseRecord
from tables.ledger.records import account_key, decode_account
from tables.messages.commands import (
    Buy,
    Cancel,
    Command,
    Confirm,
    DefineEvent,
    EndPurchases,
    EventDefinition,
    Expire,
    ExtendHold,
    Hold,
    LimitHolds,
    TicketLine,
    TicketTypeDefinition,
    encode_command,
)
from tables.messages.outcomes import Outcome, OutcomeKind, encode_outcome
from tables.messages.payment_modes import PaymentMode
from tables.messages.reasons import Reason
from tables.messages.statuses import EventStatus
from tests.unit.tables.ledger_driver import (
    BOX,
    CODES,
    EVENT,
    FLOOR,
    NOW,
    OTHER_EVENT,
    STAND,
    definition,
    ledger_on,
    moment,
    purchase_id,
)

T = TypeVar("T")

EVENTS = [EVENT, OTHER_EVENT]
PARTITION = 0
TYPES = [FLOOR, STAND, BOX]
ACCOUNTS = [UUID(int=number) for number in (0xA1, 0xA2, 0xA3)]
SALE_MAX_S = 20
SEEDS = range(40)
COMMANDS = 120
DAMAGE = (AssertionError, InvariantBroken)
# The other reasons are about seats, or about how often a purchase may be changed.
REASONS = {
    Reason.CAPACITY_EXCEEDED,
    Reason.EVENT_CANCELED,
    Reason.EVENT_NOT_OPEN,
    Reason.HOLD_ENDED,
    Reason.HOLD_LIMIT_EXCEEDED,
    Reason.HOLD_TOO_LONG,
    Reason.HOLD_TOO_SOON,
    Reason.ID_REUSED,
    Reason.MIXED_CURRENCIES,
    Reason.NOTHING_TO_CANCEL,
    Reason.NOT_HELD,
    Reason.NOT_ON_SALE,
    Reason.NOT_YOURS,
    Reason.ORDER_LIMIT_EXCEEDED,
    Reason.PAYMENT_REQUIRED,
    Reason.PURCHASE_LIMIT_EXCEEDED,
    Reason.SOLD_OUT,
    Reason.UNKNOWN_EVENT,
    Reason.UNKNOWN_PURCHASE,
    Reason.UNKNOWN_TICKET_TYPE,
}


class LedgerRun:
    """Gives both the same random commands; in between, the ledger is stored, restarted and replayed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.random = Random(f"ledger {seed}")
        self.model = ReferenceModel()
        self.table: dict[bytes, bytes] = {}
        self.ledger = ledger_on(self.table)
        self.at = NOW
        self.log: list[tuple[int, Command]] = []
        self.unstored: list[tuple[int, int, Command, CommandResult]] = []
        self.steps: list[EndPurchases] = []
        self.were_out: dict[tuple[UUID, UUID], int] = {}
        self.ways: dict[Callable[[], None], int] = {
            self.buy: 10,
            self.hold: 10,
            self.hold_again_what_was_let_go: 2,
            self.let_go_and_hold_again: 1,
            self.confirm: 3,
            self.cancel: 1,
            self.cancel_a_part: 4,
            self.extend: 2,
            self.expire: 2,
            self.define: 3,
            self.carry_on_ending: 2,
            self.limit_holds: 1,
            self.ask_for_anything: 1,
            self.send_again: 2,
            self.store: 2,
            self.store_and_restart: 2,
            self.crash_before_storing: 1,
        }

    def __repr__(self) -> str:
        return f"LedgerRun({self.seed})"

    def run(self) -> "LedgerRun":
        self.limit_holds()
        for event in EVENTS[: self._any(1, 2)]:
            self._define(event, 1, self._definition(TYPES))
        for way in self.random.choices(list(self.ways), list(self.ways.values()), k=COMMANDS):
            self.at += self._any(0, 0, 1, 999, 1_000)
            way()
            self._check_counters()
            self._check_quantities()
        for step in self.steps:
            self.both(step)
        assert all(event.ending is None for event in self.model.events.values())
        self.store()
        return self

    def define(self) -> None:
        event = self._any(*EVENTS)
        known = self.model.events.get(str(event))
        version = (known.version if known else 1) + self._any(-1, 0, 1, 1, 1)
        keys = self._any(TYPES, TYPES, TYPES[::-1], TYPES[:2], [FLOOR])
        status = self._any(*[EventStatus.ACTIVE] * 8, EventStatus.ON_HOLD, EventStatus.CANCELED, EventStatus.CANCELED)
        self._define(event, max(1, version), self._definition(keys, status=status))

    def buy(self) -> None:
        self.both(Buy(self._event(), self._id(), self._any(*ACCOUNTS), self._lines()))

    def hold(self) -> None:
        wanted = self._event(), self._id(), self._any(*ACCOUNTS), self._lines()
        self.both(Hold(*wanted, self._any(1, 3, 600), by_default=self._any(False, True)))

    def hold_again_what_was_let_go(self) -> None:
        if self.let_go:
            self.at += self._any(0, 999, 3_000)
            self._hold_one(*self._any(*self.let_go))

    def let_go_and_hold_again(self) -> None:
        for row in self._some(self.held):
            event, account, key = UUID(row.event), UUID(row.account), UUID(row.tickets[0][0])
            self.both(Cancel(event, UUID(row.id), account))
            self.at += self._any(0, 999, 3_000)
            self._hold_one(event, account, key)

    def limit_holds(self) -> None:
        seconds, tickets = self._any(None, None, 2, 600), self._any(None, None, 5, 3, 1)
        self.both(LimitHolds(seconds, tickets, self._any(None, None, 1, 3, 600), self._any(None, 1, 3)))

    def confirm(self) -> None:
        for row in self._some(self.held):
            self.both(Confirm(*self._known(row), payment=self._any(None, "pi_1", "pi_2")))

    def extend(self) -> None:
        for row in self._some(self.held):
            self.both(ExtendHold(*self._known(row)[:2], self._any(1, 3, 900)))

    def cancel(self) -> None:
        for row in self._some(self.kept):
            self.both(Cancel(*self._known(row), self._request()))

    def cancel_a_part(self) -> None:
        for row in self._some(self.kept):
            has = [TicketLine(UUID(key), self.random.randint(1, count)) for key, count in row.lines]
            lines = self._any([*self._some(has)], has, self._lines())
            self.both(Cancel(*self._known(row), self._request(), lines))

    def expire(self) -> None:
        self.at += self._any(0, 999, 3_000, 3_000)
        for row in self._some(self.held):
            self.both(Expire(*self._known(row)[:2], early=self._any(False, False, True)))

    def ask_for_anything(self) -> None:
        named = self._event(), purchase_id(self.random.randrange(6)), self._any(*ACCOUNTS)
        self.both(self._any(Confirm(*named), Cancel(*named), ExtendHold(*named[:2], 3), Expire(*named[:2])))

    def carry_on_ending(self) -> None:
        """With the last step, or, as after a crash, with one that may have been carried out before."""
        for step in self._some([*self.steps, *self.steps[-1:]]):
            self.both(replace(step, most=self._any(1, 2, 500)))

    def send_again(self) -> None:
        self.both(self.random.choice(self.log)[1])

    def store(self) -> None:
        self.table |= self.ledger.take_purchases()
        self.table |= self.ledger.take_events()
        self.unstored.clear()
        self._check_accounts()

    def store_and_restart(self) -> None:
        self.store()
        self.ledger = ledger_on(self.table)

    def crash_before_storing(self) -> None:
        self.ledger = ledger_on(self.table)
        for offset, at, command, told in self.unstored:
            assert self.ledger.apply(offset, at, command) == told

    @property
    def purchases(self) -> list[ModelPurchase]:
        return list(self.model.purchases.values())

    @property
    def held(self) -> list[ModelPurchase]:
        return [row for row in self.purchases if row.status == "held"]

    @property
    def kept(self) -> list[ModelPurchase]:
        return [row for row in self.purchases if row.tickets]

    @property
    def let_go(self) -> list[tuple[UUID, UUID, UUID]]:
        """Event, account and ticket type of the last hold that each account gave back or lost."""
        return [
            (UUID(name), UUID(account), UUID(max(types, key=types.__getitem__)))
            for name, event in self.model.events.items()
            for account, types in event.let_go.items()
            if types
        ]

    def both(self, command: Command) -> None:
        """Have both carry out the command, and compare the outcomes."""
        offset, known = len(self.log), len(self.model.outcomes)
        result = self.ledger.apply(offset, self.at, command)
        self.log.append((self.at, command))
        self.unstored.append((offset, self.at, command, result))
        before = self._ending(command)
        self.model.apply(PARTITION, offset, self.at, json.loads(encode_command(command)))
        expected = self.model.outcomes[known:]
        assert [as_model(outcome) for outcome in result.outcomes] == expected
        for outcome, due in zip(result.outcomes, expected, strict=True):
            compare_tickets(outcome, due)
            if outcome.status == "held" and not outcome.repeated:
                row = self.model.purchases[str(outcome.event), str(outcome.purchase)]
                assert outcome.deadline == moment(int(row.deadline))
        after = self._ending(command)
        began = isinstance(command, DefineEvent) and bool(result.outcomes)
        goes_on = after is not None and (after != before or began)
        steps = [step for step in result.commands if isinstance(step, EndPurchases)]
        assert [str(step.after) if step.after else "" for step in steps] == ([after] if goes_on else [])
        self.steps += steps

    def _define(self, event: UUID, version: int, new: EventDefinition) -> None:
        self.both(DefineEvent(event, version, new))

    def _hold_one(self, event: UUID, account: UUID, key: UUID) -> None:
        self.both(Hold(event, purchase_id(len(self.model.purchases)), account, [TicketLine(key, 1)], 1))

    def _definition(self, keys: Sequence[UUID], **changes: Any) -> EventDefinition:
        """An event with some of the types, and with limits."""
        kinds = [self._ticket_type(key) for key in keys]
        changes |= {"max_per_order": self._limit(), "max_per_account": self._any(None, None, None, 9, 4)}
        changes |= {"capacity": self._any(None, None, None, None, 15, 5), "payment": self._any(*PaymentMode)}
        return definition(*kinds, **changes)

    def _ticket_type(self, key: UUID) -> TicketTypeDefinition:
        """A ticket type with any limits, and quantities small enough to sell out."""
        start, end = self._any(*[(None, None)] * 7, (self._moment(), self._moment()))
        return TicketTypeDefinition(
            id=key,
            name=f"type {key.int:X}",
            price=Decimal(self._any(0, self.random.randrange(10_000))) / 100,
            currency=self._any(*["EUR"] * 9, "CHF"),
            quantity=self._any(30, 12, 8, 6, 4, 2, 0),
            sale_starts_at=start,
            sale_ends_at=end,
            max_per_order=self._limit(),
            max_per_account=self._limit(),
        )

    def _known(self, row: ModelPurchase) -> tuple[UUID, UUID, UUID]:
        """That purchase with its account; rarely any other one, or another account."""
        if self.random.random() < 0.1:
            row = self.random.choice(self.purchases)
        stranger = self.random.random() < 0.1
        return UUID(row.event), UUID(row.id), self._any(*ACCOUNTS) if stranger else UUID(row.account)

    def _any(self, *values: Any) -> Any:
        return self.random.choice(values)

    def _some(self, values: Sequence[T]) -> list[T]:
        """One of the values, if there are any."""
        return [self.random.choice(values)] if values else []

    def _event(self) -> UUID:
        return self.random.choice([EVENT, EVENT, EVENT, OTHER_EVENT])

    def _id(self) -> UUID:
        """An unused id of a purchase; rarely that of the last one."""
        return purchase_id(len(self.model.purchases) - (self.random.random() < 0.1))

    def _lines(self) -> list[TicketLine]:
        quantities = [self._any(1, 1, 1, 2, 3) for _ in range(self._any(1, 1, 1, 2, 3))]
        return [TicketLine(self._any(*TYPES), quantity) for quantity in quantities]

    def _limit(self) -> int | None:
        return self.random.choice([None] * 6 + [5, 3, 1])

    def _moment(self) -> datetime | None:
        return moment(NOW + self.random.randrange(SALE_MAX_S) * 1_000) if self.random.random() < 0.5 else None

    def _request(self) -> UUID | None:
        return self.random.choice([None, UUID(int=1), UUID(int=2)])

    def _ending(self, command: Command) -> str | None:
        """How far the purchases of the command's event have been ended, if it was cancelled."""
        event = None if isinstance(command, LimitHolds) else self.model.events.get(str(command.event))
        return event.ending if event else None

    def _check_counters(self) -> None:
        """The counters are the sums of the purchases."""
        for event in EVENTS:
            inventory = self.ledger.inventory(event)
            if inventory is None:
                assert str(event) not in self.model.events
                continue
            removed = {stock.ticket_type: (stock.held, stock.sold) for stock in inventory.removed.values()}
            shown = {balance.ticket_type: (balance.held, balance.sold) for balance in inventory.balances()}
            assert not removed.keys() & shown.keys()
            out = self.model.tickets_out(str(event))
            for key in TYPES:
                assert (shown | removed).get(key, (0, 0)) == out.get(str(key), (0, 0))
            assert inventory.out == sum(held + sold for held, sold in out.values())

    def _check_quantities(self) -> None:
        """No more is out than the quantity, unless it was lowered."""
        for event in EVENTS:
            inventory = self.ledger.inventory(event)
            for shown in inventory.balances() if inventory else ():
                out = shown.held + shown.sold
                assert shown.held >= 0
                assert shown.sold >= 0
                assert out <= max(shown.quantity, self.were_out.get((event, shown.ticket_type), 0))
                self.were_out[event, shown.ticket_type] = out

    def _check_accounts(self) -> None:
        """The records of accounts are the sums of their purchases."""
        counted = self.model.accounts()
        held = Counter[tuple[str, str]]()
        for row in self.held:
            held[row.event, row.account] += len(row.tickets)
        for event in EVENTS:
            for account in ACCOUNTS:
                value = self.table.get(account_key(event, account))
                record = None if value is None else decode_account(value)
                counts = {str(key): count for key, count in record.counts} if record else {}
                holding = record.holding.held if record and record.holding else 0
                assert holding == held[str(event), str(account)]
                assert counts == counted.get((str(event), str(account)), {})


def as_model(outcome: Outcome) -> ModelOutcome:
    """An outcome, by way of its JSON, as the model has it."""
    return model_outcome(PARTITION, json.loads(encode_outcome(outcome)))


def compare_tickets(outcome: Outcome, due: ModelOutcome) -> None:
    """Compare what the model's equality ignores: the status, the order of lines, the tickets' codes."""
    assert outcome.status == due.status
    types = [key for key, _ in due.tickets]
    lines = [(str(line.ticket_type), line.quantity) for line in outcome.lines]
    assert lines == [(key, types.count(key)) for key in dict.fromkeys(types)]
    codes = [code for line in outcome.lines for code in line.codes]
    if outcome.purchase is not None and (codes or due.kind == "confirmed"):
        assert codes == [CODES.code(outcome.event, outcome.purchase, position) for _, position in due.tickets]


def test_the_ledger_decides_as_the_model_does() -> None:
    outcomes = [outcome for seed in SEEDS for outcome in LedgerRun(seed).run().model.outcomes]
    assert {outcome.kind for outcome in outcomes} == {kind.value for kind in OutcomeKind}
    assert {outcome.reason for outcome in outcomes if outcome.reason} == {reason.value for reason in REASONS}
    left = {outcome.status for outcome in outcomes if outcome.kind == "cancelled"}
    assert left == {"held", "confirmed", "cancelled"}


def test_a_hold_by_default_repeats_one_that_named_the_same_seconds() -> None:
    run = LedgerRun(0)
    hold = Hold(EVENT, purchase_id(0), ACCOUNTS[0], [TicketLine(FLOOR, 1)], 1)
    run.both(DefineEvent(EVENT, 1, definition()))
    run.both(hold)
    run.both(replace(hold, by_default=True))
    run.both(replace(hold, by_default=True, seconds=2))


def always(value: object) -> Callable[..., Any]:
    """A function that always returns the same."""
    return lambda *_, **__: value


@pytest.mark.parametrize(
    ("owner", "name", "broken"),
    [
        (tables.ledger.decisions, "_stock_refusal", always(None)),
        (tables.ledger.decisions, "_type_refusal", always(None)),
        (tables.ledger.decisions, "_order_refusal", always(None)),
        (tables.ledger.decisions, "hold_refusal", always(None)),
        (tables.ledger.purchase_changes, "paid_worth", always(None)),
        (tables.ledger.ledger_records.AccountTickets, "count_hold", always(None)),
        (tables.ledger.ledger_records, "_let_go", always([])),
        (tables.ledger.inventory.Inventory, "apply", always(None)),
        (tables.ledger.ledger_records.AccountTickets, "apply", always(None)),
        (tables.ledger.ledger.Ledger, "take_purchases", always({})),
        (PurchaseRecord, "before", always(None)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_model_notices_a_ledger_without(
    monkeypatch: pytest.MonkeyPatch, owner: object, name: str, broken: Callable[..., Any]
) -> None:
    monkeypatch.setattr(owner, name, broken)
    with pytest.raises(DAMAGE):
        for seed in SEEDS:
            LedgerRun(seed).run()
