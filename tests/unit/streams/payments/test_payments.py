"""Payment events through the agents: requests, commands, rows, dead letters, and what a crash repeats."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from connect.partitioning import home_of, partition_of
from connect.topics import COMMANDS, PAYMENT_EVENTS, PAYMENT_REQUESTS, RESENDS, dead_letters
from streams.payments import checks, projection
from streams.runtime.failures import dead_letter
from streams.runtime.kafka_types import Record
from streams.runtime.projection import Projection
from tables.errors import MalformedRecord
from tables.messages.commands import Confirm, ExtendHold, decode_command
from tables.messages.encoding import from_milliseconds
from tables.messages.mail_kinds import MailKind
from tables.messages.mail_requests import decode_resend
from tables.messages.outcomes import MoneyAmount, Outcome, OutcomeKind, encode_outcome
from tables.messages.payment_events import PaymentEvent, PaymentEventKind
from tables.messages.payment_requests import PaymentRequestKind, confirm_request
from tables.messages.reasons import Reason
from tables.payments.payment import CHECK_FIRST_MS
from tables.payments.records import RefundStatus, payment_key
from tables.payments.transitions import PaymentState
from tests.unit.streams.payments.conftest import HOME, KEY, Role, Stopped, message
from tests.unit.tables.payments.payment_world import (
    ADA,
    AT,
    AT_MS,
    EVENT,
    PRICE,
    PURCHASE,
    REFERENCE,
    event,
    refund_order,
)

K = PaymentEventKind
AUTHORIZED = [(0, event(K.HELD)), (1, event(K.STARTED)), (2, event(K.AUTHORIZED, reference=REFERENCE))]
CAPTURING = [*AUTHORIZED, (3, event(K.CONFIRMED, ledger_offset=7, reference=REFERENCE))]


def states(role: Role) -> list[str]:
    return [row["state"] for row in role.rows]


def commands(role: Role) -> list[Any]:
    return [decode_command(record.value) for _, record in role.records.get(COMMANDS, [])]


def outcome(kind: OutcomeKind, **more: Any) -> bytes:
    fields: dict[str, Any] = {"kind": kind, "event": EVENT, "offset": 7, "at": AT, "purchase": PURCHASE, "account": ADA}
    return encode_outcome(Outcome(**(fields | more)))


def test_an_outcome_about_money_is_forwarded_to_the_partition_of_its_purchase(role: Role) -> None:
    due = MoneyAmount(PRICE, "EUR")
    role.forward(
        outcome(OutcomeKind.HELD, payment=due, deadline=AT),
        outcome(OutcomeKind.HELD, payment=due, deadline=AT, request=UUID(int=6)),
        outcome(OutcomeKind.CONFIRMED, payment=due, reference=REFERENCE),
        outcome(OutcomeKind.EXPIRED, payment=MoneyAmount(Decimal(0), "EUR")),
        outcome(OutcomeKind.REFUSED, request=confirm_request(PURCHASE), reason=Reason.NOT_HELD),
        outcome(OutcomeKind.CONFIRMED),
        outcome(OutcomeKind.REFUSED, request=UUID(int=8), reason=Reason.NOTHING_TO_CANCEL),
        outcome(OutcomeKind.REFUSED, request=UUID(int=8), reason=Reason.NOT_YOURS),
        outcome(OutcomeKind.REFUSED, reason=Reason.NOT_HELD),
        outcome(OutcomeKind.CHANGED, purchase=None),
        b"nope",
        b'{"payment": 1}',
    )
    kinds = [K.HELD, K.HELD, K.CONFIRMED, K.ENDED, K.REFUSED, K.RETURN_REFUSED]
    assert [each.kind for each in role.events()] == kinds
    # An exchange of seats has its request, the refusal of our own confirm needs none.
    assert [each.request for each in role.events()] == [None, UUID(int=6), None, None, None, UUID(int=8)]
    assert role.events()[5].reason == "nothing-to-cancel"
    assert {(partition, record.key) for partition, record in role.records[PAYMENT_EVENTS]} == {(HOME, KEY)}
    assert (role.events()[0].amount, role.events()[0].ledger_offset) == (PRICE, 7)
    assert len(role.records[dead_letters("payment-outcomes")]) == 1


def test_a_payment_goes_from_hold_to_capture(role: Role) -> None:
    role.fold(*CAPTURING)
    authorize, capture = role.requests()
    assert (authorize.kind, authorize.amount, authorize.account) == (PaymentRequestKind.AUTHORIZE, PRICE, ADA)
    assert (capture.kind, capture.amount, capture.reference) == (PaymentRequestKind.CAPTURE, PRICE, REFERENCE)
    assert commands(role) == [
        ExtendHold(EVENT, PURCHASE, 600),
        Confirm(EVENT, PURCHASE, ADA, confirm_request(PURCHASE), REFERENCE),
    ]
    role.fold((4, event(K.CAPTURED, reference=REFERENCE)))
    assert role.record().state is PaymentState.CAPTURED
    assert states(role) == ["captured"]


def test_what_passes_within_a_moment_has_no_row(role: Role) -> None:
    opened = event(K.OPENED, reference=REFERENCE, url="https://pay.example/1")
    authorized, confirmed = event(K.AUTHORIZED, reference=REFERENCE), CAPTURING[3][1]
    happens = [event(K.HELD), event(K.STARTED), opened, authorized, confirmed, event(K.CAPTURED, reference=REFERENCE)]
    for offset, each in enumerate(happens):
        role.fold((offset, each))
        role.last(0.9)
    role.last(10)
    assert states(role) == ["due", "authorizing", "confirming", "captured"]
    assert role.rows[1]["url"] == opened.url


@pytest.mark.parametrize(
    ("before", "state", "seconds"), [(AUTHORIZED[:2], "authorizing", 1), (CAPTURING, "capturing", 5)]
)
def test_what_lasts_has_its_row_once(
    role: Role, before: list[tuple[int, PaymentEvent]], state: str, seconds: float
) -> None:
    role.fold(*before)
    role.last(seconds - 0.01)
    assert states(role) == []
    role.last(0.02)
    role.last(10)
    assert states(role) == [state]
    assert role.rows[0]["since"] == role.rows[0]["at"] == from_milliseconds(role.record().at)


def test_a_row_that_a_crash_took_with_it_comes_with_the_first_check(role: Role) -> None:
    role.fold(*CAPTURING)
    for passing in role.payments.projection._passing.values():
        passing.clear()
    role.fold((4, event(K.CHECKED)))
    role.last(5)
    assert states(role) == ["capturing"]


def test_a_row_that_was_put_off_is_written_at_once_if_something_else_happens(role: Role) -> None:
    role.fold(*CAPTURING)
    role.fold((4, event(K.REDUCED, amount=PRICE / 2, ledger_offset=8)))
    assert states(role) == ["capturing"]
    role.last(10)
    assert states(role) == ["capturing"]


def test_no_more_rows_are_put_off_than_there_is_room_for(role: Role, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projection, "PASSING_MAX_ROWS", 2)
    others = [UUID(int=number) for number in range(20, 23)]
    for purchase in others:
        held, started = event(K.HELD, purchase=purchase), event(K.STARTED, purchase=purchase)
        role.fold((0, held), (1, started), purchase=purchase)
    assert [row["purchase_id"] for row in role.rows] == others[2:]
    role.last(5)
    assert [row["purchase_id"] for row in role.rows] == [others[2], *others[:2]]


def test_a_late_row_that_postgresql_rejects_is_a_dead_letter(role: Role, monkeypatch: pytest.MonkeyPatch) -> None:
    async def rejected(_: Any, rows: Any) -> list[Record]:
        return [dead_letter(row[0], MalformedRecord("rejected")) for row in rows]

    role.fold(*CAPTURING)
    monkeypatch.setattr(Projection, "write", rejected)
    role.last(5)
    assert len(role.records[dead_letters("payments")]) == 1


def test_the_row_of_a_payment_has_its_refunds(role: Role) -> None:
    role.fold(*CAPTURING, (4, event(K.CAPTURED, reference=REFERENCE)))
    role.fold((5, refund_order(Decimal(10))), (6, refund_order(None, request=UUID(int=8))))
    told = [(order["amount"], order["status"], order["goodwill"]) for order in role.rows[-1]["refunds"]]
    assert told == [("10", "accepted", True), ("0", "ordered", False)]


def test_purchases_of_two_events_with_one_id_have_payments_of_their_own(role: Role) -> None:
    other = uuid4()
    role.fold(*CAPTURING, (4, event(K.CAPTURED, reference=REFERENCE)))
    role.fold((5, event(K.HELD, event=other)), (6, event(K.ENDED, event=other, ledger_offset=99)))
    assert role.record().state is PaymentState.CAPTURED
    assert PaymentRequestKind.REFUND not in {request.kind for request in role.requests()}
    assert {(row["event_id"], row["state"]) for row in role.rows[-2:]} >= {(other, "ended")}


@pytest.mark.parametrize("ends_at", ["changelog", PAYMENT_REQUESTS, COMMANDS, "postgres"])
def test_a_crash_at_any_write_repeats_what_has_no_answer_under_the_same_ids(role: Role, ends_at: str) -> None:
    role.fold(*AUTHORIZED[:2])
    role.ends_at = ends_at
    with pytest.raises(Stopped):
        role.fold(AUTHORIZED[2])
        role.fold(CAPTURING[3])
    before = {request.id for request in role.requests()}
    role.fold(AUTHORIZED[2])
    role.fold(CAPTURING[3])
    role.last(5)
    assert states(role)[-1] == "capturing"
    assert {request.kind.value for request in role.requests()} == {"authorize", "capture"}
    assert len({request.id for request in role.requests()} | before) == 2
    assert {type(command) for command in commands(role)} == {ExtendHold, Confirm}


@pytest.mark.parametrize(
    "odd",
    [
        event(K.CAPTURED, reference="another"),
        event(K.CAPTURED, currency="USD"),
        event(K.CAPTURED, provider="stranger"),
        event(K.CAPTURED, purchase=UUID(int=9)),
        b'{"kind": "captured"}',
        b"nope",
    ],
)
def test_what_is_not_of_this_payment_is_a_dead_letter_and_the_next_event_is_applied(
    role: Role, odd: PaymentEvent | bytes
) -> None:
    role.fold(*AUTHORIZED, (3, odd), (4, event(K.CONFIRMED, ledger_offset=7, reference=REFERENCE)))
    assert role.record().captured == 0
    assert role.record().state is PaymentState.CAPTURING
    assert len(role.records[dead_letters("payments")]) == 1


def test_tickets_that_are_kept_concern_only_a_payment_that_there_is(role: Role) -> None:
    order = refund_order(None)
    kept = event(K.RETURN_REFUSED, amount=Decimal(0), ledger_offset=9, request=order.request, reason="not-held")
    role.fold((0, kept), *[(offset + 1, each) for offset, each in CAPTURING], (5, order), (6, kept))
    assert role.record().state is PaymentState.CAPTURING
    assert [each.status for each in role.record().refunds] == [RefundStatus.REFUSED]
    assert not role.records.get(dead_letters("payments"))


def test_a_request_is_carried_out_and_its_answer_appended(role: Role) -> None:
    role.fold(*CAPTURING)
    role.provider.answers = [event(K.CAPTURED, reference=REFERENCE)]
    role.carry_out(role.requests()[1], role.requests()[1])
    assert [request.kind.value for request in role.provider.asked] == ["capture"]
    assert [each.kind for each in role.events()] == [K.CAPTURED]
    # The timer had sent it again before it was answered.
    role.fold((4, role.events()[0]))
    role.carry_out(role.requests()[1])
    assert len(role.provider.asked) == 1
    # A crash may have come before what the provider made was known.
    role.carry_out(role.requests()[0])
    assert [request.kind.value for request in role.provider.asked] == ["capture", "authorize"]


def test_what_a_provider_leaves_open_is_asked_for_again_by_the_timer(role: Role) -> None:
    role.fold(*CAPTURING)
    role.provider.down = True
    role.carry_out(role.requests()[1])
    assert role.events() == []
    role.check()
    assert role.provider.looked == []

    role.now += CHECK_FIRST_MS / 1000 + 10
    role.check()
    role.check()
    assert [each.kind for each in role.events()] == [K.CHECKED]
    role.fold((4, role.events()[0]))
    assert [request.kind.value for request in role.requests()] == ["authorize", "capture", "capture"]
    assert len({request.id for request in role.requests()}) == 2
    assert role.record().check_at > AT_MS + CHECK_FIRST_MS


def test_an_event_that_tells_nothing_new_writes_nothing(role: Role) -> None:
    paid = event(K.CAPTURED, reference=REFERENCE)
    role.fold(*CAPTURING, (4, paid))
    count, before = len(role.rows), role.record()
    role.ends_at = "changelog"
    role.fold((5, paid))
    assert (len(role.rows), role.record()) == (count, before)
    # Read again after a crash, the newest event that told something is written again.
    with pytest.raises(Stopped):
        role.fold((4, paid))


def test_partitions_of_a_batch_are_written_together(role: Role) -> None:
    others = [UUID(int=number) for number in range(20, 40)]
    home = {purchase: partition_of(str(purchase).encode(), 4) for purchase in others}
    messages = [
        message(number, event(K.HELD, purchase=purchase), str(purchase).encode(), home[purchase])
        for number, purchase in enumerate(others)
    ]
    asyncio.run(role.payments._handle(messages))
    assert len(set(home.values())) > 1
    assert (role.writes, len(role.rows)) == (1, len(others))
    for purchase, partition in home.items():
        assert role.payments.table.read(partition, payment_key(EVENT, purchase)) is not None


def test_unfinished_payments_are_read_again_only_when_one_may_be_due(
    role: Role, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[bytes] = []
    read = role.payments.table.read

    def counted(partition: int, key: bytes) -> bytes | None:
        reads.append(key)
        return read(partition, key)

    monkeypatch.setattr(role.payments.table, "read", counted)
    role.fold(*CAPTURING)
    role.now = AT_MS / 1000 + 3
    for seconds in (0, 0.5, 1.0):
        role.now = AT_MS / 1000 + 3 + seconds
        role.check()
    assert len(reads) == 1
    # Its check is due at 3 + 5 s, before the next walk that is due in any case.
    role.now = AT_MS / 1000 + 7.9
    role.check()
    assert role.provider.looked == []
    role.now = AT_MS / 1000 + 8.1
    role.check()
    assert len(role.provider.looked) == 1


def test_between_two_walks_only_payments_that_are_due_are_read(role: Role, monkeypatch: pytest.MonkeyPatch) -> None:
    walks: list[int] = []
    scan = role.payments.table.scan

    def counted(partition: int, *more: bytes) -> Iterator[tuple[bytes, bytes]]:
        walks.append(partition)
        return scan(partition, *more)

    monkeypatch.setattr(role.payments.table, "scan", counted)
    role.fold(*CAPTURING)
    for seconds in (5.0, 7.0, 8.1, 8.2):
        role.now = AT_MS / 1000 + seconds
        role.check()
    assert (len(role.provider.looked), len(walks)) == (1, 1)
    # Paid meanwhile: it is due no more.
    role.fold((4, role.events()[-1]), (5, event(K.CAPTURED, reference=REFERENCE)))
    role.now += 3_600
    role.check()
    assert (len(role.provider.looked), len(walks)) == (1, 2)


def test_a_walk_goes_on_where_its_last_step_has_ended(role: Role, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "SCANNED_MAX_PAYMENTS", 1)
    for purchase in (PURCHASE, UUID(int=2**127)):
        role.fold((0, event(K.HELD, purchase=purchase)), (1, event(K.STARTED, purchase=purchase)))
    role.now += 60
    counts = []
    for _ in range(3):
        role.check()
        counts.append(len(role.provider.looked))
    assert counts == [1, 2, 2]


def test_one_that_is_paid_before_its_check_is_due_is_not_asked_about(role: Role) -> None:
    role.fold(*CAPTURING)
    role.now = AT_MS / 1000 + 5
    role.check()
    role.fold((4, event(K.CAPTURED, reference=REFERENCE)))
    role.now = AT_MS / 1000 + 9.5
    role.check()
    assert role.provider.looked == []


def test_one_in_which_something_happens_before_its_check_is_due_is_asked_about_later(role: Role) -> None:
    role.fold(*AUTHORIZED[:2])
    role.now = AT_MS / 1000 + 5
    role.check()
    role.fold(AUTHORIZED[2])
    for seconds, count in ((6.1, 0), (7.1, 0), (10.1, 1)):
        role.now = AT_MS / 1000 + seconds
        role.check()
        assert len(role.provider.looked) == count


def test_payments_beyond_those_that_are_noted_are_found_by_an_earlier_walk(
    role: Role, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "SOON_MAX_PAYMENTS", 0)
    role.fold(*CAPTURING)
    for seconds in (5.0, 8.1):
        role.now = AT_MS / 1000 + seconds
        role.check()
    assert len(role.provider.looked) == 1
    # Its next check is due after the next walk, which finds another one that is due then.
    role.fold((10, role.events()[-1]))
    assert role.record().check_at == AT_MS + 20_000
    role.now = AT_MS / 1000 + 13.2
    role.check()
    other = UUID(int=next(number for number in range(99) if home_of(UUID(int=number), 4) == HOME))
    role.fold((12, event(K.HELD, purchase=other)), (13, event(K.STARTED, purchase=other)), purchase=other)
    role.now = AT_MS / 1000 + 18.3
    role.check()
    assert [asked.purchase for asked in role.provider.looked] == [PURCHASE, other]


def test_a_clock_that_was_a_day_ahead_and_is_set_right_puts_off_no_check(role: Role) -> None:
    role.now = AT_MS / 1000 + 86_400
    role.check()
    role.now = AT_MS / 1000
    role.fold(*AUTHORIZED[:2])
    role.now += 60
    role.check()
    assert len(role.provider.looked) == 1


def test_events_that_were_written_by_a_clock_a_day_ahead_put_off_no_check(role: Role) -> None:
    role.now = AT_MS / 1000 - 86_400
    role.fold(*AUTHORIZED[:2])
    role.now += 60
    role.check()
    assert len(role.provider.looked) == 1


def test_a_lost_webhook_is_made_good(role: Role) -> None:
    role.fold(*AUTHORIZED[:2])
    role.provider.answers = [event(K.AUTHORIZED, reference=REFERENCE)]
    role.now += 60
    role.check()
    role.fold(*enumerate(role.events(), start=2))
    assert role.record().state is PaymentState.CONFIRMING


def test_finished_payments_are_not_asked_about(role: Role) -> None:
    role.fold(*CAPTURING, (4, event(K.CAPTURED, reference=REFERENCE)))
    role.now += 1e6
    role.check()
    assert role.provider.looked == []


def test_nothing_is_authorized_after_the_hold(role: Role) -> None:
    role.fold((0, event(K.HELD, deadline=AT - timedelta(days=3_650))), AUTHORIZED[1])
    role.carry_out(*role.requests())
    assert role.provider.asked == []
    assert [each.kind for each in role.events()] == [K.FAILED]


def test_a_request_for_a_provider_that_is_not_there_is_a_dead_letter(role: Role) -> None:
    role.fold((0, event(K.HELD)), (1, event(K.STARTED, provider="gone")))
    role.carry_out(*role.requests())
    assert len(role.records[dead_letters("payment-requests")]) == 1


def test_a_mail_is_asked_for_before_the_record_that_knows_its_news(role: Role) -> None:
    role.fold(*CAPTURING)
    role.ends_at = RESENDS
    paid = (4, event(K.CAPTURED, reference=REFERENCE))
    with pytest.raises(Stopped):
        role.fold(paid)
    role.fold(paid)
    role.fold(paid)
    [(_, asked)] = role.records[RESENDS]
    mail = decode_resend(asked.value)
    assert mail.payment is not None
    assert (mail.payment.kind, asked.key) == (MailKind.PAID, str(EVENT).encode())
