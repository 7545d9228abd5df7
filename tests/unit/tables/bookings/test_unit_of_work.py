"""Bookings cause each mail once; after a crash at any write nothing is lost, and at most one page is repeated."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from tables.bookings.records import REMINDERS_PREFIX, booking_key, booking_offset, decode_reminder, index_change
from tables.bookings.unit_of_work import BookingsUnitOfWork
from tables.messages.mail_jobs import Job
from tables.messages.mail_kinds import MailKind
from tables.messages.mail_requests import PaymentNews, Resend
from tables.messages.outcomes import EventFacts, MoneyAmount, Outcome, OutcomeKind
from tables.messages.payment_modes import PaymentMode
from tables.messages.statuses import EventStatus
from tests.unit.tables.ledger_driver import (
    ADA,
    BOB,
    EVENT,
    FLOOR,
    NOW,
    LedgerDriver,
    definition,
    moment,
    purchase_id,
    ticket_type,
)

HOLD_MS = 600_000


class Table:
    """The table ``bookings`` with its index, as a dictionary."""

    def __init__(self) -> None:
        self.records: dict[bytes, bytes] = {}
        self.entries: set[bytes] = set()

    def unit_of_work(self) -> BookingsUnitOfWork:
        return BookingsUnitOfWork(self.records.get, self._scan)

    def store(self, records: dict[bytes, bytes]) -> None:
        for key, value in records.items():
            gone, come = index_change(key, value)
            self.entries -= set(gone)
            self.entries |= {come} if come else set()
            self.records[key] = value

    def _scan(self, prefix: bytes, after: bytes) -> Iterator[tuple[bytes, bytes]]:
        yield from sorted(pair for pair in self.records.items() if pair[0].startswith(prefix) and pair[0] > after)


class Notifier:
    """Processes outcomes like the agent, with pages of ``most`` purchases."""

    def __init__(self, most: int = 500) -> None:
        self.table = Table()
        self.most = most

    def tell(self, *outcomes: Outcome | None) -> list[Job]:
        """The mails that a batch of outcomes causes."""
        unit = self.table.unit_of_work()
        sent: list[Job] = []
        for outcome in outcomes:
            assert outcome is not None
            job = unit.apply(outcome)
            sent += [job] if job else []
            if outcome.kind is OutcomeKind.CHANGED:
                self.table.store(unit.take_records())
                while (page := unit.announce(outcome.event, self.most)) is not None:
                    sent += page
                    self.table.store(unit.take_records())
        self.table.store(unit.take_records())
        return sent

    def reminder(self, now: int) -> list[Job]:
        unit = self.table.unit_of_work()
        due = [entry for entry in sorted(self.table.entries) if decode_reminder(entry)[0] <= now]
        sent = [job for job in (unit.reminder(entry, now) for entry in due) if job]
        self.table.store(unit.take_records())
        return sent


@pytest.fixture
def driver() -> LedgerDriver:
    return LedgerDriver(batch=1)


@pytest.fixture
def notifier(driver: LedgerDriver) -> Notifier:
    notifier = Notifier()
    assert notifier.tell(driver.define(ticket_type(quantity=100))) == []
    return notifier


def moved(driver: LedgerDriver, version: int = 2, **changes: Any) -> Outcome | None:
    return driver.define(ticket_type(quantity=100), version=version, **{"venue": "Fenice"} | changes)


def told(jobs: list[Job]) -> list[tuple[MailKind, UUID]]:
    return sorted((job.kind, job.purchase) for job in jobs)


def test_an_outcome_asks_for_its_mail_once_however_often_it_comes(driver: LedgerDriver, notifier: Notifier) -> None:
    bought = driver.buy(1)
    assert told(notifier.tell(bought, bought)) == [(MailKind.CONFIRMED, purchase_id(1))]


def test_a_known_outcome_is_given_out_again_as_a_record(driver: LedgerDriver, notifier: Notifier) -> None:
    bought = driver.buy(1)
    notifier.tell(bought)
    unit = notifier.table.unit_of_work()
    assert unit.apply(bought) is None
    assert list(unit.take_records()) == [key for key in notifier.table.records if key[16:17] == b"p"]


def test_an_older_outcome_that_comes_late_changes_nothing(driver: LedgerDriver, notifier: Notifier) -> None:
    held, confirmed = driver.hold(1), driver.confirm(1)
    notifier.tell(held, confirmed)
    before = dict(notifier.table.records)
    assert notifier.tell(held) == []
    assert notifier.table.records == before


def test_a_change_is_told_to_everybody_with_tickets_and_to_nobody_else(
    driver: LedgerDriver, notifier: Notifier
) -> None:
    outcomes = [
        driver.buy(1),
        driver.hold(2, account=BOB),
        driver.buy(3),
        driver.cancel(3),
        driver.hold(4),
        driver.expire(4),
    ]
    driver.at = NOW + HOLD_MS
    refused, rejected = driver.expire(1), driver.buy(5, [(FLOOR, 1_000)])
    notifier.tell(*outcomes[:5], driver.expire(4), refused, rejected)
    assert booking_key(EVENT, purchase_id(5)) not in notifier.table.records
    told_of = notifier.tell(moved(driver))
    changed = MailKind.EVENT_CHANGED
    assert told(told_of) == [(changed, purchase_id(1)), (changed, purchase_id(2))]
    first = told_of[0]
    assert first.before is not None
    assert (first.before.venue, first.facts.venue, first.facts.version) == ("La Scala", "Fenice", 2)
    assert first.at == moment(NOW + HOLD_MS)
    assert first.lines[0].codes


def test_who_bought_after_a_change_is_not_told_it(driver: LedgerDriver, notifier: Notifier) -> None:
    notifier.tell(driver.buy(1))
    [(note, before)] = [record for record in notifier.table.records.items() if record[0][16:17] == b"e"]
    change, late = moved(driver), driver.buy(2)
    assert told(notifier.tell(change, late)) == [
        (MailKind.CONFIRMED, purchase_id(2)),
        (MailKind.EVENT_CHANGED, purchase_id(1)),
    ]
    # A replay from before the change meets the late one's booking, and still does not tell it.
    notifier.table.records[note] = before
    assert told(notifier.tell(change)) == [(MailKind.EVENT_CHANGED, purchase_id(1))]


@pytest.mark.parametrize("cut", range(8))
def test_a_crash_in_the_middle_of_telling_a_change_loses_nobody_and_repeats_a_page_at_most(
    driver: LedgerDriver, cut: int
) -> None:
    notifier = Notifier(most=3)
    buyers = range(1, 15)
    notifier.tell(driver.define(ticket_type(quantity=100)), *(driver.buy(number) for number in buyers))
    change = moved(driver)
    assert change is not None

    unit = notifier.table.unit_of_work()
    sent: list[Job] = []
    unit.apply(change)
    notifier.table.store(unit.take_records())
    for _ in range(cut):
        page = unit.announce(EVENT, 3)
        if page is None:
            break
        sent += page
        if len(sent) < cut * 3:  # the last page's cursor is lost
            notifier.table.store(unit.take_records())

    again = notifier.tell(change)
    assert {job.purchase for job in sent + again} == {purchase_id(number) for number in buyers}
    repeated = {job.id for job in sent} & {job.id for job in again}
    assert len(repeated) <= 3
    assert len({job.id for job in sent + again}) == len(buyers)
    assert notifier.tell(change) == []


def test_a_change_told_again_by_the_ledger_is_not_mailed_again(driver: LedgerDriver, notifier: Notifier) -> None:
    notifier.tell(driver.buy(1))
    change = moved(driver)
    assert len(notifier.tell(change)) == 1
    assert notifier.tell(change) == []


def test_what_somebody_has_left_is_what_a_change_speaks_of(driver: LedgerDriver, notifier: Notifier) -> None:
    notifier.tell(driver.buy(1, [(FLOOR, 3)]), driver.cancel(1, [(FLOOR, 1)]))
    [job] = notifier.tell(moved(driver))
    assert (job.lines[0].quantity, len(job.lines[0].codes), job.returned) == (2, 2, 1)
    assert job.total is not None
    assert str(job.total.amount) == "99.80"


def test_a_cancelled_event_is_told_with_each_refund(driver: LedgerDriver, notifier: Notifier) -> None:
    notifier.tell(driver.buy(1), driver.hold(2))
    changed = moved(driver, status=EventStatus.CANCELED)
    ended = [outcome for command in driver.following for outcome in driver.send_all(command)]
    jobs = notifier.tell(changed, *ended)
    assert told(jobs) == [(MailKind.EVENT_CANCELED, purchase_id(1)), (MailKind.EVENT_CANCELED, purchase_id(2))]
    assert notifier.tell(moved(driver, version=3, venue="Elsewhere", status=EventStatus.CANCELED)) == []


def test_a_hold_is_reminded_of_once_two_minutes_before_its_end(driver: LedgerDriver, notifier: Notifier) -> None:
    notifier.tell(driver.hold(1))
    due = NOW + HOLD_MS - 120_000
    assert notifier.reminder(due - 1) == []
    [job] = notifier.reminder(due)
    assert (job.kind, job.account, job.deadline) == (MailKind.HOLD_ENDING, ADA, moment(NOW + HOLD_MS))
    assert job.at == moment(due)
    notifier.tell(driver.extend(1))
    assert notifier.reminder(due + 1) == []
    assert not notifier.table.entries


def test_a_short_hold_is_reminded_of_at_four_fifths_and_a_very_short_one_not_at_all(
    driver: LedgerDriver, notifier: Notifier
) -> None:
    notifier.tell(driver.hold(1, seconds=10), driver.hold(2, seconds=4))
    assert notifier.reminder(NOW + 3_900) == []
    assert told(notifier.reminder(NOW + 8_000)) == [(MailKind.HOLD_ENDING, purchase_id(1))]


@pytest.mark.parametrize("end", ["confirm", "cancel"])
def test_a_hold_that_was_confirmed_or_given_back_is_not_reminded_of(
    driver: LedgerDriver, notifier: Notifier, end: str
) -> None:
    notifier.tell(driver.hold(1), getattr(driver, end)(1))
    assert not notifier.table.entries
    assert notifier.reminder(NOW + HOLD_MS) == []


def test_a_reminder_that_is_lost_before_it_was_noted_comes_again_as_the_same(
    driver: LedgerDriver, notifier: Notifier
) -> None:
    notifier.tell(driver.hold(1))
    [entry] = notifier.table.entries
    lost = notifier.table.unit_of_work().reminder(entry, NOW + HOLD_MS - 1)
    assert [lost] == notifier.reminder(NOW + HOLD_MS - 1)


def test_a_reminder_that_is_late_is_left_out(driver: LedgerDriver, notifier: Notifier) -> None:
    notifier.tell(driver.hold(1))
    assert notifier.reminder(NOW + HOLD_MS) == []
    assert not notifier.table.entries


def test_a_mail_is_sent_again_as_the_purchase_stands(driver: LedgerDriver, notifier: Notifier) -> None:
    notifier.tell(driver.hold(1, [(FLOOR, 2)]))
    resend = Resend(UUID(int=5), EVENT, purchase_id(1), moment(NOW + 1))
    held = notifier.table.unit_of_work().resend(resend)
    assert held is not None
    assert held.kind is MailKind.HELD
    notifier.tell(driver.confirm(1), moved(driver))
    job = notifier.table.unit_of_work().resend(resend)
    assert job is not None
    assert (job.id, job.kind, job.at, job.facts.venue) == (resend.id, MailKind.CONFIRMED, resend.at, "Fenice")
    assert len(job.lines[0].codes) == 2


def test_mails_about_a_postponed_event_know_when_it_was_planned(driver: LedgerDriver, notifier: Notifier) -> None:
    notifier.tell(driver.buy(1, [(FLOOR, 2)]))
    planned = driver.buy(2).facts
    assert planned is not None
    resend = Resend(UUID(int=5), EVENT, purchase_id(1), moment(NOW + 1))

    def former() -> EventFacts | None:
        job = notifier.table.unit_of_work().resend(resend)
        assert job is not None
        return job.before

    assert former() is None
    notifier.tell(moved(driver, 2, status=EventStatus.POSTPONED))
    later = planned.starts_at + timedelta(days=30)
    times = {"starts_at": later, "ends_at": later + timedelta(hours=2)}
    for version, status in ((3, EventStatus.POSTPONED), (4, EventStatus.ACTIVE)):
        notifier.tell(moved(driver, version, status=status, **times))
        assert former() == planned
    part = driver.cancel(1, [(FLOOR, 1)], request=UUID(int=9))
    [cancelled] = notifier.tell(part, part)
    assert (cancelled.kind, cancelled.before) == (MailKind.CANCELLED, planned)
    notifier.tell(moved(driver, 5, starts_at=planned.starts_at))
    assert former() is None


def test_a_mail_about_a_payment_is_sent_also_where_no_tickets_are_left(
    driver: LedgerDriver, notifier: Notifier
) -> None:
    notifier.tell(driver.buy(1), driver.cancel(1))
    news = PaymentNews(MailKind.PAID_BACK, MoneyAmount(Decimal("49.90"), "EUR"), "pay-1")
    resend = Resend(UUID(int=5), EVENT, purchase_id(1), moment(NOW + 1), news)
    job = notifier.table.unit_of_work().resend(resend)
    assert job is not None
    assert (job.id, job.kind, job.payment, job.payment_reference) == (resend.id, news.kind, news.amount, "pay-1")
    assert job.at == resend.at
    assert [line.quantity for line in job.lines] == [1]


@pytest.mark.parametrize("kind", [MailKind.PAID, MailKind.PAYMENT_DECLINED, MailKind.PAID_BACK])
def test_a_mail_about_a_payment_says_the_same_whatever_becomes_of_the_tickets(
    driver: LedgerDriver, notifier: Notifier, kind: MailKind
) -> None:
    due = MoneyAmount(Decimal("149.70"), "EUR")
    news = PaymentNews(kind, due, "pay-1", moment(NOW + HOLD_MS))
    resend = Resend(UUID(int=5), EVENT, purchase_id(1), moment(NOW + 1), news)

    def mail() -> Job | None:
        return notifier.table.unit_of_work().resend(resend)

    notifier.tell(driver.hold(1, [(FLOOR, 3)]))
    held = mail()
    assert held is not None
    assert (held.total, held.deadline, [line.quantity for line in held.lines]) == (due, news.deadline, [3])
    notifier.tell(driver.confirm(1))
    confirmed = mail()
    assert confirmed is not None
    for cancelled in ([(FLOOR, 1)], [(FLOOR, 2)]):
        notifier.tell(driver.cancel(1, cancelled, request=UUID(int=len(cancelled) + cancelled[0][1])))
        later = mail()
        assert later is not None
        assert (later.lines, later.total, later.deadline) == (confirmed.lines, due, news.deadline)


def test_tickets_given_back_from_a_hold_are_in_no_mail_about_its_payment(
    driver: LedgerDriver, notifier: Notifier
) -> None:
    notifier.tell(driver.hold(1, [(FLOOR, 3)]))
    due = MoneyAmount(Decimal("99.80"), "EUR")
    changes = (
        (MailKind.PAYMENT_DECLINED, driver.cancel(1, [(FLOOR, 1)], request=UUID(int=9))),
        (MailKind.PAID, driver.confirm(1)),
    )
    for kind, outcome in changes:
        notifier.tell(outcome)
        resend = Resend(UUID(int=5), EVENT, purchase_id(1), moment(NOW + 1), PaymentNews(kind, due, "pay-1"))
        job = notifier.table.unit_of_work().resend(resend)
        assert job is not None
        assert (job.total, [line.quantity for line in job.lines]) == (due, [2])


def test_a_declined_payment_of_an_ended_hold_is_not_told_without_its_deadline(
    driver: LedgerDriver, notifier: Notifier
) -> None:
    notifier.tell(driver.hold(1), driver.cancel(1))
    news = PaymentNews(MailKind.PAYMENT_DECLINED, MoneyAmount(Decimal("49.90"), "EUR"))
    assert notifier.table.unit_of_work().resend(Resend(UUID(int=5), EVENT, purchase_id(1), moment(NOW), news)) is None


def test_a_mail_about_a_payment_may_be_for_the_organizer(driver: LedgerDriver, notifier: Notifier) -> None:
    notifier.tell(driver.buy(1))
    news = PaymentNews(MailKind.DISPUTED, MoneyAmount(Decimal("49.90"), "EUR"), "pay-1")
    job = notifier.table.unit_of_work().resend(Resend(UUID(int=5), EVENT, purchase_id(1), moment(NOW), news, BOB))
    assert job is not None
    assert (job.account, job.kind, job.lines[0].quantity) == (BOB, MailKind.DISPUTED, 1)


def test_the_mails_of_a_hold_that_must_be_paid_name_the_amount(driver: LedgerDriver, notifier: Notifier) -> None:
    driver.define(ticket_type(FLOOR, 300), version=2, payment=PaymentMode.ONLINE)
    due = MoneyAmount(Decimal("99.80"), "EUR")
    [held] = notifier.tell(driver.hold(1, [(FLOOR, 2)]))
    assert (held.kind, held.payment) == (MailKind.HELD, due)
    [reminder] = notifier.reminder(NOW + HOLD_MS - 1)
    assert (reminder.kind, reminder.payment) == (MailKind.HOLD_ENDING, due)
    [confirmed] = notifier.tell(driver.confirm(1, payment="pay-1"))
    assert (confirmed.kind, confirmed.payment) == (MailKind.CONFIRMED, None)


def test_nothing_is_sent_again_of_what_ended_or_is_unknown(driver: LedgerDriver, notifier: Notifier) -> None:
    notifier.tell(driver.buy(1), driver.cancel(1))
    unit = notifier.table.unit_of_work()
    assert unit.resend(Resend(UUID(int=5), EVENT, purchase_id(1), moment(0))) is None
    assert unit.resend(Resend(UUID(int=5), EVENT, purchase_id(2), moment(0))) is None


def test_an_event_is_known_from_its_purchases_where_its_definition_never_came(driver: LedgerDriver) -> None:
    notifier = Notifier()
    driver.define(ticket_type())
    notifier.tell(driver.hold(1))
    assert len(notifier.reminder(NOW + HOLD_MS - 1)) == 1
    later = definition(ticket_type()).starts_at + timedelta(days=1)
    assert len(notifier.tell(driver.define(ticket_type(), version=2, starts_at=later, ends_at=later))) == 1


def test_the_index_never_mixes_with_records(driver: LedgerDriver, notifier: Notifier) -> None:
    notifier.tell(driver.hold(1))
    assert all(entry.startswith(REMINDERS_PREFIX) for entry in notifier.table.entries)
    assert {booking_offset(value) for value in notifier.table.records.values()} == {0, 1}


def test_a_hold_that_is_lengthened_has_no_second_mail_and_is_held_until_its_later_deadline(
    driver: LedgerDriver, notifier: Notifier
) -> None:
    assert told(notifier.tell(driver.hold(1, seconds=600))) == [(MailKind.HELD, purchase_id(1))]
    assert notifier.tell(driver.extend(1, 900)) == []
    [reminder] = notifier.reminder(NOW + HOLD_MS)
    assert reminder.deadline == moment(NOW + HOLD_MS + 900_000)
