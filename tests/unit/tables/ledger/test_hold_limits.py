"""The operator's limits on holds: what they refuse, from when on, and what is remembered for them."""

from uuid import UUID

import msgspec
import pytest
from msgspec.structs import replace

from tables.errors import InvariantBroken
from tables.ledger.accounts import LET_GO_KEPT_MS, LET_GO_MAX_TYPES
from tables.ledger.hold_limits import KEY, HoldLimits, decode_limits
from tables.ledger.records import account_key, decode_account, decode_purchase, encode_record, purchase_key
from tables.messages.commands import Cancel, DefineEvent, Hold, LimitHolds
from tables.messages.outcomes import Outcome, OutcomeKind
from tables.messages.reasons import Reason
from tests.unit.tables.office import (
    ADA,
    BOB,
    EVENT,
    FLOOR,
    NOW,
    OTHER_EVENT,
    STAND,
    Desk,
    Refusal,
    definition,
    ledger_on,
    lines,
    moment,
    purchase_id,
    rejected,
    ticket_type,
    told,
)


@pytest.fixture
def desk(desk: Desk) -> Desk:
    """Two ticket types of 300, where holds are counted and not limited."""
    desk.limit_holds()
    desk.define(ticket_type(FLOOR, 300), ticket_type(STAND, 300))
    return desk


def hold_by_default(desk: Desk, number: int, seconds: int) -> Outcome:
    outcome = desk.send(Hold(EVENT, purchase_id(number), ADA, lines([(FLOOR, 1)]), seconds, by_default=True))
    assert outcome is not None
    return outcome


def kinds(*outcomes: Outcome) -> list[OutcomeKind]:
    return [outcome.kind for outcome in outcomes]


def too_soon(kind: UUID, cooldown: int, retry_at: int) -> Refusal:
    return rejected(Reason.HOLD_TOO_SOON, limit=cooldown, ticketType=str(kind), retryAt=moment(retry_at).isoformat())


def test_a_hold_may_last_as_long_as_the_limit_and_no_longer(desk: Desk) -> None:
    desk.limit_holds(seconds=900)
    assert desk.hold(1, seconds=900).deadline == moment(NOW + 900_000)
    assert told(desk.hold(2, seconds=901)) == rejected(Reason.HOLD_TOO_LONG, limit=900, requested=901)


def test_a_time_that_the_buyer_did_not_ask_for_is_shortened(desk: Desk) -> None:
    desk.limit_holds(seconds=300)
    assert hold_by_default(desk, 1, 600).deadline == moment(NOW + 300_000)
    assert hold_by_default(desk, 2, 200).deadline == moment(NOW + 200_000)


def test_an_account_holds_so_many_tickets_of_an_event_whatever_it_has_bought(desk: Desk) -> None:
    desk.limit_holds(tickets=4)
    desk.buy(1, [(FLOOR, 100)])
    desk.hold(2, [(FLOOR, 1), (STAND, 2)])
    assert told(desk.hold(3, [(FLOOR, 2)])) == rejected(Reason.HOLD_LIMIT_EXCEEDED, limit=4, requested=2, held=3)
    assert kinds(desk.hold(4), desk.hold(5, [(FLOOR, 4)], account=BOB)) == [OutcomeKind.HELD] * 2


@pytest.mark.parametrize("end", ["confirm", "cancel", "expire"])
def test_what_is_no_longer_held_makes_room(desk: Desk, end: str) -> None:
    desk.limit_holds(tickets=2)
    desk.hold(1, [(FLOOR, 2)], seconds=1)
    desk.at += 1_000
    getattr(desk, end)(1)
    assert kinds(desk.hold(2, [(FLOOR, 2)])) == [OutcomeKind.HELD]


def test_a_part_that_is_given_back_makes_as_much_room(desk: Desk) -> None:
    desk.limit_holds(tickets=3)
    desk.hold(1, [(FLOOR, 3)])
    desk.cancel(1, [(FLOOR, 2)], request=UUID(int=1))
    assert kinds(desk.hold(2, [(STAND, 3)]), desk.hold(3, [(STAND, 2)])) == [OutcomeKind.REJECTED, OutcomeKind.HELD]


def test_a_limit_is_one_of_each_event(desk: Desk) -> None:
    desk.limit_holds(tickets=1)
    desk.hold(1)
    desk.send(DefineEvent(OTHER_EVENT, 1, definition(ticket_type())))
    other = desk.send(Hold(OTHER_EVENT, purchase_id(2), ADA, lines([(FLOOR, 1)])))
    assert other is not None
    assert other.kind is OutcomeKind.HELD


