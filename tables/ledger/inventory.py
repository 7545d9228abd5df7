"""An event while the ledger works on it: its definition, and what of each ticket type is held and sold."""

from datetime import datetime
from uuid import UUID

import msgspec

from tables.errors import InvariantBroken
from tables.ledger.records import Decision, Ending, EventRecord, Stock, encode_record
from tables.messages.commands import EventDefinition, TicketTypeDefinition
from tables.messages.outcomes import Balance, EventFacts
from tables.messages.statuses import EventStatus

_definition_encoder = msgspec.json.Encoder()
_decode_definition = msgspec.json.Decoder(EventDefinition).decode


def milliseconds(moment: datetime | None) -> int | None:
    """A moment as Kafka writes it: milliseconds since 1970 UTC."""
    return None if moment is None else round(moment.timestamp() * 1000)


class Shelf:
    """The tickets of one type: quantity offered, held, sold."""

    __slots__ = ("definition", "held", "quantity", "sale_ends", "sale_starts", "sold")

    def __init__(self, definition: TicketTypeDefinition, held: int = 0, sold: int = 0) -> None:
        self.definition = definition
        self.quantity = definition.quantity
        self.sale_starts = milliseconds(definition.sale_starts_at)
        self.sale_ends = milliseconds(definition.sale_ends_at)
        self.held = held
        self.sold = sold

    @property
    def available(self) -> int:
        """Tickets that can be had now; 0, never less, where the quantity was lowered below what is out."""
        return max(0, self.quantity - self.held - self.sold)

    def balance(self) -> Balance:
        """The stock as an outcome tells it."""
        return Balance(self.definition.id, self.quantity, self.held, self.sold)


class Inventory:
    """The working copy of an event's record. ``offset`` is the last command whose effect is in it.

    ``ending`` tells of a cancelled event how far its purchases have been ended; None of any other.
    """

    __slots__ = ("_encoded", "definition", "ending", "facts", "gone", "id", "offset", "out", "shelves", "version")

    def __init__(self, event: UUID, offset: int, version: int, definition: EventDefinition) -> None:
        self.id = event
        self.offset = offset
        self.version = version
        self.gone: dict[UUID, Stock] = {}
        self.shelves: dict[UUID, Shelf] = {}
        self.out = 0
        self.ending: Ending | None = None
        self._take(definition)

    @classmethod
    def from_record(cls, event: UUID, record: EventRecord) -> "Inventory":
        """The inventory that ``record`` describes."""
        inventory = cls(event, record.offset, record.version, _decode_definition(record.definition))
        for stock in record.stock:
            inventory._move(stock.ticket_type, stock.held, stock.sold)
        inventory.ending = record.ending
        return inventory

    def record(self) -> bytes:
        """The event's record as the table keeps it."""
        stock = [Stock(key, shelf.held, shelf.sold) for key, shelf in self.shelves.items()]
        stock += self.gone.values()
        return encode_record(EventRecord(self.offset, self.version, self._encoded, stock, self.ending))

    def define(self, offset: int, version: int, definition: EventDefinition) -> bool:
        """Take over a newer definition; what is held and sold stays. False if it is no newer."""
        if version <= self.version:
            return False
        self.offset = offset
        self.version = version
        self._take(definition)
        return True

    def apply(self, decision: Decision) -> None:
        """Book a decision's lines and remember its offset."""
        for line in decision.lines:
            self._move(line.ticket_type, decision.held * line.quantity, decision.sold * line.quantity)
        self.offset = decision.offset

    def end(self, offset: int, after: UUID | None) -> None:
        """Remember that purchases have been ended up to ``after``; None means all."""
        self.offset = offset
        self.ending = Ending(after, done=after is None or self.out == 0)

    def balances(self) -> tuple[Balance, ...]:
        """The stock of every ticket type, in the definition's order."""
        return tuple(shelf.balance() for shelf in self.shelves.values())

    def _take(self, definition: EventDefinition) -> None:
        out = {key: (shelf.held, shelf.sold) for key, shelf in self.shelves.items()}
        out |= {key: (stock.held, stock.sold) for key, stock in self.gone.items()}
        self.definition = definition
        self._encoded = _definition_encoder.encode(definition)
        self.shelves = {kind.id: Shelf(kind, *out.pop(kind.id, (0, 0))) for kind in definition.ticket_types}
        self.gone = {key: Stock(key, held, sold) for key, (held, sold) in out.items() if held or sold}
        self.facts = _facts(definition, self.version)
        cancelled = definition.status is EventStatus.CANCELED
        self.ending = Ending(done=self.out == 0) if cancelled else None

    def _move(self, ticket_type: UUID, held: int, sold: int) -> None:
        place = self.shelves.get(ticket_type) or self.gone.setdefault(ticket_type, Stock(ticket_type, 0, 0))
        place.held += held
        place.sold += sold
        self.out += held + sold
        if place.held < 0 or place.sold < 0:
            raise InvariantBroken(
                f"event {self.id} would have {place.held} held and {place.sold} sold of ticket type {ticket_type}"
            )


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
