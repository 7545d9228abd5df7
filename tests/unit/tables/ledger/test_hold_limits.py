"""The operator's limits on holds: what they refuse, from which offset on, and what is recorded for them."""

from uuid import UUID

import msgspec
import pytest
from msgspec.structs import replace

from tables.errors import InvariantBroken
from tables.ledger.hold_limits import HOLD_LIMITS_KEY, HoldLimits, decode_limits
from tables.ledger.ledger_records import LET_GO_KEPT_MS, LET_GO_MAX_TYPES
from tables.ledger.records import account_key, decode_account, decode_purchase, encode_record, purchase_key
from tables.messages.commands import Cancel, DefineEvent, Hold, LimitHolds
from tables.messages.outcomes import Outcome, OutcomeKind
from tables.messages.reasons import Reason
from tests.unit.tables.ledger_driver import (
    ADA,
    BOB,
    EVENT,
    FLOOR,
    NOW,
    OTHER_EVENT,
    STAND,
    ExpectedRefusal,
    LedgerDriver,
    definition,
    ledger_on,
    lines,
    moment,
    purchase_id,
    refusal_of,
    rejected,
    ticket_type,
)


@pytest.fixture
def driver(driver: LedgerDriver) -> LedgerDriver:
    """Two ticket types of 300 tickets; holds are counted but not limited."""
    driver.limit_holds()
    driver.define(ticket_type(FLOOR, 300), ticket_type(STAND, 300))
    return driver


def hold_by_default(driver: LedgerDriver, number: int, seconds: int) -> Outcome:
    outcome = driver.send(Hold(EVENT, purchase_id(number), ADA, lines([(FLOOR, 1)]), seconds, by_default=True))
    assert outcome is not None
    return outcome


def kinds(*outcomes: Outcome) -> list[OutcomeKind]:
    return [outcome.kind for outcome in outcomes]


def too_soon(kind: UUID, cooldown: int, retry_at: int) -> ExpectedRefusal:
    return rejected(Reason.HOLD_TOO_SOON, limit=cooldown, ticketType=str(kind), retryAt=moment(retry_at).isoformat())


def test_a_hold_may_last_as_long_as_the_limit_and_no_longer(driver: LedgerDriver) -> None:
    driver.limit_holds(seconds=900)
    assert driver.hold(1, seconds=900).deadline == moment(NOW + 900_000)
    assert refusal_of(driver.hold(2, seconds=901)) == rejected(Reason.HOLD_TOO_LONG, limit=900, requested=901)


def test_a_time_that_the_buyer_did_not_ask_for_is_shortened(driver: LedgerDriver) -> None:
    driver.limit_holds(seconds=300)
    assert hold_by_default(driver, 1, 600).deadline == moment(NOW + 300_000)
    assert hold_by_default(driver, 2, 200).deadline == moment(NOW + 200_000)


def test_an_account_holds_so_many_tickets_of_an_event_whatever_it_has_bought(driver: LedgerDriver) -> None:
    driver.limit_holds(tickets=4)
    driver.buy(1, [(FLOOR, 100)])
    driver.hold(2, [(FLOOR, 1), (STAND, 2)])
    assert refusal_of(driver.hold(3, [(FLOOR, 2)])) == rejected(
        Reason.HOLD_LIMIT_EXCEEDED, limit=4, requested=2, held=3
    )
    assert kinds(driver.hold(4), driver.hold(5, [(FLOOR, 4)], account=BOB)) == [OutcomeKind.HELD] * 2


@pytest.mark.parametrize("end", ["confirm", "cancel", "expire"])
def test_what_is_no_longer_held_makes_room(driver: LedgerDriver, end: str) -> None:
    driver.limit_holds(tickets=2)
    driver.hold(1, [(FLOOR, 2)], seconds=1)
    driver.at += 1_000
    getattr(driver, end)(1)
    assert kinds(driver.hold(2, [(FLOOR, 2)])) == [OutcomeKind.HELD]


def test_a_part_that_is_given_back_makes_as_much_room(driver: LedgerDriver) -> None:
    driver.limit_holds(tickets=3)
    driver.hold(1, [(FLOOR, 3)])
    driver.cancel(1, [(FLOOR, 2)], request=UUID(int=1))
    assert kinds(driver.hold(2, [(STAND, 3)]), driver.hold(3, [(STAND, 2)])) == [OutcomeKind.REJECTED, OutcomeKind.HELD]


def test_a_limit_is_one_of_each_event(driver: LedgerDriver) -> None:
    driver.limit_holds(tickets=1)
    driver.hold(1)
    driver.send(DefineEvent(OTHER_EVENT, 1, definition(ticket_type())))
    other = driver.send(Hold(OTHER_EVENT, purchase_id(2), ADA, lines([(FLOOR, 1)])))
    assert other is not None
    assert other.kind is OutcomeKind.HELD


