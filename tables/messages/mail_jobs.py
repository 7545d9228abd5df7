"""The records of ``notification-jobs``: one mail to send each, with all that it says but the name and the address."""

from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct

from tables.errors import MalformedRecord
from tables.ids import named
from tables.messages.decoding import read
from tables.messages.mail_kinds import MailKind, mail_of
from tables.messages.outcomes import EventFacts, Money, Outcome, OutcomeLine

NAMESPACE: Final = UUID("5b1f0c1e-6f0f-5c0e-9d57-7e1b6f3a9c21")


class Job(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One mail: ``id`` is the same for the same news to the same account, so a repeat is known as one.

    ``lines`` are the tickets that it speaks of, worth ``total``; ``left`` those that a partial cancellation
    leaves; ``before`` the event as it was before the change that is told.
    """

    id: UUID
    kind: MailKind
    account: UUID
    event: UUID
    purchase: UUID
    at: datetime
    facts: EventFacts
    lines: tuple[OutcomeLine, ...] = ()
    left: tuple[OutcomeLine, ...] = ()
    total: Money | None = None
    deadline: datetime | None = None
    before: EventFacts | None = None


_decoder = msgspec.json.Decoder(Job)
_encoder = msgspec.json.Encoder()


def job_id(event: UUID, purchase: UUID, place: int, kind: MailKind, account: UUID) -> UUID:
    """The id of the news of that kind that the command at ``place`` of the log made."""
    return named(NAMESPACE, f"{event}/{purchase}/{place}/{kind}/{account}")


def job_for(outcome: Outcome) -> Job | None:
    """The mail that an outcome asks for, if any. Raises MalformedRecord where it lacks what the mail must say."""
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
        total=outcome.total,
        deadline=outcome.deadline,
    )


def decode_job(value: bytes | None) -> Job:
    """The job in a record's value. Raises MalformedRecord, which names the wrong field."""
    return read(_decoder, value, MalformedRecord)


def encode_job(job: Job) -> bytes:
    """The record value of a job."""
    return _encoder.encode(job)
