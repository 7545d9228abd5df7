"""Random logs of two events, their commands as Kafka has them, and the reference model that carries them out."""

import json
from collections.abc import Iterable
from random import Random
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from lab.chaos.reference_model import ReferenceModel
from tables.ledger.event_replay import LogCommand
from tables.messages.commands import (
    Buy,
    Cancel,
    Command,
    Confirm,
    DefineEvent,
    EndPurchases,
    Expire,
    ExtendHold,
    Hold,
    LimitHolds,
    TicketLine,
    encode_command,
)
from tables.messages.payment_modes import PaymentMode
from tables.messages.statuses import EventStatus
from tests.unit.tables.ledger_driver import (
    ADA,
    BOB,
    EVENT,
    FLOOR,
    NOW,
    OTHER_EVENT,
    STAND,
    definition,
    purchase_id,
    ticket_type,
)

EXTENSIONS = 0.05


class RandomLog:
    """A log of two events' commands: what buyers ask for, new definitions, a cancelled event and its end."""

    def __init__(self, seed: int, count: int) -> None:
        self.random, self.payer = Random(seed), Random(f"payer {seed}")
        self.versions = dict.fromkeys((EVENT, OTHER_EVENT), 0)
        self.commands: list[LogCommand] = []
        self.at = NOW
        self._add(LimitHolds(600, 6, 5))
        for event in self.versions:
            self._define(event, EventStatus.ACTIVE)
        while len(self.commands) < count:
            self._next()

    def _next(self) -> None:
        event = self.random.choice([EVENT, EVENT, OTHER_EVENT])
        if self.random.random() < 0.03:
            status = self.random.choice([EventStatus.ACTIVE] * 4 + [EventStatus.ON_HOLD, EventStatus.CANCELED])
            self._define(event, status)
            if status is EventStatus.CANCELED:
                self._add(EndPurchases(event, self.versions[event]))
        else:
            self._add(self._buyers(event))

    def _define(self, event: UUID, status: EventStatus) -> None:
        self.versions[event] += 1
        types = [ticket_type(kind, self.random.choice([5, 20, 60]), max_per_order=4) for kind in (FLOOR, STAND)]
        changes = {"status": status, "max_per_account": 12, "payment": self.payer.choice(list(PaymentMode))}
        self._add(DefineEvent(event, self.versions[event], definition(*types, **changes)))

    def _buyers(self, event: UUID) -> Command:
        purchase, account = purchase_id(self.random.randrange(300)), self.random.choice([ADA, BOB])
        some = [TicketLine(self.random.choice([FLOOR, STAND]), self.random.randint(1, 5))]
        made: list[Command] = [
            Buy(event, purchase, account, some),
            Hold(event, purchase, account, some, self.random.choice([1, 20, 900])),
            Confirm(event, purchase, account, payment=self.payer.choice([None, "pi_1"])),
            Cancel(event, purchase, account),
            Cancel(event, purchase, account, UUID(int=self.random.randrange(50)), [TicketLine(FLOOR, 1)]),
            Cancel(event, purchase, account, None, [TicketLine(FLOOR, 1)]),
            Expire(event, purchase),
        ]
        chosen = self.random.choice(made[:2] * 3 + made)
        return ExtendHold(event, purchase, 20) if self.payer.random() < EXTENSIONS else chosen

    def _add(self, command: Command) -> None:
        self.at += self.random.randrange(3_000)
        # Some offsets hold no record, as after a transaction.
        offset = self.commands[-1].offset + self.random.choice([1, 1, 2]) if self.commands else 0
        self.commands.append(LogCommand(offset, self.at, command))


def apply(model: ReferenceModel, each: LogCommand) -> None:
    """Carry out a command by the model, unless it becomes a dead letter."""
    if not isinstance(each.command, Cancel) or each.command.is_repeatable:
        model.apply(0, each.offset, each.at, json.loads(encode_command(each.command)))


def model_after(log: Iterable[LogCommand], offset: int) -> ReferenceModel:
    """The model after the command at an offset of the log."""
    model = ReferenceModel()
    for each in log:
        if each.offset <= offset:
            apply(model, each)
    return model


def log_of(*commands: Command) -> list[LogCommand]:
    return [LogCommand(offset, NOW + offset * 1_000, command) for offset, command in enumerate(commands)]


def records_of(log: Iterable[LogCommand]) -> list[Any]:
    """The records of the only partition, as a consumer gives them."""
    return [
        SimpleNamespace(partition=0, offset=it.offset, timestamp=it.at, value=encode_command(it.command)) for it in log
    ]
