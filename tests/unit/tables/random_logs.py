"""Random logs of commands, with duplicates, late commands and definitions that change back and forth."""

from collections.abc import Callable
from decimal import Decimal
from random import Random
from uuid import UUID

from msgspec.structs import replace

from tables.ledger.event_replay import LogCommand
from tables.messages.commands import (
    Buy,
    BuyerCommand,
    Cancel,
    Command,
    Confirm,
    DefineEvent,
    Expire,
    ExtendHold,
    Hold,
    LimitHolds,
    TicketLine,
    TicketTypeDefinition,
)
from tables.messages.payment_modes import PaymentMode
from tables.messages.statuses import EventStatus
from tests.unit.tables.halls import SeatCommands
from tests.unit.tables.ledger_driver import (
    ADA,
    BOB,
    BOX,
    EVENT,
    FLOOR,
    NOW,
    OTHER_EVENT,
    STAND,
    definition,
    ledger_on,
    purchase_id,
    ticket_type,
)

ACCOUNTS = [ADA, BOB, UUID(int=0xA3)]
TYPES = [FLOOR, STAND, BOX]
LIMITS_CHANGE = 0.03
SEATS = 0.3
EXTENSIONS = 0.04


CommandLog = list[LogCommand]


def random_log(seed: int, length: int) -> CommandLog:
    """The log of a seed, with the commands that the ledger itself appends: soon or late, some of them twice.

    Some commands change the limits on holds, and some lengthen one. A third event sells seats.
    """
    random, operator, payer = Random(seed), Random(f"operator {seed}"), Random(f"payer {seed}")
    writer = _LogWriter(random, payer)
    usher = Random(f"usher {seed}")
    seats = SeatCommands(usher)
    ledger = ledger_on({})
    added: list[Command] = []
    log = []
    for offset in range(length):
        entry = writer.entry(offset)
        if added and random.random() < 0.5:
            entry = entry._replace(command=added.pop(0) if random.random() < 0.9 else added[0])
        if operator.random() < LIMITS_CHANGE:
            limits = (operator.choice([None, limit]) for limit in (2, 6, 5, 2))
            entry = entry._replace(command=LimitHolds(*limits))
        if isinstance(entry.command, BuyerCommand) and payer.random() < EXTENSIONS:
            entry = entry._replace(command=writer.extend())
        if usher.random() < SEATS:
            entry = entry._replace(command=seats.command())
        log.append(entry)
        following = ledger.apply(*entry).commands
        added += [replace(step, most=2) for step in following]
    return log


class _LogWriter:
    def __init__(self, random: Random, payer: Random) -> None:
        self.random = random
        self.payer = payer
        self.at = NOW
        self.versions = {EVENT: 1, OTHER_EVENT: 1}
        self.made: list[tuple[UUID, UUID, UUID]] = []
        self.written: list[Command] = []
        self.ways: list[tuple[int, Callable[[], Command]]] = [
            (3, self.define),
            (14, self.purchase),
            (14, self.hold),
            (6, self.confirm),
            (10, self.cancel),
            (6, self.expire),
            (4, lambda: random.choice(self.written)),
        ]

    def entry(self, offset: int) -> LogCommand:
        self.at += self.random.choice([0, 1, 300, 1_500])
        weights = [weight for weight, _ in self.ways]
        way = self.random.choices(self.ways, weights)[0][1]
        command = way() if len(self.written) > 1 else self.define()
        self.written.append(command)
        return LogCommand(offset, self.at, command)

    def define(self) -> Command:
        event = self.event()
        version = self.versions[event] = max(1, self.versions[event] + self.random.choice([-1, 0, 1, 1]))
        types = [self.any_type(key) for key in self.random.choice([TYPES, TYPES, TYPES[::-1], TYPES[:2]])]
        status = self.random.choice([EventStatus.ACTIVE] * 14 + [EventStatus.ON_HOLD] * 2 + [EventStatus.CANCELED])
        capacity = self.random.choice([None, None, 25])
        limit = self.random.choice([None, None, 15])
        payment = self.payer.choice(list(PaymentMode))
        changes = {"status": status, "capacity": capacity, "max_per_account": limit, "payment": payment}
        return DefineEvent(event, version, definition(*types, **changes))

    def any_type(self, key: UUID) -> TicketTypeDefinition:
        price = Decimal(self.random.randrange(10_000)) / 100
        quantity = self.random.choice([5, 15, 30])
        return ticket_type(key, quantity, price=price, max_per_account=self.random.choice([None, None, 6]))

    def event(self) -> UUID:
        return self.random.choice([EVENT, EVENT, EVENT, OTHER_EVENT])

    def lines(self, most: int) -> list[TicketLine]:
        return [TicketLine(self.random.choice(TYPES), self.random.choice([1, 1, 2])) for _ in range(most)]

    def new(self) -> tuple[UUID, UUID, UUID, list[TicketLine]]:
        number = len(self.made) if self.random.random() < 0.95 else self.random.randrange(len(self.made) + 1)
        made = self.event(), purchase_id(number), self.random.choice(ACCOUNTS)
        self.made.append(made)
        return *made, self.lines(self.random.choice([1, 1, 2, 3]))

    def known(self) -> tuple[UUID, UUID, UUID]:
        if not self.made or self.random.random() < 0.05:
            return self.event(), purchase_id(self.random.randrange(99)), self.random.choice(ACCOUNTS)
        return self.random.choice(self.made[-5:])

    def purchase(self) -> BuyerCommand:
        return Buy(*self.new())

    def hold(self) -> BuyerCommand:
        return Hold(*self.new(), self.random.choice([1, 2, 600]))

    def confirm(self) -> BuyerCommand:
        return Confirm(*self.known(), payment=self.payer.choice([None, "pi_1", "pi_2"]))

    def cancel(self) -> BuyerCommand:
        request = self.random.choice([None, UUID(int=1), UUID(int=2)])
        return Cancel(*self.known(), request, self.lines(self.random.choice([0, 1])))

    def extend(self) -> BuyerCommand:
        event, purchase, _ = self.payer.choice(self.made[-5:] or [(EVENT, purchase_id(0), ADA)])
        return ExtendHold(event, purchase, self.payer.choice([1, 2, 900]))

    def expire(self) -> BuyerCommand:
        return Expire(*self.known()[:2], early=self.at % 5 == 0)
