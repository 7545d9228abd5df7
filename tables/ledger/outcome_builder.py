"""Building outcomes from decisions, and the result of a command.

``OutcomeBuilder.build`` says what an outcome is. The most frequent ones are written from parts: the same bytes in less
than half the time.
"""

from functools import lru_cache, partial
from typing import Final, Self
from uuid import UUID

from msgspec import Struct

from tables.ids import TicketCodes, id_bytes
from tables.ledger.inventory import EventTexts, Inventory, TicketStock, TypeTexts
from tables.ledger.purchase_records import Decision, DecisionLine, PurchaseRecord, SeatedPurchase
from tables.ledger.purchase_state import paid_worth, returned_tickets, state_of
from tables.ledger.seated_lines import seated_lines
from tables.messages.commands import Command
from tables.messages.encoding import encode_json, from_milliseconds
from tables.messages.outcomes import Balance, MoneyAmount, Outcome, OutcomeKind, OutcomeLine, encode_outcome
from tables.messages.reasons import Reason

_CONFIRMED: Final = OutcomeKind.CONFIRMED
_REJECTED: Final = OutcomeKind.REJECTED
_BUYING: Final = frozenset({OutcomeKind.HELD, _CONFIRMED})
# The JSON of the most frequent outcomes: a purchase of one ticket type, just confirmed, and one just rejected.
_OUTCOME: Final = (
    b'{"kind":"confirmed","event":"%b","offset":%d,"at":%b,"purchase":"%b","account":"%b","status":"confirmed",'
    b'"lines":[{"ticketType":"%b","name":%b,"quantity":%d,"price":"%b","codes":["%b"]%b}],'
    b'"total":{"amount":"%b","currency":%b},"fingerprint":"%b","facts":%b,'
    b'"balance":[{"ticketType":"%b","quantity":%d,"held":%d,"sold":%d}],"asOf":%d}'
)
_REJECTION: Final = (
    b'{"kind":"rejected","event":"%b","offset":%d,"at":%b,"purchase":"%b","account":"%b","status":"rejected",'
    b'"reason":"%b","figures":%b,"fingerprint":"%b","facts":%b,"asOf":%d}'
)


class CommandResult(Struct, frozen=True, gc=False):
    """The outcomes to publish, and the commands to append to the same partition.

    Both must be stored before the command itself is acknowledged.
    """

    outcomes: tuple[Outcome, ...] = ()
    commands: tuple[Command, ...] = ()


class EncodedOutcome(Struct, frozen=True, gc=False):
    """An outcome's value for ``ticket-purchase``, and what is counted of it."""

    kind: OutcomeKind
    reason: Reason | None
    value: bytes

    @classmethod
    def of(cls, outcome: Outcome) -> Self:
        return cls(outcome.kind, outcome.reason, encode_outcome(outcome))


class EncodedResult(Struct, frozen=True, gc=False):
    """A CommandResult whose outcomes are encoded."""

    outcomes: tuple[EncodedOutcome, ...] = ()
    commands: tuple[Command, ...] = ()


class DecisionContext(Struct, frozen=True, gc=False):
    """A decision on a purchase, with what its outcome needs: ``body`` is the fingerprint of the request's body."""

    event: UUID
    purchase: UUID
    record: PurchaseRecord | None
    decision: Decision
    body: str
    repeated: bool = False
    request: UUID | None = None
    extended: bool = False


class OutcomeBuilder:
    """Builds outcomes; knows the key of the ticket codes."""

    def __init__(self, codes: TicketCodes) -> None:
        self._codes = codes

    def build(self, context: DecisionContext, inventory: Inventory | None) -> Outcome:
        """The outcome of a decision, with the event's current stock and facts."""
        record, decision = context.record, context.decision
        past = record.before(decision.offset + 1) if record and decision.kind is not OutcomeKind.REFUSED else None
        after = state_of(past) if past else None
        lines = record.lines_of(decision) if record else decision.lines
        if not lines and after and decision.kind in _BUYING:
            lines = after.lines  # an exchange tells all
        left = after.lines if after and decision.kind is OutcomeKind.CANCELLED else ()
        worth = paid_worth(record, after) if record and after else None
        deadline = after.deadline if after else None
        return Outcome(
            kind=decision.kind,
            event=context.event,
            offset=decision.offset,
            at=from_milliseconds(decision.at),
            purchase=context.purchase,
            account=record.account if record else None,
            status=after.status if after else None,
            reason=record.reason_of(decision) if record else decision.exact_reason,
            figures=decision.figures,
            lines=self._lines(context, lines),
            left=self._lines(context, left, is_left=True) if left else (),
            returned=returned_tickets(past) if past else 0,
            total=_total(lines, record.currency) if record and lines else None,
            deadline=None if deadline is None else from_milliseconds(deadline),
            fingerprint=context.body,
            facts=inventory.facts if inventory else None,
            balance=_balance(inventory, decision.lines),
            as_of=inventory.offset if inventory else -1,
            repeated=context.repeated,
            request=context.request,
            payment=None if record is None or worth is None else MoneyAmount(worth, record.currency),
            reference=decision.payment,
            extended=context.extended,
        )

    def encode(self, context: DecisionContext, inventory: Inventory | None) -> EncodedOutcome:
        """What ``build`` gives, encoded."""
        record, decision = context.record, context.decision
        if record is not None and inventory is not None and not context.repeated and context.request is None:
            stock = _plain_stock(record, decision, inventory)
            if stock is not None:
                codes = self._codes.codes(context.event, context.purchase, 0, decision.lines[0].quantity)
                value = _plain_outcome(context.purchase, record, inventory, stock, codes)
                return EncodedOutcome(decision.kind, None, value)
            if _is_plain_rejection(record, decision) and (reason := record.reason_of(decision)) is not None:
                value = _plain_rejection(context.purchase, record, inventory, reason)
                return EncodedOutcome(decision.kind, reason, value)
        return EncodedOutcome.of(self.build(context, inventory))

    def changed(self, inventory: Inventory, offset: int, at: int) -> Outcome:
        """The outcome of the definition of an event at ``offset``, appended at ``at`` (ms)."""
        return Outcome(
            kind=OutcomeKind.CHANGED,
            event=inventory.id,
            offset=offset,
            at=from_milliseconds(at),
            facts=inventory.facts,
            balance=inventory.balances(),
            as_of=inventory.offset,
        )

    def _lines(
        self, context: DecisionContext, lines: tuple[DecisionLine, ...], *, is_left: bool = False
    ) -> tuple[OutcomeLine, ...]:
        """The lines, with ticket codes if the decision sells tickets or takes sold ones back."""
        if isinstance(context.record, SeatedPurchase):
            return self._seated(context, context.record, lines, is_left=is_left)
        if not context.decision.sold:
            return tuple([OutcomeLine(each.ticket_type, each.name, each.quantity, each.price) for each in lines])
        event, purchase, codes = context.event, context.purchase, self._codes.codes
        return tuple(
            [
                OutcomeLine(
                    each.ticket_type,
                    each.name,
                    each.quantity,
                    each.price,
                    codes(event, purchase, each.first, each.quantity),
                )
                for each in lines
            ]
        )

    def _seated(
        self, context: DecisionContext, record: SeatedPurchase, lines: tuple[DecisionLine, ...], *, is_left: bool
    ) -> tuple[OutcomeLine, ...]:
        decision = context.decision
        past = record.before(decision.offset + 1)
        if not isinstance(past, SeatedPurchase):
            return ()
        codes = None
        if decision.sold or decision.kind is OutcomeKind.CONFIRMED:
            codes = partial(self._codes.codes, context.event, context.purchase)
        given_at = None if is_left or decision.kind in _BUYING else decision.offset
        return seated_lines(past, lines, codes, given_at=given_at)


