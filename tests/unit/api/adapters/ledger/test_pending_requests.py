"""Which outcome answers which request."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

from api.adapters.ledger.pending_requests import PendingRequest, PendingRequests, answers_to, any_decision
from api.ports.ledger import BuyersCommand
from tables.errors import MalformedRecord
from tables.messages.commands import Buy, Cancel, Confirm, Hold, TicketLine, buyer_fingerprint
from tables.messages.outcomes import Outcome, OutcomeKind, encode_outcome
from tables.messages.reasons import Reason
from tests.unit.api.fakes.ledger import outcome

TYPE = uuid4()


def purchase(*, event: UUID | None = None, purchase_id: UUID | None = None, quantity: int = 1) -> Buy:
    return Buy(event or uuid4(), purchase_id or uuid4(), uuid4(), [TicketLine(TYPE, quantity)])


def test_a_waiting_purchase_takes_only_its_own_answer() -> None:
    command = purchase()
    request = PendingRequest(command.event, command.purchase, answers_to(command), 5)
    pending = PendingRequests()
    with pending.waiting(request):
        for told in (
            outcome(command, OutcomeKind.CANCELLED),
            outcome(command, OutcomeKind.CONFIRMED, fingerprint="of another body"),
            outcome(command, OutcomeKind.REFUSED, reason=Reason.ID_REUSED, fingerprint="of another body"),
            outcome(command, OutcomeKind.REFUSED, reason=Reason.NOT_HELD),
            outcome(purchase(event=command.event), OutcomeKind.CONFIRMED),
            outcome(command, OutcomeKind.CONFIRMED, event=uuid4()),
            outcome(command, OutcomeKind.CHANGED, purchase=None),
        ):
            pending.read(None, encode_outcome(told))
            assert request.outcome is None
        refused = outcome(command, OutcomeKind.REFUSED, reason=Reason.ID_REUSED)
        pending.read(None, encode_outcome(refused))
    assert request.outcome == refused


def test_a_hold_that_is_sent_again_is_not_answered_by_its_confirmation() -> None:
    command = purchase()
    hold = Hold(command.event, command.purchase, command.account, command.lines)
    request = PendingRequest(hold.event, hold.purchase, answers_to(hold), 5)
    pending = PendingRequests()
    own = buyer_fingerprint(hold)
    with pending.waiting(request):
        pending.read(None, encode_outcome(outcome(command, OutcomeKind.CONFIRMED, fingerprint=own)))
        assert request.outcome is None
        pending.read(None, encode_outcome(outcome(command, OutcomeKind.HELD, fingerprint=own)))
    assert request.outcome is not None


def test_what_must_be_paid_and_is_bought_again_is_not_answered_by_its_confirmation() -> None:
    command = purchase()
    request = PendingRequest(command.event, command.purchase, answers_to(command), 5)
    request.offer(outcome(command, OutcomeKind.CONFIRMED, request=uuid4()))
    assert request.outcome is None
    request.offer(outcome(command, OutcomeKind.HELD))
    assert request.outcome is not None


def test_what_must_be_paid_and_is_bought_again_is_not_answered_by_the_lengthening_of_its_hold() -> None:
    command = purchase()
    lengthened = outcome(command, OutcomeKind.HELD, extended=True)
    first = outcome(command, OutcomeKind.HELD, repeated=True)
    assert first_answer(command, lengthened, first) == first


@pytest.mark.parametrize("seconds", [300, 600])
def test_a_hold_by_default_is_answered_by_the_outcome_of_any_default_and_of_a_version_that_knew_none(
    seconds: int,
) -> None:
    command = purchase()
    bought = (command.event, command.purchase, command.account, command.lines)
    hold = Hold(*bought, seconds, by_default=True)
    others = [Hold(*bought, 900 - seconds, by_default=True), Hold(*bought, seconds)]
    for own in map(buyer_fingerprint, others):
        request = PendingRequest(hold.event, hold.purchase, answers_to(hold), 5)
        request.offer(outcome(command, OutcomeKind.HELD, fingerprint=own))
        assert request.outcome is not None
    request = PendingRequest(hold.event, hold.purchase, answers_to(hold), 5)
    request.offer(outcome(command, OutcomeKind.HELD, fingerprint=buyer_fingerprint(Hold(*bought, 900 - seconds))))
    assert request.outcome is None


@pytest.mark.parametrize("kind", [OutcomeKind.CONFIRMED, OutcomeKind.HELD, OutcomeKind.REJECTED])
def test_a_purchase_is_answered_by_its_tickets_by_a_hold_that_must_be_paid_or_by_a_refusal(kind: OutcomeKind) -> None:
    command = purchase()
    assert first_answer(command, outcome(command, OutcomeKind.CANCELLED), outcome(command, kind)) == outcome(
        command, kind
    )


@pytest.mark.parametrize("change", [Confirm, Cancel])
def test_a_change_is_answered_by_its_own_outcome_alone(change: Any) -> None:
    bought = purchase()
    command = change(bought.event, bought.purchase, bought.account, request=uuid4())
    request = PendingRequest(command.event, command.purchase, answers_to(command), 5)
    pending = PendingRequests()
    with pending.waiting(request):
        for told in (
            outcome(bought, OutcomeKind.REFUSED, reason=Reason.NOT_HELD),
            outcome(bought, OutcomeKind.REFUSED, reason=Reason.NOT_YOURS, request=uuid4()),
            outcome(bought, OutcomeKind.CONFIRMED),
        ):
            pending.read(None, encode_outcome(told))
            assert request.outcome is None
        pending.read(None, encode_outcome(outcome(bought, OutcomeKind.CONFIRMED, request=command.request)))
    assert request.outcome is not None


def test_records_that_nobody_waits_for_are_not_even_read() -> None:
    pending = PendingRequests()
    command = purchase()
    record = b'{"kind":"confirmed","purchase":"' + str(command.purchase).encode() + b'"'
    for value in (record, b"{", b"", None):
        pending.read(None, value)
    watching = PendingRequest(command.event, command.purchase, any_decision, 5)
    with pending.waiting(watching), pytest.raises(MalformedRecord):
        pending.read(None, record)


def test_all_who_watch_one_purchase_are_told() -> None:
    command = purchase()
    pending = PendingRequests()
    one, two = (PendingRequest(command.event, command.purchase, any_decision, 5) for _ in range(2))
    with pending.waiting(one), pending.waiting(two):
        told = outcome(command, OutcomeKind.EXPIRED)
        pending.read(None, encode_outcome(told))
    assert (one.outcome, two.outcome, len(pending)) == (told, told, 0)


@pytest.mark.parametrize("change", [Confirm, Cancel])
def test_who_asks_for_anothers_purchase_under_the_same_key_is_not_told_of_it(change: Any) -> None:
    bought = purchase()
    ids, request = (bought.event, bought.purchase), uuid4()
    owner, stranger = (change(*ids, account, request=request) for account in (bought.account, uuid4()))
    # The ledger tells whose purchase it is in both.
    done = outcome(owner, OutcomeKind.CONFIRMED, request=request)
    refused = outcome(owner, OutcomeKind.REFUSED, reason=Reason.NOT_YOURS, request=request)
    unknown = outcome(owner, OutcomeKind.REFUSED, reason=Reason.UNKNOWN_PURCHASE, request=request, account=None)
    assert first_answer(owner, refused, done) == done
    assert first_answer(stranger, done, refused) == refused
    assert first_answer(owner, unknown) == first_answer(stranger, unknown) == unknown


@pytest.mark.parametrize("reason", [Reason.UNKNOWN_PURCHASE, Reason.PAYMENT_REQUIRED])
@pytest.mark.parametrize("offset", [3, None], ids=["acknowledged", "not yet acknowledged"])
def test_a_refusal_of_an_earlier_try_that_is_not_recorded_is_no_answer(reason: Reason, offset: int | None) -> None:
    bought = purchase()
    command = Confirm(bought.event, bought.purchase, bought.account, request=uuid4())
    request = PendingRequest(command.event, command.purchase, answers_to(command), 5)
    told = {"reason": reason, "request": command.request, "account": None}
    if offset is not None:
        request.acknowledge(offset)
    request.offer(outcome(bought, OutcomeKind.REFUSED, offset=2, **told))
    request.acknowledge(3)
    assert request.outcome is None
    done = outcome(bought, OutcomeKind.CONFIRMED, request=command.request)
    request.offer(done)
    assert request.outcome == done


@pytest.mark.parametrize("told_at", [3, 4])
def test_that_the_purchase_is_unknown_is_an_answer_also_before_the_acknowledgement(told_at: int) -> None:
    bought = purchase()
    command = Confirm(bought.event, bought.purchase, bought.account, request=uuid4())
    request = PendingRequest(command.event, command.purchase, answers_to(command), 5)
    unknown = outcome(
        bought,
        OutcomeKind.REFUSED,
        reason=Reason.UNKNOWN_PURCHASE,
        request=command.request,
        account=None,
        offset=told_at,
    )
    request.offer(unknown)
    request.acknowledge(3)
    assert request.outcome == unknown


COMMAND = purchase()


@pytest.mark.parametrize(
    ("happens", "is_over"),
    [
        (lambda request: request.offer(outcome(COMMAND, OutcomeKind.CONFIRMED)), True),
        (lambda request: request.fail(TimeoutError()), True),
        (lambda request: request.acknowledge(7), False),
    ],
    ids=["outcome", "failure", "acknowledgement"],
)
def test_who_waits_is_woken_at_once(happens: Callable[[PendingRequest], None], is_over: bool) -> None:
    async def wake() -> None:
        request = PendingRequest(COMMAND.event, COMMAND.purchase, answers_to(COMMAND), 60)
        over, taken = asyncio.create_task(request.wait()), asyncio.create_task(request.wait_for_acknowledgement(60))
        await asyncio.sleep(0)
        happens(request)
        for _ in range(3):
            await asyncio.sleep(0)
        assert (over.done(), taken.done()) == (is_over, True)
        over.cancel()

    asyncio.run(wake())


def first_answer(command: BuyersCommand, *told: Outcome) -> Outcome | None:
    """Which of these outcomes a request takes as its own."""
    request = PendingRequest(command.event, command.purchase, answers_to(command), 5)
    request.acknowledge(0)
    for each in told:
        request.offer(each)
    return request.outcome
