"""An event while the ledger works on it: its definition, and how many tickets of each type are held and sold."""

from typing import NamedTuple
from uuid import UUID

import msgspec

from tables.errors import InvariantBroken
from tables.ledger.purchase_records import Decision
from tables.ledger.records import Ending, EventRecord, TicketsOut, encode_record
from tables.messages.commands import DefineEvent, EventDefinition, TicketTypeDefinition
from tables.messages.encoding import encode_json, to_milliseconds
from tables.messages.outcomes import Balance, EventFacts
from tables.messages.payment_modes import PaymentMode
from tables.messages.statuses import EventStatus

_decode_definition = msgspec.json.Decoder(EventDefinition).decode


class EventTexts(NamedTuple):
    """An event's id and facts, as outcomes have them."""

    id: bytes
    facts_json: bytes


class TypeTexts(NamedTuple):
    """A ticket type's definition, as outcomes have it."""

    id: bytes
    name_json: bytes
    price: bytes
    currency_json: bytes


class TicketStock:
    """The tickets of one type: quantity offered, held, sold. ``texts`` are made once an outcome needs them."""

    __slots__ = ("definition", "held", "quantity", "sale_ends", "sale_starts", "sold", "texts")

    def __init__(self, definition: TicketTypeDefinition, held: int = 0, sold: int = 0) -> None:
        self.definition = definition
        self.quantity = definition.quantity
        starts_at, ends_at = definition.sale_starts_at, definition.sale_ends_at
        self.sale_starts = None if starts_at is None else to_milliseconds(starts_at)
        self.sale_ends = None if ends_at is None else to_milliseconds(ends_at)
        self.held = held
        self.sold = sold
        self.texts: TypeTexts | None = None

    @property
    def available(self) -> int:
        """Tickets that can be sold now; 0 if the quantity was lowered below the tickets that are out."""
        return max(0, self.quantity - self.held - self.sold)

    def balance(self) -> Balance:
        """The stock as outcomes have it."""
        return Balance(self.definition.id, self.quantity, self.held, self.sold)


class Inventory:
    """The working copy of an event's record. ``offset`` is that of the last command whose effect it includes.

    ``removed`` has the tickets of types that the definition no longer lists, ``out`` counts all tickets held or sold.
    ``ending`` says how far the purchases of a cancelled event have been ended; None for other events.
    ``is_paid_online``: what has a price is held until it is paid. ``texts`` are made once an outcome needs them.
    """

    __slots__ = (
        "_encoded",
        "definition",
        "ending",
        "facts",
        "id",
        "is_paid_online",
        "offset",
        "out",
        "removed",
        "stock",
        "texts",
        "version",
    )

    def __init__(self, event: UUID, offset: int, version: int, definition: EventDefinition) -> None:
        self.id = event
        self.offset = offset
        self.version = version
        self.removed: dict[UUID, TicketsOut] = {}
        # By the number of the ticket type's id: UUID itself hashes and compares in Python.
        self.stock: dict[int, TicketStock] = {}
        self.out = 0
        self.ending: Ending | None = None
        self._take(definition)

    @classmethod
    def from_record(cls, event: UUID, record: EventRecord) -> "Inventory":
        """The inventory that ``record`` describes."""
        inventory = cls(event, record.offset, record.version, _decode_definition(record.definition))
        for stock in record.stock:
            inventory.add_out(stock.ticket_type, stock.held, stock.sold)
        inventory.ending = record.ending
        return inventory

    def record(self) -> bytes:
        """The encoded record."""
        out = [TicketsOut(stock.definition.id, stock.held, stock.sold) for stock in self.stock.values()]
        out += self.removed.values()
        return encode_record(EventRecord(self.offset, self.version, self._encoded, out, self.ending))

    def define(self, offset: int, version: int, definition: EventDefinition) -> bool:
        """Take over a newer definition; held and sold tickets stay. False if it is not newer."""
        if version <= self.version:
            return False
        self.offset = offset
        self.version = version
        self._take(definition)
        return True

    def apply(self, decision: Decision) -> None:
        """Book a decision's lines."""
        held, sold = decision.held, decision.sold
        for line in decision.lines:
            self.add_out(line.ticket_type, held * line.quantity, sold * line.quantity)
        self.offset = decision.offset

    def add_out(self, ticket_type: UUID, held: int, sold: int) -> None:
        """Count tickets of a type as held or sold; negative numbers give them back. Raises InvariantBroken below 0."""
        stock = self.stock.get(ticket_type.int) or self.removed.setdefault(ticket_type, TicketsOut(ticket_type, 0, 0))
        stock.held += held
        stock.sold += sold
        self.out += held + sold
        if stock.held < 0 or stock.sold < 0:
            raise InvariantBroken(
                f"event {self.id} would have {stock.held} held and {stock.sold} sold of ticket type {ticket_type}"
            )

    def end(self, offset: int, after: UUID | None) -> None:
        """Note that purchases have been ended up to ``after``; None means all."""
        self.offset = offset
        self.ending = Ending(after, done=after is None or self.out == 0)

    def balances(self) -> tuple[Balance, ...]:
        """The stock of every ticket type, in the definition's order."""
        return tuple(stock.balance() for stock in self.stock.values())

    def _take(self, definition: EventDefinition) -> None:
        out = {stock.definition.id: (stock.held, stock.sold) for stock in self.stock.values()}
        out |= {key: (tickets.held, tickets.sold) for key, tickets in self.removed.items()}
        self.definition = definition
        self._encoded = encode_json(definition)
        self.stock = {each.id.int: TicketStock(each, *out.pop(each.id, (0, 0))) for each in definition.ticket_types}
        self.removed = {key: TicketsOut(key, held, sold) for key, (held, sold) in out.items() if held or sold}
        self.facts = _facts(definition, self.version)
        self.texts: EventTexts | None = None
        self.is_paid_online = definition.payment is PaymentMode.ONLINE
        cancelled = definition.status is EventStatus.CANCELED
        self.ending = Ending(done=self.out == 0) if cancelled else None


def definition_of(event: UUID, record: EventRecord) -> DefineEvent:
    """The definition by which the event of that record sells."""
    return DefineEvent(event, record.version, _decode_definition(record.definition))


def _facts(definition: EventDefinition, version: int) -> EventFacts:
    return EventFacts(
        title=definition.title,
        status=definition.status.value,
        starts_at=definition.starts_at,
        ends_at=definition.ends_at,
        time_zone=definition.time_zone,
        venue=definition.venue,
        city=definition.city,
        version=version,
    )
