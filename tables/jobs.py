"""The records of ``notification-jobs``: one mail to send each, with all that it says but the address."""

from typing import Final
from uuid import UUID, uuid5

import msgspec
from msgspec import Struct

from tables.errors import MalformedRecord
from tables.outcomes import Outcome, OutcomeKind
from tables.reading import read

NAMESPACE: Final = UUID("5b1f0c1e-6f0f-5c0e-9d57-7e1b6f3a9c21")

MAILED: Final = frozenset(
    {
        OutcomeKind.CONFIRMED,
        OutcomeKind.HELD,
        OutcomeKind.CANCELLED,
        OutcomeKind.EXPIRED,
        OutcomeKind.REFUNDED,
    }
)


class Job(Struct, frozen=True, rename="camel"):
    """One mail: ``id`` is the same for the same news to the same account, so a repeat is known as one."""

    id: UUID
    kind: OutcomeKind
    account: UUID
    outcome: Outcome


_decoder = msgspec.json.Decoder(Job)
_encoder = msgspec.json.Encoder()


def job_for(outcome: Outcome) -> Job | None:
    """The mail that an outcome asks for, if any; an answer given again asks for none."""
    if outcome.kind not in MAILED or outcome.account is None or outcome.repeated:
        return None
    name = f"{outcome.event}/{outcome.purchase}/{outcome.offset}/{outcome.kind}/{outcome.account}"
    return Job(uuid5(NAMESPACE, name), outcome.kind, outcome.account, outcome)


def decode_job(value: bytes | None) -> Job:
    """The job in a record's value. Raises MalformedRecord, which names the wrong field."""
    return read(_decoder, value, MalformedRecord)


def encode_job(job: Job) -> bytes:
    """The record value of a job."""
    return _encoder.encode(job)
