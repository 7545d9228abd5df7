"""Single payments: what is bad input has its row, and nothing is asked for twice."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from tables.errors import MalformedRecord
from tables.messages.encoding import from_milliseconds
from tables.messages.payment_events import (
    PaymentEvent,
    PaymentEventKind,
    decode_payment_event,
    encode_payment_event,
)
from tables.payments.payment import CHECK_FIRST_MS, CHECK_MAX_MS, EXTEND_WITHIN_MS, apply
from tables.payments.records import (
    CLOSED_MAX,
    TOO_LARGE,
    PaymentRecord,
    RefundStatus,
    Task,
    decode_payment,
    encode_payment,
    index_change,
    payment_key,
)
from tables.payments.refund_orders import ORDERS_MAX
from tables.payments.transitions import TRANSITIONS, WORK, PaymentState, Signal, TaskKind
from tests.unit.tables.payments.payment_world import (
    ADA,
    AT,
    AT_MS,
    EVENT,
    GOODWILL,
    ORGANIZER,
    PRICE,
    PURCHASE,
    REFERENCE,
    event,
    refund_order,
)

K = PaymentEventKind
ZERO = Decimal(0)


class Payment:
    """One payment, to which events happen."""

    def __init__(self, *events: PaymentEvent) -> None:
        self.record: PaymentRecord | None = None
        self.offset = 0
        for each in events:
            self.tell(each)

    def tell(self, happened: PaymentEvent, at: int = AT_MS) -> list[str]:
        """The kinds of what is to be done."""
        self.record, tasks = apply(self.record, PURCHASE, happened, self.offset, at)
        self.offset += 1
        return [task.kind.value for task in tasks]

    @property
    def known(self) -> PaymentRecord:
        assert self.record is not None
        return self.record

    @property
    def state(self) -> str:
        return self.known.state.value

    def task(self) -> Task:
        return self.known.tasks[0]


HELD = (event(K.HELD),)
ENDED = (*HELD, event(K.STARTED), event(K.VOIDED), event(K.ENDED, amount=ZERO, ledger_offset=2))
AUTHORIZING = (*HELD, event(K.STARTED), event(K.OPENED, reference=REFERENCE, url="https://pay.example"))
CONFIRMING = (*AUTHORIZING, event(K.AUTHORIZED, reference=REFERENCE))
CAPTURING = (*CONFIRMING, event(K.CONFIRMED, ledger_offset=9, reference=REFERENCE))
CAPTURED = (*CAPTURING, event(K.CAPTURED, reference=REFERENCE))
STARTED_HOLD = event(K.STARTED, account=ADA, amount=PRICE, currency="EUR", ledger_offset=1)
REFUNDING = (*CAPTURED, event(K.ENDED, amount=ZERO, ledger_offset=10))


@pytest.mark.parametrize(
    ("before", "happened", "state", "tasks"),
    [
        # A payment that succeeds after its hold has ended.
        (ENDED, event(K.AUTHORIZED), "voiding", ["void"]),
        (ENDED, event(K.CAPTURED), "refunding", ["refund"]),
        # The ledger refuses: too late, event cancelled.
        (CONFIRMING, event(K.REFUSED, ledger_offset=9), "voiding", ["void"]),
        # Only free tickets are left.
        (CONFIRMING, event(K.CONFIRMED, ledger_offset=9, reference=REFERENCE, amount=ZERO), "voiding", ["void"]),
        (AUTHORIZING, event(K.REDUCED, ledger_offset=9, amount=ZERO), "voiding", ["void"]),
        (HELD, event(K.REDUCED, ledger_offset=9, amount=ZERO), "ended", []),
        (HELD, event(K.REDUCED, ledger_offset=9, amount=PRICE / 2), "due", []),
        # A method that can't be authorized apart.
        (AUTHORIZING, event(K.CAPTURED), "confirming", ["confirm"]),
        ((*AUTHORIZING, event(K.CAPTURED)), event(K.REFUSED, ledger_offset=9), "refunding", ["refund"]),
        # Amounts that differ from what was asked.
        (AUTHORIZING, event(K.AUTHORIZED, amount=PRICE + 1), "voiding", ["void"]),
        (AUTHORIZING, event(K.CAPTURED, amount=PRICE + 1), "refunding", ["refund"]),
        (AUTHORIZING, event(K.CAPTURED, amount=PRICE - 1), "refunding", ["refund"]),
        (CAPTURING, event(K.CAPTURED, amount=PRICE + 1), "refunding", ["refund"]),
        (CAPTURING, event(K.CAPTURED, amount=PRICE - 1), "captured", []),
        # Two confirms at once: somebody else took the money first.
        (CONFIRMING, event(K.CONFIRMED, ledger_offset=9, reference="bank 1"), "voiding", ["void"]),
        (HELD, event(K.CONFIRMED, ledger_offset=9, reference="bank 1"), "elsewhere", []),
        # Replayed and out of order.
        (CONFIRMING, event(K.AUTHORIZED, reference=REFERENCE), "confirming", []),
        (CONFIRMING, event(K.DECLINED, reference=REFERENCE), "confirming", []),
        (CAPTURED, event(K.AUTHORIZED, reference=REFERENCE), "captured", []),
        (CAPTURED, event(K.CAPTURED, reference=REFERENCE), "captured", []),
        (CAPTURED, event(K.CONFIRMED, ledger_offset=9, reference=REFERENCE), "captured", []),
        (REFUNDING, event(K.ENDED, amount=ZERO, ledger_offset=10), "refunding", ["refund"]),
        # The authorization is gone at the provider.
        (CAPTURING, event(K.VOIDED, reference=REFERENCE), "revoking", ["cancel"]),
        # Refunds beyond what was captured are never asked for.
        ((*REFUNDING, event(K.REFUNDED)), event(K.ENDED, amount=ZERO, ledger_offset=11), "refunded", []),
        # Declined, and another try.
        (AUTHORIZING, event(K.DECLINED), "declined", []),
        ((*AUTHORIZING, event(K.DECLINED)), event(K.STARTED), "authorizing", []),
        (AUTHORIZING, event(K.STARTED), "authorizing", []),
        # The start told the hold, which came before or comes later.
        ((), STARTED_HOLD, "authorizing", ["authorize", "extend"]),
        ((STARTED_HOLD,), event(K.HELD), "authorizing", []),
        ((STARTED_HOLD,), event(K.ENDED, amount=ZERO, ledger_offset=2), "voiding", ["void"]),
        (HELD, STARTED_HOLD, "authorizing", ["authorize", "extend"]),
        ((*HELD, event(K.ENDED, amount=ZERO, ledger_offset=2)), STARTED_HOLD, "ended", []),
        (CAPTURED, event(K.DISPUTED), "captured", []),
        # Refunds that the organizer ordered; beyond what was captured they are refused.
        (CAPTURED, refund_order(PRICE), "refunding", ["refund"]),
        (CAPTURED, refund_order(PRICE + 1), "captured", []),
        (CAPTURING, refund_order(PRICE), "capturing", []),
        ((*CAPTURED, refund_order(Decimal(1))), refund_order(Decimal(1)), "refunding", []),
        ((*CAPTURED, refund_order(PRICE)), refund_order(Decimal(1), request=PURCHASE), "refunding", []),
        (REFUNDING, refund_order(Decimal(1)), "refunding", []),
        (HELD, refund_order(Decimal(1)), "due", []),
    ],
)
def test_what_happens_has_its_row(
    before: tuple[PaymentEvent, ...], happened: PaymentEvent, state: str, tasks: list[str]
) -> None:
    payment = Payment(*before)
    assert (payment.tell(happened), payment.state) == (tasks, state)


@pytest.mark.parametrize("odd", [{"reference": "another"}, {"currency": "USD"}, {"provider": "stranger"}])
def test_what_is_of_another_payment_is_refused_by_its_field(odd: dict[str, Any]) -> None:
    with pytest.raises(MalformedRecord, match=rf"\$\.{next(iter(odd))}"):
        Payment(*CONFIRMING).tell(event(K.CAPTURED, **odd))


@pytest.mark.parametrize("before", [(), HELD], ids=["before its hold", "after its hold"])
def test_a_start_without_a_provider_is_refused(before: tuple[PaymentEvent, ...]) -> None:
    """What it asks for would be a dead letter at each check, for ever."""
    with pytest.raises(MalformedRecord, match=r"\$\.provider"):
        Payment(*before).tell(event(K.STARTED, account=ADA, amount=PRICE, currency="EUR", provider=None))


def test_what_tells_nothing_new_leaves_the_record_as_it_is() -> None:
    payment = Payment(*CAPTURED)
    before = payment.known
    assert payment.tell(event(K.CAPTURED, reference=REFERENCE), AT_MS + 1) == []
    assert payment.known is before
    payment.tell(event(K.CAPTURED, reference=REFERENCE, fee=Decimal(1)))
    assert (payment.known.fee, payment.known.offset) == (Decimal(1), before.offset + 2)


def test_a_hold_is_lengthened_once_where_it_would_end_before_it_is_paid() -> None:
    end = AT_MS + 900_000
    deadline = from_milliseconds(end)
    payment = Payment(event(K.HELD, deadline=deadline))
    assert payment.tell(event(K.STARTED)) == ["authorize"]
    assert payment.tell(event(K.CHECKED), end - EXTEND_WITHIN_MS) == ["authorize"]
    assert payment.tell(event(K.CHECKED), end - EXTEND_WITHIN_MS + 1) == ["authorize", "extend"]
    assert [task.kind.value for task in payment.known.tasks] == ["authorize", "extend"]
    assert payment.tell(event(K.CHECKED), end) == ["authorize", "extend"]
    later = from_milliseconds(end + 600_000)
    payment.tell(event(K.HELD, deadline=later, ledger_offset=2))
    assert payment.tell(event(K.CHECKED), end - EXTEND_WITHIN_MS + 1) == ["authorize"]
    # The ledger tells the same again, which asks for nothing.
    assert payment.tell(event(K.CHECKED), end) == ["authorize", "extend"]
    assert payment.tell(event(K.HELD, deadline=later, ledger_offset=2)) == []
    late = Payment(event(K.HELD, deadline=deadline))
    assert late.tell(event(K.STARTED), end - EXTEND_WITHIN_MS + 1) == ["authorize", "extend"]


TRIED = (*AUTHORIZING, event(K.VOIDED, reference=REFERENCE), event(K.STARTED))
OPENED_AGAIN = event(K.OPENED, reference="pay-2", url="https://pay.example/2")


@pytest.mark.parametrize("kind", [K.OPENED, K.DECLINED, K.AUTHORIZED, K.VOIDED])
@pytest.mark.parametrize("tries", [1, 2, CLOSED_MAX])
def test_late_news_of_a_payment_that_was_voided_are_not_of_the_next_one(kind: PaymentEventKind, tries: int) -> None:
    payment = Payment(*TRIED)
    for number in range(1, tries):
        payment.tell(event(K.VOIDED, reference=f"void-{number}"))
        payment.tell(event(K.STARTED))
    before = payment.known
    assert (before.reference, before.url) == ("", "")
    late = event(kind, reference=REFERENCE, url="https://pay.example")
    assert payment.tell(late) == []
    assert payment.known is before
    payment.tell(OPENED_AGAIN)
    assert (payment.known.reference, payment.known.url) == ("pay-2", OPENED_AGAIN.url)
    assert (payment.tell(late), payment.state, payment.known.reference) == ([], "authorizing", "pay-2")


def test_of_the_payments_that_were_voided_so_many_are_known() -> None:
    payment = Payment(*TRIED)
    for number in range(2 * CLOSED_MAX):
        payment.tell(event(K.VOIDED, reference=f"void-{number}"))
        payment.tell(event(K.STARTED))
    assert len(payment.known.closed_before) == CLOSED_MAX


def test_money_that_was_captured_with_a_voided_payment_is_taken_for_the_tickets() -> None:
    payment = Payment(*TRIED)
    assert payment.tell(event(K.CAPTURED, reference=REFERENCE)) == ["confirm"]
    assert (payment.state, payment.known.reference) == ("confirming", REFERENCE)


@pytest.mark.parametrize("kind", [K.OPENED, K.DECLINED, K.AUTHORIZED])
def test_a_void_that_met_the_payment_before_is_asked_for_again(kind: PaymentEventKind) -> None:
    payment = Payment(*TRIED, event(K.ENDED, amount=ZERO, ledger_offset=9))
    void = payment.task()
    early = event(K.VOIDED, reference=REFERENCE, request=void.id)
    met = Payment(*TRIED, event(K.ENDED, amount=ZERO, ledger_offset=9))
    assert (met.tell(early), met.state, met.known.reference) == ([], "voided", "")
    assert payment.tell(event(kind, reference="pay-2")) == ["void"]
    assert [task.id == void.id for task in payment.known.tasks] == [False]
    assert (payment.tell(early), payment.state) == ([], "voiding")
    assert (payment.tell(event(K.VOIDED, reference="pay-2")), payment.state) == ([], "voided")


def test_a_void_that_the_provider_can_not_do_yet_waits_for_the_next_check() -> None:
    payment = Payment(*AUTHORIZING, event(K.ENDED, amount=ZERO, ledger_offset=9))
    void = payment.task()
    for _ in range(3):
        assert payment.tell(event(K.OPENED, reference=REFERENCE, request=void.id)) == []
    assert (payment.state, payment.known.tasks) == ("voiding", (void,))
    assert payment.tell(event(K.CHECKED)) == ["void"]
    assert payment.known.checks == 1


def test_a_start_that_comes_again_leaves_the_page_where_the_buyer_pays() -> None:
    payment = Payment(*AUTHORIZING, event(K.STARTED), event(K.CHECKED))
    assert (payment.known.reference, payment.known.url) == (REFERENCE, "https://pay.example")


@pytest.mark.parametrize("before", [CAPTURED, (*AUTHORIZING, event(K.VOIDED, reference=REFERENCE))])
def test_what_was_captured_or_voided_is_not_authorized_any_more(before: tuple[PaymentEvent, ...]) -> None:
    payment = Payment(*before)
    assert payment.tell(event(K.AUTHORIZED, reference=REFERENCE)) == []
    assert payment.known.authorized == ZERO


def test_a_confirmation_that_nobody_asked_for_sells_nothing_on_this_payment() -> None:
    payment = Payment(*AUTHORIZING, event(K.CONFIRMED, ledger_offset=9, reference=REFERENCE))
    assert (payment.state, payment.known.worth) == ("voiding", ZERO)


@pytest.mark.parametrize("missing", ["account", "amount", "currency"])
def test_a_hold_that_lacks_a_field_is_refused(missing: str) -> None:
    with pytest.raises(MalformedRecord, match=missing):
        Payment(event(K.HELD, **{missing: None}))


def test_a_dispute_and_a_reason_stay_known() -> None:
    payment = Payment(*CAPTURED, event(K.DISPUTED, detail="fraudulent"), event(K.CAPTURED, fee=Decimal(1)))
    assert (payment.known.disputed, payment.known.detail) == (True, "fraudulent")


def test_an_older_decision_of_the_ledger_is_noted_and_changes_nothing() -> None:
    payment = Payment(*CONFIRMING)
    assert payment.tell(event(K.REFUSED, ledger_offset=1)) == ["confirm"]
    assert (payment.state, payment.known.offset) == ("confirming", payment.offset - 1)


def test_each_hold_is_checked_before_it_would_end() -> None:
    for seconds in range(60, 10_000, 60):
        end = AT_MS + seconds * 1_000
        payment = Payment(event(K.HELD, deadline=from_milliseconds(end)))
        at, asked = AT_MS, payment.tell(event(K.STARTED))
        while "extend" not in asked:
            at = payment.known.check_at
            asked = payment.tell(event(K.CHECKED), at)
        assert at + 50_000 < end, seconds


def test_a_hold_that_is_told_twice_changes_nothing_the_second_time() -> None:
    payment = Payment(event(K.HELD), event(K.STARTED))
    before = payment.known
    assert payment.tell(event(K.HELD)) == []
    assert payment.known is before


def test_an_exchange_of_seats_is_no_answer_to_the_extension_of_the_hold() -> None:
    payment = Payment(*AUTHORIZING)
    assert payment.task().kind is TaskKind.EXTEND
    payment.tell(event(K.HELD, ledger_offset=2, request=UUID(int=9)))
    assert payment.tell(event(K.CHECKED)) == ["extend"]
    payment.tell(event(K.HELD, ledger_offset=3, deadline=AT))
    assert payment.tell(event(K.CHECKED)) == []


def test_an_event_of_an_unknown_purchase_is_refused() -> None:
    with pytest.raises(MalformedRecord, match=r"\$\.purchase"):
        Payment().tell(event(K.CAPTURED))


def test_money_goes_back_by_line_and_each_refund_is_asked_for_once() -> None:
    payment = Payment(*CAPTURED)
    half = PRICE / 2
    assert payment.tell(event(K.REDUCED, amount=half, ledger_offset=10)) == ["refund"]
    first = payment.task()
    assert payment.tell(event(K.ENDED, amount=ZERO, ledger_offset=11)) == ["refund"]
    second = payment.known.tasks[1]
    assert (first.amount, second.amount, first.id == second.id) == (half, half, False)
    payment.tell(event(K.REFUNDED, amount=half, request=first.id))
    assert (payment.state, payment.known.tasks) == ("refunding", (second,))
    payment.tell(event(K.REFUNDED, amount=PRICE, request=second.id))
    payment.tell(event(K.REFUNDED, amount=half, request=first.id))
    assert (payment.state, payment.known.refunded, payment.known.tasks) == ("refunded", PRICE, ())


def test_a_failure_counts_for_what_was_asked_and_not_answered() -> None:
    payment = Payment(*CAPTURING)
    capture = payment.task()
    assert payment.tell(event(K.FAILED, request=PURCHASE)) == []
    payment.tell(event(K.CAPTURED))
    assert (payment.tell(event(K.FAILED, request=capture.id)), payment.state) == ([], "captured")
    failing = Payment(*CAPTURING)
    assert (failing.tell(event(K.FAILED, request=failing.task().id)), failing.state) == (["cancel"], "revoking")


@pytest.mark.parametrize(
    ("before", "state", "kind"),
    [
        (REFUNDING, "refunding", "refund"),
        ((*CONFIRMING, event(K.REFUSED, ledger_offset=9)), "voiding", "void"),
    ],
)
def test_what_gives_money_back_and_is_refused_keeps_its_reason_and_is_asked_for_again(
    before: tuple[PaymentEvent, ...], state: str, kind: str
) -> None:
    payment = Payment(*before)
    refused = event(K.FAILED, request=payment.task().id, detail="too old")
    assert (payment.tell(refused), payment.state, payment.known.detail) == ([], state, "too old")
    assert payment.tell(event(K.CHECKED)) == [kind]


def test_tickets_that_were_given_back_before_the_capture_failed_are_not_given_back_again() -> None:
    payment = Payment(*CAPTURING, event(K.ENDED, amount=ZERO, ledger_offset=10))
    assert (payment.tell(event(K.FAILED, request=payment.task().id)), payment.state) == (["void"], "voiding")


def test_checks_come_at_growing_pauses_and_repeat_what_has_no_answer() -> None:
    payment = Payment(*CAPTURING)
    pauses = []
    for _ in range(12):
        assert payment.tell(event(K.CHECKED)) == ["capture"]
        pauses.append(payment.known.check_at - AT_MS)
    assert pauses[0] == 2 * CHECK_FIRST_MS
    assert pauses == sorted(pauses)
    assert pauses[-1] == CHECK_MAX_MS
    payment.tell(event(K.CAPTURED))
    assert (payment.known.checks, payment.known.check_at) == (0, AT_MS + CHECK_FIRST_MS)
    assert payment.tell(event(K.CHECKED)) == []


def test_the_index_has_unfinished_payments_alone() -> None:
    key = payment_key(EVENT, PURCHASE)
    added = index_change(key, encode_payment(Payment(*CAPTURING).known))
    removed = index_change(key, encode_payment(Payment(*CAPTURED).known))
    assert (added[0], removed) == ((), ((added[1],), None))


def test_records_and_events_are_read_as_they_were_written() -> None:
    record = Payment(*REFUNDING).known
    assert decode_payment(encode_payment(record)) == record
    for each in REFUNDING:
        assert decode_payment_event(encode_payment_event(each)) == each


def test_the_table_asks_only_for_what_its_next_state_waits_for() -> None:
    for (state, signal), step in TRANSITIONS.items():
        assert isinstance(state, PaymentState)
        assert isinstance(signal, Signal)
        assert set(step.tasks) <= WORK.get(step.state, frozenset[TaskKind]()), (state, signal)


def test_an_order_keeps_who_and_why_and_what_it_came_to() -> None:
    payment = Payment(*CAPTURED, refund_order(Decimal(10)), refund_order(PRICE, request=PURCHASE))
    [accepted, refused] = payment.known.refunds
    assert (accepted.by, accepted.reason, accepted.at) == (ORGANIZER, GOODWILL, int(AT.timestamp() * 1000))
    assert (accepted.amount, accepted.status) == (Decimal(10), RefundStatus.ACCEPTED)
    assert (refused.amount, refused.status) == (PRICE, RefundStatus.REFUSED)
    assert (accepted.goodwill, refused.goodwill) == (True, True)
    assert (payment.known.goodwill, payment.known.refundable) == (Decimal(10), PRICE - 10)
    assert decode_payment(encode_payment(payment.known)) == payment.known


def test_an_order_with_tickets_comes_to_what_the_ledger_gave_back_by_its_request() -> None:
    payment = Payment(*CAPTURED, refund_order(None))
    assert payment.known.refunds[0].status is RefundStatus.ORDERED
    of_the_buyer = event(K.REDUCED, amount=PRICE - 5, ledger_offset=10, request=PURCHASE)
    assert payment.tell(of_the_buyer) == ["refund"]
    assert payment.known.refunds[0].status is RefundStatus.ORDERED
    of_the_order = event(K.ENDED, amount=ZERO, ledger_offset=11, request=payment.known.refunds[0].id)
    assert payment.tell(of_the_order) == ["refund"]
    assert (payment.known.refunds[0].status, payment.known.refunds[0].amount) == (RefundStatus.ACCEPTED, PRICE - 5)
    assert (payment.known.refunds[0].goodwill, payment.known.goodwill) == (False, ZERO)


def test_an_order_whose_tickets_the_ledger_keeps_is_refused_with_its_reason_until_it_gives_them_back() -> None:
    payment = Payment(*CAPTURED, refund_order(None))
    order = payment.known.refunds[0].id
    kept: dict[str, Any] = {"ledger_offset": 10, "amount": ZERO, "reason": "nothing-to-cancel"}
    assert payment.tell(event(K.RETURN_REFUSED, **kept, request=PURCHASE)) == []
    assert payment.known.refunds[0].status is RefundStatus.ORDERED
    assert payment.tell(event(K.RETURN_REFUSED, **kept | {"ledger_offset": 11}, request=order)) == []
    refused = payment.known.refunds[0]
    assert (refused.status, refused.refusal, payment.state) == (RefundStatus.REFUSED, "nothing-to-cancel", "captured")
    assert payment.tell(event(K.REDUCED, amount=PRICE - 5, ledger_offset=12, request=order)) == ["refund"]
    given = payment.known.refunds[0]
    assert (given.status, given.refusal, given.amount) == (RefundStatus.ACCEPTED, "", Decimal(5))
    payment.tell(event(K.RETURN_REFUSED, **kept | {"ledger_offset": 13}, request=order))
    payment.tell(event(K.REDUCED, amount=PRICE - 9, ledger_offset=14, request=order))
    assert payment.known.refunds == (given,)


def test_a_refused_order_for_an_amount_stays_refused_whatever_the_ledger_gives_back() -> None:
    payment = Payment(*CAPTURED, refund_order(PRICE + 1))
    payment.tell(event(K.REDUCED, amount=PRICE - 5, ledger_offset=10, request=payment.known.refunds[0].id))
    refused = payment.known.refunds[0]
    assert (refused.status, refused.refusal, refused.amount) == (RefundStatus.REFUSED, TOO_LARGE, PRICE + 1)


def test_goodwill_goes_back_in_full_though_less_was_captured_than_the_tickets_are_worth() -> None:
    payment = Payment(*CAPTURING, event(K.CAPTURED, reference=REFERENCE, amount=PRICE - 9))
    assert payment.tell(refund_order(Decimal(5))) == ["refund"]
    assert (payment.task().amount, payment.known.refundable) == (Decimal(5), PRICE - 14)


def test_a_payment_has_so_many_orders_and_no_more() -> None:
    payment = Payment(*CAPTURED)
    for number in range(ORDERS_MAX + 1):
        payment.tell(refund_order(Decimal("0.01"), request=UUID(int=number)))
    assert (len(payment.known.refunds), payment.known.goodwill) == (ORDERS_MAX, Decimal("0.01") * ORDERS_MAX)


@pytest.mark.parametrize(
    ("odd", "said"),
    [
        (refund_order(PRICE, currency="USD"), "amount"),
        (refund_order(ZERO), "amount"),
        (refund_order(PRICE, account=None), "account"),
        (refund_order(PRICE, request=None), "request"),
    ],
)
def test_an_order_that_nobody_can_carry_out_is_refused_by_its_field(odd: PaymentEvent, said: str) -> None:
    with pytest.raises(MalformedRecord, match=said):
        Payment(*CAPTURED).tell(odd)
