"""The records of ``notification-jobs``: one mail to send each, complete but for the recipient's name and address."""

from collections.abc import Callable
from typing import Final
from uuid import UUID

from msgspec import Struct

from tables.errors import MalformedRecord
from tables.ids import name_based_id
from tables.messages.encoding import encode_json, json_decoder
from tables.messages.field_types import Time
from tables.messages.mail_kinds import MailKind, mail_of
from tables.messages.outcomes import (
    EventFacts,
    MoneyAmount,
    Outcome,
    OutcomeLine,
    check_line,
    check_money,
    check_time,
)

NAMESPACE: Final = UUID("5b1f0c1e-6f0f-5c0e-9d57-7e1b6f3a9c21")


class Job(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One mail. ``id`` is derived from its cause and its account, so a repeat has the same id.

    ``lines`` are the tickets concerned, worth ``total``; ``left`` the ones that remain after a partial cancellation;
    ``payment`` is what a hold costs that must be paid, or what was paid or paid back, with the provider's reference;
    ``returned`` how many sold ones of the purchase were given back until then; ``before`` the event before the
    announced change.
    """

    id: UUID
    kind: MailKind
    account: UUID
    event: UUID
    purchase: UUID
    at: Time
    facts: EventFacts
    lines: tuple[OutcomeLine, ...] = ()
    left: tuple[OutcomeLine, ...] = ()
    returned: int = 0
    total: MoneyAmount | None = None
    deadline: Time | None = None
    before: EventFacts | None = None
    payment: MoneyAmount | None = None
    payment_reference: str = ""

    @property
    def tickets_left(self) -> int:
        """How many tickets the purchase has now, if it has any."""
        return sum(line.quantity for line in self.left or self.lines)


_decode: Final = json_decoder(Job)
encode_job: Final[Callable[[Job], bytes]] = encode_json


def decode_job(value: bytes | None) -> Job:
    """Decode a record's value. Raises MalformedRecord, also for amounts and times that no mail can show."""
    job = _decode(value)
    for line in (*job.lines, *job.left):
        check_line(line)
    for field, money in (("total", job.total), ("payment", job.payment)):
        if money is not None:
            check_money(money, field)
    check_time(job.at, "at")
    if job.deadline is not None:
        check_time(job.deadline, "deadline")
    return job


def job_id(event: UUID, purchase: UUID, offset: int, kind: MailKind, account: UUID) -> UUID:
    """The id of the mail of that kind that the command at ``offset`` caused."""
    return name_based_id(NAMESPACE, f"{event}/{purchase}/{offset}/{kind}/{account}")


def job_for(outcome: Outcome) -> Job | None:
    """The mail that an outcome causes, if any. Raises MalformedRecord if the outcome lacks what the mail shows."""
    kind = mail_of(outcome)
    if kind is None or outcome.account is None or outcome.purchase is None:
        return None
    if outcome.facts is None or outcome.total is None:
        raise MalformedRecord("the outcome has no facts or no total")
    return Job(
        id=job_id(outcome.event, outcome.purchase, outcome.offset, kind, outcome.account),
        kind=kind,
        account=outcome.account,
        event=outcome.event,
        purchase=outcome.purchase,
        at=outcome.at,
        facts=outcome.facts,
        lines=outcome.lines,
        left=outcome.left,
        returned=outcome.returned,
        total=outcome.total,
        deadline=outcome.deadline,
        payment=_payment_of(kind, outcome),
    )


def _payment_of(kind: MailKind, outcome: Outcome) -> MoneyAmount | None:
    """What a hold must be paid, or what could not be charged for the tickets that were taken back."""
    if kind is MailKind.PAYMENT_FAILED:
        return outcome.total
    return outcome.payment if kind is MailKind.HELD and outcome.payment and outcome.payment.amount else None
