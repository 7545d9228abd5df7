"""Which outcomes cause mails, and that a repeated outcome gives the same job id."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

import pytest
from msgspec.structs import replace

from tables.errors import MalformedRecord
from tables.messages.mail_jobs import Job, decode_job, encode_job, job_for
from tables.messages.mail_kinds import MailKind
from tables.messages.outcomes import MoneyAmount, Outcome, OutcomeKind, OutcomeLine
from tables.messages.payment_modes import PaymentMode
from tables.messages.payment_requests import cancel_request
from tables.messages.reasons import Reason
from tests.unit.tables.ledger_driver import (
    ADA,
    BOB,
    EVENT,
    FACTS,
    FLOOR,
    OTHER_EVENT,
    LedgerDriver,
    moment,
    purchase_id,
    ticket_type,
)
from tests.unit.tables.ledger_worker import LedgerWorker
from tests.unit.tables.random_logs import random_log

NEWS = Outcome(
    kind=OutcomeKind.CONFIRMED,
    event=EVENT,
    offset=7,
    at=moment(0),
    purchase=purchase_id(1),
    account=ADA,
    total=MoneyAmount(Decimal(10), "EUR"),
    facts=FACTS,
    as_of=7,
)


def id_of(outcome: Outcome) -> UUID:
    job = job_for(outcome)
    assert job is not None
    return job.id


def test_every_job_is_read_back_as_it_was_written() -> None:
    outcomes = [each for told in LedgerWorker().run(random_log(0, 300), 10).outcomes.values() for each in told]
    jobs = [job for job in map(job_for, outcomes) if job]
    assert len({job.kind for job in jobs}) == 6
    assert [decode_job(encode_job(job)) for job in jobs] == jobs


def test_tickets_that_are_taken_back_because_their_payment_failed_are_told_as_that_alone(driver: LedgerDriver) -> None:
    driver.define(ticket_type(), payment=PaymentMode.ONLINE)
    driver.buy(1)
    driver.confirm(1, payment="pi_1")
    job = job_for(driver.cancel(1, request=cancel_request(purchase_id(1))))
    assert job is not None
    assert (job.kind, job.payment, job.left) == (MailKind.PAYMENT_FAILED, job.total, ())
    assert job.total is not None
    assert job.lines[0].codes


def test_a_job_says_who_is_told_what(driver: LedgerDriver) -> None:
    driver.define(ticket_type())
    held = driver.hold(1)
    outcome = replace(held, left=held.lines, returned=1, payment=MoneyAmount(Decimal(0), "EUR"))
    assert job_for(outcome) == Job(
        id=id_of(outcome),
        kind=MailKind.HELD,
        account=ADA,
        event=EVENT,
        purchase=purchase_id(1),
        at=outcome.at,
        facts=FACTS,
        lines=outcome.lines,
        left=outcome.lines,
        returned=1,
        total=outcome.total,
        deadline=outcome.deadline,
    )


@pytest.mark.parametrize("kind", OutcomeKind)
def test_only_what_happened_to_a_purchase_is_mailed(kind: OutcomeKind) -> None:
    unmailed = {OutcomeKind.REJECTED, OutcomeKind.REFUSED, OutcomeKind.CHANGED}
    for request in (None, cancel_request(purchase_id(1))):
        assert (job_for(replace(NEWS, kind=kind, request=request)) is None) == (kind in unmailed)


@pytest.mark.parametrize("kind", [OutcomeKind.EXPIRED, OutcomeKind.REFUNDED])
def test_what_a_cancelled_event_ends_is_told_as_that(kind: OutcomeKind) -> None:
    job = job_for(replace(NEWS, kind=kind, reason=Reason.EVENT_CANCELED))
    assert job is not None
    assert job.kind is MailKind.EVENT_CANCELED


@pytest.mark.parametrize("lacking", ["facts", "total"])
def test_an_outcome_that_lacks_what_a_mail_says_is_malformed(lacking: str) -> None:
    with pytest.raises(MalformedRecord):
        job_for(replace(NEWS, **{lacking: None}))


def test_nobody_is_mailed_without_an_account() -> None:
    assert job_for(replace(NEWS, account=None)) is None


def test_an_answer_given_again_is_not_mailed_again(driver: LedgerDriver) -> None:
    driver.define(ticket_type())
    assert [job_for(driver.buy(1)) is None for _ in range(3)] == [False, True, True]


def test_the_same_news_has_the_same_id_however_fresh_its_balance() -> None:
    assert id_of(replace(NEWS, as_of=99, facts=replace(FACTS, version=9))) == id_of(NEWS)


def test_an_id_is_made_of_nothing_but_the_decision_and_the_account() -> None:
    name = f"{EVENT}/{purchase_id(1)}/7/confirmed/{ADA}"
    assert id_of(NEWS) == uuid5(UUID("5b1f0c1e-6f0f-5c0e-9d57-7e1b6f3a9c21"), name)


@pytest.mark.parametrize(
    "wrong",
    [
        {"at": datetime(2030, 1, 1)},  # noqa: DTZ001
        {"deadline": datetime.min},  # noqa: DTZ901
        {"lines": (OutcomeLine(FLOOR, "x", 1, Decimal("1E-999999999")),)},
        {"left": (OutcomeLine(FLOOR, "x", 1, Decimal("NaN")),)},
        {"total": MoneyAmount(Decimal("1E-999999999"), "EUR")},
        {"payment": MoneyAmount(Decimal("1E+999999999"), "EUR")},
    ],
    ids=str,
)
def test_a_job_with_what_no_mail_can_show_is_malformed(wrong: dict[str, Any]) -> None:
    job = job_for(NEWS)
    assert job is not None
    with pytest.raises(MalformedRecord):
        decode_job(encode_job(replace(job, **wrong)))


@pytest.mark.parametrize(
    "other",
    [
        {"event": OTHER_EVENT},
        {"purchase": purchase_id(2)},
        {"offset": 8},
        {"kind": OutcomeKind.CANCELLED},
        {"account": BOB},
    ],
    ids=lambda other: next(iter(other)),
)
def test_other_news_has_another_id(other: dict[str, object]) -> None:
    assert id_of(replace(NEWS, **other)) != id_of(NEWS)