def test_a_lowered_limit_counts_from_its_place_in_the_log_on_and_ends_no_hold(desk: Desk) -> None:
    desk.hold(1, [(FLOOR, 200)], seconds=86_400)
    desk.limit_holds(seconds=600, tickets=20)
    assert told(desk.hold(2)) == rejected(Reason.HOLD_LIMIT_EXCEEDED, limit=20, requested=1, held=200)
    assert desk.stock() == (200, 0)
    desk.limit_holds()
    assert kinds(desk.hold(3, seconds=86_400)) == [OutcomeKind.HELD]


def test_a_hold_that_the_operator_ended_cannot_be_taken_again_at_once(desk: Desk) -> None:
    desk.limit_holds(cooldown=60)
    desk.hold(1)
    desk.expire(1, early=True)
    assert told(desk.hold(2)) == too_soon(FLOOR, 60, NOW + 60_000)


@pytest.mark.parametrize("end", ["cancel", "expire"])
def test_what_an_account_let_go_it_can_hold_again_after_the_cooldown(desk: Desk, end: str) -> None:
    desk.limit_holds(cooldown=60)
    desk.hold(1, [(FLOOR, 2)], seconds=1)
    desk.at += 1_000
    let_go = desk.at
    getattr(desk, end)(1)
    desk.at += 59_999
    assert told(desk.hold(2)) == too_soon(FLOOR, 60, let_go + 60_000)
    assert kinds(desk.hold(3, [(STAND, 1)]), desk.hold(4, account=BOB), desk.buy(5)) == [
        OutcomeKind.HELD,
        OutcomeKind.HELD,
        OutcomeKind.CONFIRMED,
    ]
    desk.at += 1
    assert kinds(desk.hold(6)) == [OutcomeKind.HELD]


def test_of_several_types_that_were_let_go_the_last_one_tells_when(desk: Desk) -> None:
    desk.limit_holds(cooldown=60)
    desk.hold(1, [(FLOOR, 1), (STAND, 2)])
    desk.cancel(1, [(STAND, 1)], request=UUID(int=1))
    desk.at += 5_000
    desk.cancel(1)
    desk.at += 1_000
    assert told(desk.hold(2, [(STAND, 1), (FLOOR, 1)])) == too_soon(STAND, 60, NOW + 65_000)
    assert told(desk.hold(3, [(FLOOR, 1), (STAND, 1)])) == too_soon(FLOOR, 60, NOW + 65_000)


def test_a_sale_that_is_given_back_was_no_hold(desk: Desk) -> None:
    desk.limit_holds(cooldown=60)
    desk.hold(1)
    desk.confirm(1)
    desk.cancel(1)
    assert kinds(desk.hold(2)) == [OutcomeKind.HELD]


def test_a_refusal_by_a_limit_is_told_again_as_it_was(desk: Desk) -> None:
    desk.limit_holds(tickets=1)
    first = desk.hold(1, [(FLOOR, 2)])
    desk.limit_holds()
    again = desk.hold(1, [(FLOOR, 2)])
    assert (told(again), again.repeated) == (told(first), True)


def test_a_refusal_is_on_record_under_a_word_that_the_version_before_can_read(desk: Desk) -> None:
    desk.limit_holds(tickets=1)
    desk.hold(1, [(FLOOR, 2)])
    desk.store()
    [decision] = decode_purchase(desk.table[purchase_key(EVENT, purchase_id(1))]).history
    assert (decision.reason, decision.exact_reason) == (Reason.PURCHASE_LIMIT_EXCEEDED, Reason.HOLD_LIMIT_EXCEEDED)


@pytest.mark.parametrize(("limited", "bought"), [(True, True), (False, False)])
def test_nobody_keeps_everything_from_the_others_for_ever(desk: Desk, *, limited: bool, bought: bool) -> None:
    """One account takes all that it can get, for as long as it can, and what it gives back it takes again at once."""
    if limited:
        desk.limit_holds(seconds=3_600, tickets=20, cooldown=60)
    for round_ in range(3):
        desk.at = NOW + round_ * 7_200_000
        ids = [round_ * 1_000 + number for number in range(30)]
        held = [number for number in ids if desk.hold(number, [(FLOOR, 10)], seconds=3_600).kind is OutcomeKind.HELD]
        assert desk.stock()[0] == (20 if limited else 300)
        assert (desk.buy(round_ * 1_000 + 500, account=BOB).kind is OutcomeKind.CONFIRMED) == bought
        for number in held:
            desk.cancel(number)
        again = desk.hold(round_ * 1_000 + 600, [(FLOOR, 1)])
        assert (again.kind is OutcomeKind.HELD) != limited
        desk.cancel(round_ * 1_000 + 600)