def test_a_lowered_limit_counts_from_its_place_in_the_log_on_and_ends_no_hold(driver: LedgerDriver) -> None:
    driver.hold(1, [(FLOOR, 200)], seconds=86_400)
    driver.limit_holds(seconds=600, tickets=20)
    assert refusal_of(driver.hold(2)) == rejected(Reason.HOLD_LIMIT_EXCEEDED, limit=20, requested=1, held=200)
    assert driver.stock() == (200, 0)
    driver.limit_holds()
    assert kinds(driver.hold(3, seconds=86_400)) == [OutcomeKind.HELD]


def test_a_hold_that_the_operator_ended_cannot_be_taken_again_at_once(driver: LedgerDriver) -> None:
    driver.limit_holds(cooldown=60)
    driver.hold(1)
    driver.expire(1, early=True)
    assert refusal_of(driver.hold(2)) == too_soon(FLOOR, 60, NOW + 60_000)


@pytest.mark.parametrize("end", ["cancel", "expire"])
def test_what_an_account_let_go_it_can_hold_again_after_the_cooldown(driver: LedgerDriver, end: str) -> None:
    driver.limit_holds(cooldown=60)
    driver.hold(1, [(FLOOR, 2)], seconds=1)
    driver.at += 1_000
    let_go = driver.at
    getattr(driver, end)(1)
    driver.at += 59_999
    assert refusal_of(driver.hold(2)) == too_soon(FLOOR, 60, let_go + 60_000)
    assert kinds(driver.hold(3, [(STAND, 1)]), driver.hold(4, account=BOB), driver.buy(5)) == [
        OutcomeKind.HELD,
        OutcomeKind.HELD,
        OutcomeKind.CONFIRMED,
    ]
    driver.at += 1
    assert kinds(driver.hold(6)) == [OutcomeKind.HELD]


def test_of_several_types_that_were_let_go_the_last_one_tells_when(driver: LedgerDriver) -> None:
    driver.limit_holds(cooldown=60)
    driver.hold(1, [(FLOOR, 1), (STAND, 2)])
    driver.cancel(1, [(STAND, 1)], request=UUID(int=1))
    driver.at += 5_000
    driver.cancel(1)
    driver.at += 1_000
    assert refusal_of(driver.hold(2, [(STAND, 1), (FLOOR, 1)])) == too_soon(STAND, 60, NOW + 65_000)
    assert refusal_of(driver.hold(3, [(FLOOR, 1), (STAND, 1)])) == too_soon(FLOOR, 60, NOW + 65_000)


def test_a_sale_that_is_given_back_was_no_hold(driver: LedgerDriver) -> None:
    driver.limit_holds(cooldown=60)
    driver.hold(1)
    driver.confirm(1)
    driver.cancel(1)
    assert kinds(driver.hold(2)) == [OutcomeKind.HELD]


def test_a_refusal_by_a_limit_is_told_again_as_it_was(driver: LedgerDriver) -> None:
    driver.limit_holds(tickets=1)
    first = driver.hold(1, [(FLOOR, 2)])
    driver.limit_holds()
    again = driver.hold(1, [(FLOOR, 2)])
    assert (refusal_of(again), again.repeated) == (refusal_of(first), True)


def test_a_refusal_is_on_record_under_a_word_that_the_version_before_can_read(driver: LedgerDriver) -> None:
    driver.limit_holds(tickets=1)
    driver.hold(1, [(FLOOR, 2)])
    driver.store()
    [decision] = decode_purchase(driver.table[purchase_key(EVENT, purchase_id(1))]).history
    assert (decision.reason, decision.exact_reason) == (Reason.PURCHASE_LIMIT_EXCEEDED, Reason.HOLD_LIMIT_EXCEEDED)


@pytest.mark.parametrize(("limited", "bought"), [(True, True), (False, False)])
def test_nobody_keeps_everything_from_the_others_for_ever(driver: LedgerDriver, *, limited: bool, bought: bool) -> None:
    """One account holds as much as it can for as long as it can, and holds again at once what it gives back."""
    if limited:
        driver.limit_holds(seconds=3_600, tickets=20, cooldown=60)
    for round_ in range(3):
        driver.at = NOW + round_ * 7_200_000
        ids = [round_ * 1_000 + number for number in range(30)]
        held = [number for number in ids if driver.hold(number, [(FLOOR, 10)], seconds=3_600).kind is OutcomeKind.HELD]
        assert driver.stock()[0] == (20 if limited else 300)
        assert (driver.buy(round_ * 1_000 + 500, account=BOB).kind is OutcomeKind.CONFIRMED) == bought
        for number in held:
            driver.cancel(number)
        again = driver.hold(round_ * 1_000 + 600, [(FLOOR, 1)])
        assert (again.kind is OutcomeKind.HELD) != limited
        driver.cancel(round_ * 1_000 + 600)


