"""The topics of the contract: for each its key, value and headers as types, from which the schemas are made.

To add a topic is to add a line to CHANNELS, and an example of each of its types to connect/contract/examples.py.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from types import UnionType
from typing import Annotated, Any, Final, get_args
from uuid import UUID

from msgspec import Meta, Struct

from connect import topics
from tables.messages.answers import Answer
from tables.messages.commands import Command, EventAnnouncement
from tables.messages.deliveries import Delivery
from tables.messages.mail_jobs import Job
from tables.messages.mail_requests import Resend
from tables.messages.operator_actions import OperatorAction
from tables.messages.outcomes import Outcome
from tables.messages.payment_events import PaymentEvent
from tables.messages.payment_requests import PaymentRequest
from tables.messages.purchase_upserts import PurchaseUpsert
from tables.messages.record_headers import (
    AnnouncementHeaders,
    AnswerHeaders,
    DeadLetterHeaders,
    JobHeaders,
    RequestHeaders,
    TraceHeaders,
)
from tables.messages.requests import Request
from tables.messages.row_changes import AccountRow, EventRow
from tables.messages.sections import DefineSection

EventKey = Annotated[UUID, Meta(description="The event's id, as UTF-8 text without quotes.")]
AccountKey = Annotated[UUID, Meta(description="The account's id, as UTF-8 text without quotes.")]
PurchaseKey = Annotated[str, Meta(description="The ids of event and purchase, with a dot between.")]
PaymentKey = Annotated[UUID, Meta(description="The purchase's id, as UTF-8 text without quotes.")]
OwnBytes = Annotated[Any, Meta(description="The record's own bytes, unchanged; they may be no JSON.")]
JSON: Final = "application/json"
BYTES: Final = "application/octet-stream"
RAW_RECORD: Final = "Record"
_PARAMETER: Final = re.compile(r"\{(\w+)\}")


class Direction(StrEnum):
    """Who writes a topic: others (INPUT, some records are ours), or only Turnstile (OUTPUT)."""

    INPUT = "input"
    OUTPUT = "output"


@dataclass(frozen=True, slots=True)
class Channel:
    """A topic, or the topics of one pattern. ``address`` has a parameter in braces for the part that differs.

    ``value`` is a type or a union of structs, of which one may have no tag; ``headers`` is None where no header means
    anything.
    """

    address: str
    direction: Direction
    summary: str
    key: Any
    value: Any
    headers: type[Struct] | None = None
    content_type: str = JSON
    parameter_values: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The address as a name of components."""
        return self.address.replace("{", "").replace("}", "")

    @property
    def parameters(self) -> dict[str, tuple[str, ...]]:
        """The names in braces, each with its values if they are known."""
        return dict.fromkeys(_PARAMETER.findall(self.address), self.parameter_values)

    @property
    def messages(self) -> dict[str, Any]:
        """The types of the value by name: one for each kind of a union."""
        kinds = get_args(self.value) if isinstance(self.value, UnionType) else (self.value,)
        return {kind.__name__ if isinstance(kind, type) else RAW_RECORD: kind for kind in kinds}

    def is_address_of(self, topic: str) -> bool:
        """Whether it describes the topic of that name."""
        parts = _PARAMETER.split(self.address)[::2]
        return re.fullmatch("[^.]+".join(map(re.escape, parts)), topic) is not None


RequestKey = Annotated[
    Any, Meta(description="The request's own key, whatever it was: of a long one the first 1,024 bytes.")
]
IN, OUT = Direction.INPUT, Direction.OUTPUT
CHANNELS: Final = (
    Channel(topics.COMMANDS, IN, "Commands: what changes an event's stock.", EventKey, Command, TraceHeaders),
    Channel(topics.requests("{producer}"), IN, "Requests; each has an answer.", EventKey, Request, RequestHeaders),
    Channel(topics.answers("{producer}"), OUT, "The answers to requests.", RequestKey, Answer, AnswerHeaders),
    Channel(topics.OUTCOMES, OUT, "Outcomes: what the ledger decided.", EventKey, Outcome, TraceHeaders),
    Channel(
        topics.PURCHASE_UPSERTS, OUT, "Purchases as rows, for sinks of Kafka Connect.", PurchaseKey, PurchaseUpsert
    ),
    Channel(topics.EVENT_ROWS, OUT, "Rows of events. After a delete comes a record without value.", EventKey, EventRow),
    Channel(
        topics.ACCOUNT_ROWS, OUT, "Rows of accounts: personal data. Deleted as events are.", AccountKey, AccountRow
    ),
    Channel(
        topics.EVENT_STATUS,
        OUT,
        "Definitions of events, as published; between them the pieces of seating plans, as commands.",
        EventKey,
        EventAnnouncement | DefineSection,
        AnnouncementHeaders,
    ),
    Channel(topics.JOBS, OUT, "Mails to send.", AccountKey, Job, JobHeaders),
    Channel(topics.RETRIES, OUT, "Mails to try again after a pause.", AccountKey, Job, JobHeaders),
    Channel(
        topics.RESENDS,
        IN,
        "Requests for mails about a purchase or its payment.",
        EventKey,
        Resend,
        TraceHeaders,
    ),
    Channel(topics.DELIVERIES, OUT, "What became of each mail.", AccountKey, Delivery, TraceHeaders),
    Channel(topics.PAYMENT_EVENTS, OUT, "What happened to payments.", PaymentKey, PaymentEvent, TraceHeaders),
    Channel(
        topics.PAYMENT_REQUESTS, OUT, "What providers of payments are to do.", PaymentKey, PaymentRequest, TraceHeaders
    ),
    Channel(topics.OPERATOR_ACTIONS, OUT, "What operators did, and why.", None, OperatorAction),
    Channel(
        topics.dead_letters("{consumer}"),
        OUT,
        "Records that a consumer could not process.",
        OwnBytes,
        OwnBytes,
        DeadLetterHeaders,
        BYTES,
        topics.CONSUMERS,
    ),
)