def _total(lines: tuple[DecisionLine, ...], currency: str) -> MoneyAmount:
    total = lines[0].price * lines[0].quantity
    for line in lines[1:]:
        total += line.price * line.quantity
    return MoneyAmount(total, currency)


def _balance(inventory: Inventory | None, lines: tuple[DecisionLine, ...]) -> tuple[Balance, ...]:
    if inventory is None:
        return ()
    stock_of = inventory.stock.get
    return tuple([stock.balance() for line in lines if (stock := stock_of(line.ticket_type.int))])


def _plain_stock(record: PurchaseRecord, decision: Decision, inventory: Inventory) -> TicketStock | None:
    """The stock of a decision's only line; None where its outcome is not a plain one.

    A recorded line has the name and the price of its own time, so it is no plain one either.
    """
    if decision.kind is not _CONFIRMED or len(record.history) > 1 or len(decision.lines) != 1:
        return None
    line = decision.lines[0]
    stock = inventory.stock.get(line.ticket_type.int)
    is_new = stock is not None and line.price is stock.definition.price and line.name is stock.definition.name
    return stock if is_new else None


def _plain_outcome(
    purchase: UUID, record: PurchaseRecord, inventory: Inventory, stock: TicketStock, codes: tuple[str, ...]
) -> bytes:
    """The outcome of a new purchase from ``stock``."""
    decision = record.history[0]
    line = decision.lines[0]
    event = inventory.texts or _event_texts(inventory)
    kind = stock.texts or _type_texts(stock)
    return _OUTCOME % (
        event.id,
        decision.offset,
        _time_json(decision.at),
        id_bytes(purchase),
        id_bytes(record.account),
        kind.id,
        kind.name_json,
        line.quantity,
        kind.price,
        '","'.join(codes).encode(),
        _seats_json(record) if isinstance(record, SeatedPurchase) else b"",
        str(line.price * line.quantity).encode(),
        kind.currency_json,
        record.fingerprint.encode(),
        event.facts_json,
        kind.id,
        stock.quantity,
        stock.held,
        stock.sold,
        inventory.offset,
    )


def _is_plain_rejection(record: PurchaseRecord, decision: Decision) -> bool:
    """Whether the outcome of a decision is that of a new purchase that was rejected, with figures."""
    return decision.kind is _REJECTED and len(record.history) == 1 and bool(decision.figures)


def _plain_rejection(purchase: UUID, record: PurchaseRecord, inventory: Inventory, reason: Reason) -> bytes:
    """The outcome of a new purchase that was rejected."""
    decision = record.history[0]
    event = inventory.texts or _event_texts(inventory)
    return _REJECTION % (
        event.id,
        decision.offset,
        _time_json(decision.at),
        id_bytes(purchase),
        id_bytes(record.account),
        reason.encode(),
        encode_json(decision.figures),
        record.fingerprint.encode(),
        event.facts_json,
        inventory.offset,
    )


def _seats_json(record: SeatedPurchase) -> bytes:
    return b',"seats":' + encode_json(record.moves[0].taken[0].seats)


def _event_texts(inventory: Inventory) -> EventTexts:
    texts = inventory.texts = EventTexts(id_bytes(inventory.id), encode_json(inventory.facts))
    return texts


def _type_texts(stock: TicketStock) -> TypeTexts:
    kind = stock.definition
    texts = stock.texts = TypeTexts(
        id_bytes(kind.id), encode_json(kind.name), str(kind.price).encode(), encode_json(kind.currency)
    )
    return texts


# The commands of one produced batch have the same timestamp.
@lru_cache(maxsize=1_024)
def _time_json(milliseconds: int) -> bytes:
    return encode_json(from_milliseconds(milliseconds))