def test_limits_are_kept_with_the_offset_of_their_command_and_an_older_one_changes_nothing(desk: Desk) -> None:
    desk.limit_holds(seconds=60)
    desk.limit_holds(tickets=3, cooldown=5)
    desk.store()
    kept = HoldLimits(desk.offset, 0, None, 3, 5)
    assert decode_limits(desk.table[KEY]) == kept
    desk.ledger.apply(desk.offset - 1, NOW, LimitHolds(60))
    desk.store()
    assert decode_limits(desk.table[KEY]) == kept


def test_what_was_let_go_is_forgotten_when_no_limit_can_ask_for_it(desk: Desk) -> None:
    for number, kind in enumerate((FLOOR, STAND, FLOOR, FLOOR)):
        desk.hold(number, [(kind, 1)])
        desk.cancel(number)
        desk.at += LET_GO_KEPT_MS - 1
    desk.store()
    holding = decode_account(desk.table[account_key(EVENT, ADA)]).holding
    assert holding is not None
    assert holding.let_go == [(FLOOR, NOW + 3 * LET_GO_KEPT_MS - 3)]


def test_an_account_remembers_so_many_types_that_it_let_go() -> None:
    desk = Desk(batch=1)
    desk.limit_holds()
    types = [UUID(int=0xF000 + number) for number in range(LET_GO_MAX_TYPES + 2)]
    desk.define(*(ticket_type(kind) for kind in types))
    for number, kind in enumerate(types):
        desk.hold(number, [(kind, 1)])
        desk.cancel(number)
    holding = decode_account(desk.table[account_key(EVENT, ADA)]).holding
    assert holding is not None
    assert [kind for kind, _ in holding.let_go] == types[2:]


def test_a_log_without_limits_leads_to_the_records_that_it_led_to_before_there_were_any() -> None:
    desk = Desk(batch=1)
    desk.define(ticket_type())
    desk.hold(1, [(FLOOR, 5)])
    desk.hold(2, [(FLOOR, 1)])
    desk.cancel(2)
    record = decode_account(desk.table[account_key(EVENT, ADA)])
    assert (record.counts, record.holding, desk.table.get(KEY)) == ([(FLOOR, 5)], None, None)


def test_holds_from_before_the_first_limits_are_not_counted() -> None:
    desk = Desk(batch=1)
    desk.define(ticket_type(quantity=300))
    desk.hold(1, [(FLOOR, 5)])
    desk.limit_holds(tickets=4)
    assert kinds(desk.hold(2, [(FLOOR, 3)])) == [OutcomeKind.HELD]
    desk.cancel(1)
    assert told(desk.hold(3, [(FLOOR, 2)])) == rejected(Reason.HOLD_LIMIT_EXCEEDED, limit=4, requested=2, held=3)
    desk.confirm(2)
    assert kinds(desk.hold(4, [(FLOOR, 4)])) == [OutcomeKind.HELD]
    assert desk.counts() == {FLOOR: 7}


def test_what_a_version_that_counts_no_holds_wrote_in_between_does_no_harm() -> None:
    """Its record of an account has no more than offset and counts."""
    desk = Desk(batch=1)
    desk.define(ticket_type(quantity=300))
    desk.limit_holds(tickets=4)
    desk.hold(1, [(FLOOR, 2)])
    key = account_key(EVENT, ADA)
    record = decode_account(desk.table[key])
    desk.table[key] = encode_record((record.offset, record.counts))
    desk.ledger = ledger_on(desk.table)

    assert kinds(desk.hold(2, [(FLOOR, 3)]), desk.cancel(1)) == [OutcomeKind.HELD, OutcomeKind.CANCELLED]
    assert told(desk.hold(3, [(FLOOR, 2)])) == rejected(Reason.HOLD_LIMIT_EXCEEDED, limit=4, requested=2, held=3)


def test_an_earlier_version_reads_what_this_one_keeps_of_an_account(desk: Desk) -> None:
    desk.hold(1)
    desk.store()
    value = desk.table[account_key(EVENT, ADA)]
    offset, counts, _ = msgspec.msgpack.decode(value)
    assert (offset, counts) == (desk.offset, [[FLOOR.bytes, 1]])


def test_an_account_that_would_hold_less_than_nothing_ends_the_process(desk: Desk) -> None:
    desk.hold(1, [(FLOOR, 2)])
    desk.store()
    key = account_key(EVENT, ADA)
    record = decode_account(desk.table[key])
    assert record.holding is not None
    desk.table[key] = encode_record(replace(record, holding=replace(record.holding, held=1)))
    with pytest.raises(InvariantBroken, match="would hold -1 tickets"):
        ledger_on(desk.table).apply(desk.offset + 1, NOW, Cancel(EVENT, purchase_id(1), ADA))
