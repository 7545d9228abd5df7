"""The ledger does what the reference model does, whatever the batches and the restarts."""

import json
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
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
from tables.messages.outcomes import Outcome, encode_outcome
from tables.messages.payment_modes import PaymentMode
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

EVENTS = [EVENT, OTHER_EVENT]
PARTITION = 0
TYPES = [FLOOR, STAND, BOX]
ACCOUNTS = [UUID(int=number) for number in (0xA1, 0xA2, 0xA3)]
LONGEST_SALE = 20

events = st.sampled_from([EVENT, EVENT, EVENT, OTHER_EVENT])
accounts = st.sampled_from(ACCOUNTS)
old_or_new = st.sampled_from(["new", "new", "new", "new", "old"])
limits = st.sampled_from([None, None, None, 5, 3, 1])
wanted = st.lists(
    st.builds(TicketLine, st.sampled_from(TYPES), st.sampled_from([1, 1, 1, 2, 3])), min_size=1, max_size=3
)
moments = st.none() | st.integers(0, LONGEST_SALE).map(lambda seconds: moment(NOW + seconds * 1_000))
limits_on_holds = st.builds(
    LimitHolds,
    st.sampled_from([None, None, 2, 600]),
    st.sampled_from([None, None, 5, 3, 1]),
    st.sampled_from([None, None, 1, 3, 600]),
    st.sampled_from([None, 1, 3]),
)
modes = st.sampled_from(PaymentMode)
requests = st.none() | st.integers(1, 2).map(lambda number: UUID(int=number))


@st.composite
def ticket_types(draw: st.DrawFn, key: UUID) -> TicketTypeDefinition:
    """A ticket type with any limits, and quantities small enough to sell out."""
    start, end = draw(st.sampled_from([(None, None), (None, None), (draw(moments), draw(moments))]))
    return TicketTypeDefinition(
        id=key,
        name=f"type {key.int:X}",
        price=draw(st.decimals(0, 100, places=2)),
        currency=draw(st.sampled_from(["EUR", "EUR", "EUR", "EUR", "CHF"])),
        quantity=draw(st.sampled_from([12, 8, 6, 4, 2, 1, 0])),
        sale_starts_at=start,
        sale_ends_at=end,
        max_per_order=draw(limits),
        max_per_account=draw(limits),
    )


@st.composite
def definitions(draw: st.DrawFn) -> EventDefinition:
    """Any event with some of the three types."""
    keys = draw(st.sampled_from([TYPES, TYPES[::-1], TYPES[:2], [FLOOR], []]))
    return definition(
        *(draw(ticket_types(key)) for key in keys),
        status=draw(st.sampled_from([EventStatus.ACTIVE] * 6 + [EventStatus.ON_HOLD, EventStatus.CANCELED])),
        capacity=draw(st.sampled_from([None, None, 15, 5, 0])),
        max_per_order=draw(limits),
        max_per_account=draw(st.sampled_from([None, None, 9, 4])),
        payment=draw(modes),
    )