def test_limits_are_kept_with_the_offset_of_their_command_and_an_older_one_changes_nothing(
    driver: LedgerDriver,
) -> None:
    driver.limit_holds(seconds=60)
    driver.limit_holds(tickets=3, cooldown=5)
    driver.store()
    kept = HoldLimits(driver.offset, 0, None, 3, 5)
    assert decode_limits(driver.table[HOLD_LIMITS_KEY]) == kept
    driver.ledger.apply(driver.offset - 1, NOW, LimitHolds(60))
    driver.store()
    assert decode_limits(driver.table[HOLD_LIMITS_KEY]) == kept


def test_what_was_let_go_is_forgotten_when_no_limit_can_ask_for_it(driver: LedgerDriver) -> None:
    for number, kind in enumerate((FLOOR, STAND, FLOOR, FLOOR)):
        driver.hold(number, [(kind, 1)])
        driver.cancel(number)
        driver.at += LET_GO_KEPT_MS - 1
    driver.store()
    holding = decode_account(driver.table[account_key(EVENT, ADA)]).holding
    assert holding is not None
    assert holding.let_go == [(FLOOR, NOW + 3 * LET_GO_KEPT_MS - 3)]


def test_an_account_remembers_so_many_types_that_it_let_go() -> None:
    driver = LedgerDriver(batch=1)
    driver.limit_holds()
    types = [UUID(int=0xF000 + number) for number in range(LET_GO_MAX_TYPES + 2)]
    driver.define(*(ticket_type(kind) for kind in types))
    for number, kind in enumerate(types):
        driver.hold(number, [(kind, 1)])
        driver.cancel(number)
    holding = decode_account(driver.table[account_key(EVENT, ADA)]).holding
    assert holding is not None
    assert [kind for kind, _ in holding.let_go] == types[2:]


def test_a_log_without_limits_leads_to_the_records_that_it_led_to_before_there_were_any() -> None:
    driver = LedgerDriver(batch=1)
    driver.define(ticket_type())
    driver.hold(1, [(FLOOR, 5)])
    driver.hold(2, [(FLOOR, 1)])
    driver.cancel(2)
    record = decode_account(driver.table[account_key(EVENT, ADA)])
    assert (record.counts, record.holding, driver.table.get(HOLD_LIMITS_KEY)) == ([(FLOOR, 5)], None, None)


def test_holds_from_before_the_first_limits_are_not_counted() -> None:
    driver = LedgerDriver(batch=1)
    driver.define(ticket_type(quantity=300))
    driver.hold(1, [(FLOOR, 5)])
    driver.limit_holds(tickets=4)
    assert kinds(driver.hold(2, [(FLOOR, 3)])) == [OutcomeKind.HELD]
    driver.cancel(1)
    assert refusal_of(driver.hold(3, [(FLOOR, 2)])) == rejected(
        Reason.HOLD_LIMIT_EXCEEDED, limit=4, requested=2, held=3
    )
    driver.confirm(2)
    assert kinds(driver.hold(4, [(FLOOR, 4)])) == [OutcomeKind.HELD]
    assert driver.counts() == {FLOOR: 7}


def test_what_a_version_that_counts_no_holds_wrote_in_between_does_no_harm() -> None:
    """Its account records have only offset and counts."""
    driver = LedgerDriver(batch=1)
    driver.define(ticket_type(quantity=300))
    driver.limit_holds(tickets=4)
    driver.hold(1, [(FLOOR, 2)])
    key = account_key(EVENT, ADA)
    record = decode_account(driver.table[key])
    driver.table[key] = encode_record((record.offset, record.counts))
    driver.ledger = ledger_on(driver.table)

    assert kinds(driver.hold(2, [(FLOOR, 3)]), driver.cancel(1)) == [OutcomeKind.HELD, OutcomeKind.CANCELLED]
    assert refusal_of(driver.hold(3, [(FLOOR, 2)])) == rejected(
        Reason.HOLD_LIMIT_EXCEEDED, limit=4, requested=2, held=3
    )


def test_an_earlier_version_reads_what_this_one_keeps_of_an_account(driver: LedgerDriver) -> None:
    driver.hold(1)
    driver.store()
    value = driver.table[account_key(EVENT, ADA)]
    offset, counts, _ = msgspec.msgpack.decode(value)
    assert (offset, counts) == (driver.offset, [[FLOOR.bytes, 1]])


def test_an_account_that_would_hold_less_than_nothing_ends_the_process(driver: LedgerDriver) -> None:
    driver.hold(1, [(FLOOR, 2)])
    driver.store()
    key = account_key(EVENT, ADA)
    record = decode_account(driver.table[key])
    assert record.holding is not None
    driver.table[key] = encode_record(replace(record, holding=replace(record.holding, held=1)))
    with pytest.raises(InvariantBroken, match="would hold -1 tickets"):
        ledger_on(driver.table).apply(driver.offset + 1, NOW, Cancel(EVENT, purchase_id(1), ADA))