class LedgerAgainstModel(RuleBasedStateMachine):
    """Gives both the same commands; in between, the ledger is stored, restarted and replayed."""

    def __init__(self) -> None:
        super().__init__()
        self.model = ReferenceModel()
        self.table: dict[bytes, bytes] = {}
        self.ledger = ledger_on(self.table)
        self.at = NOW
        self.log: list[tuple[int, Command]] = []
        self.unstored: list[tuple[int, int, Command, CommandResult]] = []
        self.steps: list[EndPurchases] = []
        self.were_out: dict[tuple[UUID, UUID], int] = {}

    @initialize(
        kinds=st.tuples(*(ticket_types(key) for key in TYPES)),
        per_order=limits,
        per_account=limits,
        on_holds=limits_on_holds,
        payment=modes,
    )
    def open_the_sale(
        self,
        kinds: tuple[TicketTypeDefinition, ...],
        per_order: int | None,
        per_account: int | None,
        on_holds: LimitHolds,
        payment: PaymentMode,
    ) -> None:
        limited = definition(*kinds, max_per_order=per_order, max_per_account=per_account, payment=payment)
        self.both(on_holds)
        self.both(DefineEvent(EVENT, 1, limited))

    @rule(event=events, step=st.sampled_from([-1, 0, 1, 1, 1]), new=definitions())
    def define(self, event: UUID, step: int, new: EventDefinition) -> None:
        known = self.model.events.get(str(event))
        self.both(DefineEvent(event, max(1, (known.version if known else 1) + step), new))

    @rule(event=events, age=old_or_new, account=accounts, lines=wanted)
    def buy(self, event: UUID, age: str, account: UUID, lines: list[TicketLine]) -> None:
        self.both(Buy(event, self.id_for(age), account, lines))

    @rule(event=events, age=old_or_new, account=accounts, lines=wanted, seconds=st.sampled_from([1, 3, 600]))
    def hold(self, event: UUID, age: str, account: UUID, lines: list[TicketLine], seconds: int) -> None:
        self.both(Hold(event, self.id_for(age), account, lines, seconds))

    @rule(event=events, age=old_or_new, account=accounts, lines=wanted, seconds=st.sampled_from([1, 3, 600]))
    def hold_by_default(self, event: UUID, age: str, account: UUID, lines: list[TicketLine], seconds: int) -> None:
        self.both(Hold(event, self.id_for(age), account, lines, seconds, by_default=True))

    @precondition(lambda self: self.let_go)
    @rule(data=st.data(), later=st.sampled_from([0, 999, 3_000]))
    def hold_again_what_was_let_go(self, data: st.DataObject, later: int) -> None:
        self.at += later
        event, account, key = data.draw(st.sampled_from(self.let_go))
        self.both(Hold(event, self.id_for("new"), account, [TicketLine(key, 1)], 1))

    @precondition(lambda self: self.held)
    @rule(data=st.data(), later=st.sampled_from([0, 999, 3_000]))
    def let_go_and_hold_again(self, data: st.DataObject, later: int) -> None:
        row = data.draw(st.sampled_from(self.held))
        event, account, key = UUID(row.event), UUID(row.account), UUID(row.tickets[0][0])
        self.both(Cancel(event, UUID(row.id), account))
        self.at += later
        self.both(Hold(event, self.id_for("new"), account, [TicketLine(key, 1)], 1))

    @rule(limits=limits_on_holds)
    def limit_holds(self, limits: LimitHolds) -> None:
        self.both(limits)

    @precondition(lambda self: self.purchases)
    @rule(data=st.data())
    def confirm(self, data: st.DataObject) -> None:
        self.both(Confirm(*self.known(data, self.held)))

    @precondition(lambda self: self.purchases)
    @rule(data=st.data(), payment=st.sampled_from(["pi_1", "pi_2"]))
    def confirm_with_a_payment(self, data: st.DataObject, payment: str) -> None:
        self.both(Confirm(*self.known(data, self.held), payment=payment))

    @precondition(lambda self: self.purchases)
    @rule(data=st.data(), seconds=st.sampled_from([1, 3, 900]))
    def extend(self, data: st.DataObject, seconds: int) -> None:
        self.both(ExtendHold(*self.known(data)[:2], seconds))

    @precondition(lambda self: self.purchases)
    @rule(data=st.data(), request=requests, lines=st.just([]) | wanted)
    def cancel(self, data: st.DataObject, request: UUID | None, lines: list[TicketLine]) -> None:
        self.both(Cancel(*self.known(data), request, lines))

    @precondition(lambda self: self.purchases)
    @rule(data=st.data(), later=st.sampled_from([0, 999, 3_000, 3_000]), early=st.sampled_from([False, False, True]))
    def expire(self, data: st.DataObject, later: int, *, early: bool) -> None:
        self.at += later
        row = data.draw(st.sampled_from(self.held or self.purchases))
        self.both(Expire(UUID(row.event), UUID(row.id), early))

    @rule(event=events, purchase=st.integers(0, 5).map(purchase_id), account=accounts)
    def confirm_anything(self, event: UUID, purchase: UUID, account: UUID) -> None:
        self.both(Confirm(event, purchase, account))

    @precondition(lambda self: self.steps)
    @rule(data=st.data(), most=st.sampled_from([1, 2, 500]))
    def carry_on_ending(self, data: st.DataObject, most: int) -> None:
        """With the last step, or, as after a crash, with one that may have been carried out before."""
        step = data.draw(st.sampled_from([self.steps[-1], *self.steps]))
        self.both(replace(step, most=most))

    @rule(data=st.data())
    def send_again(self, data: st.DataObject) -> None:
        self.both(data.draw(st.sampled_from(self.log))[1])

    @rule(milliseconds=st.sampled_from([1, 999, 1_000, 3_000]))
    def wait(self, milliseconds: int) -> None:
        self.at += milliseconds

    @rule()
    def store(self) -> None:
        self.table |= self.ledger.take_purchases()
        self.table |= self.ledger.take_events()
        self.unstored.clear()
        self.the_accounts_are_the_sums_of_their_purchases()

    @rule()
    def store_and_restart(self) -> None:
        self.store()
        self.ledger = ledger_on(self.table)

    @rule()
    def crash_before_storing(self) -> None:
        self.ledger = ledger_on(self.table)
        for offset, at, command, told in self.unstored:
            assert self.ledger.apply(offset, at, command) == told

    def teardown(self) -> None:
        for step in self.steps:
            self.both(step)
        assert all(event.ending is None for event in self.model.events.values())
        self.store()

    @invariant()
    def the_counters_are_the_sums_of_the_purchases(self) -> None:
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

    @invariant()
    def no_more_is_out_than_the_quantity_unless_it_was_lowered(self) -> None:
        for event in EVENTS:
            inventory = self.ledger.inventory(event)
            for shown in inventory.balances() if inventory else ():
                out = shown.held + shown.sold
                assert shown.held >= 0
                assert shown.sold >= 0
                assert out <= max(shown.quantity, self.were_out.get((event, shown.ticket_type), 0))
                self.were_out[event, shown.ticket_type] = out

    def the_accounts_are_the_sums_of_their_purchases(self) -> None:
        counted = self.model.accounts()
        for event in EVENTS:
            for account in ACCOUNTS:
                value = self.table.get(account_key(event, account))
                record = None if value is None else decode_account(value)
                counts = {str(key): count for key, count in record.counts} if record else {}
                held = record.holding.held if record and record.holding else 0
                owner = str(event), str(account)
                mine = [row for row in self.purchases if (row.event, row.account) == owner and row.status == "held"]
                assert held == sum(len(row.tickets) for row in mine)
                assert counts == counted.get(owner, {})

    @property
    def purchases(self) -> list[ModelPurchase]:
        return list(self.model.purchases.values())

    @property
    def held(self) -> list[ModelPurchase]:
        return [row for row in self.purchases if row.status == "held"]

    @property
    def let_go(self) -> list[tuple[UUID, UUID, UUID]]:
        """Event, account and ticket type of the last hold that each account gave back or lost."""
        return [
            (UUID(name), UUID(account), UUID(max(types, key=types.__getitem__)))
            for name, event in self.model.events.items()
            for account, types in event.let_go.items()
            if types
        ]

    def id_for(self, age: str) -> UUID:
        """A purchase id: that of the last purchase, or an unused one."""
        return purchase_id(len(self.model.purchases) - (age == "old"))

    def known(self, data: st.DataObject, wanted: Sequence[ModelPurchase] = ()) -> tuple[UUID, UUID, UUID]:
        """A purchase with its account, rarely with another; mostly one that is wanted, or else one with tickets."""
        rows = self.purchases
        likely = wanted or [row for row in rows if row.tickets]
        row = data.draw(st.sampled_from(likely or rows) if data.draw(st.integers(0, 7)) else st.sampled_from(rows))
        stranger = data.draw(st.integers(0, 9)) == 9
        return UUID(row.event), UUID(row.id), data.draw(accounts) if stranger else UUID(row.account)

    def both(self, command: Command) -> None:
        """Have both carry out the command, and compare the outcomes."""
        offset, known = len(self.log), len(self.model.outcomes)
        result = self.ledger.apply(offset, self.at, command)
        self.log.append((self.at, command))
        self.unstored.append((offset, self.at, command, result))
        before = self.ending(command)
        self.model.apply(PARTITION, offset, self.at, json.loads(encode_command(command)))
        expected = self.model.outcomes[known:]
        assert [as_model(outcome) for outcome in result.outcomes] == expected
        for outcome, due in zip(result.outcomes, expected, strict=True):
            compare_tickets(outcome, due)
            if outcome.status == "held" and not outcome.repeated:
                row = self.model.purchases[str(outcome.event), str(outcome.purchase)]
                assert outcome.deadline == moment(int(row.deadline))
        after = self.ending(command)
        began = isinstance(command, DefineEvent) and bool(result.outcomes)
        goes_on = after is not None and (after != before or began)
        steps = [step for step in result.commands if isinstance(step, EndPurchases)]
        assert [str(step.after) if step.after else "" for step in steps] == ([after] if goes_on else [])
        self.steps += steps

    def ending(self, command: Command) -> str | None:
        """How far the purchases of the command's event have been ended, if it was cancelled."""
        event = None if isinstance(command, LimitHolds) else self.model.events.get(str(command.event))
        return event.ending if event else None


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


FULL = settings(max_examples=100, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
TestLedgerAgainstModel = LedgerAgainstModel.TestCase
TestLedgerAgainstModel.settings = FULL


def test_a_hold_by_default_repeats_one_that_named_the_same_seconds() -> None:
    machine = LedgerAgainstModel()
    hold = Hold(EVENT, purchase_id(0), ACCOUNTS[0], [TicketLine(FLOOR, 1)], 1)
    machine.both(DefineEvent(EVENT, 1, definition()))
    machine.both(hold)
    machine.both(replace(hold, by_default=True))
    machine.both(replace(hold, by_default=True, seconds=2))


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
    quick = settings(FULL, max_examples=2_000, phases=[Phase.generate], derandomize=True, database=None)
    with pytest.raises((AssertionError, InvariantBroken)):
        run_state_machine_as_test(LedgerAgainstModel, settings=quick)
