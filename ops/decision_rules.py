"""The rules of the ledger as sentences: why a command was decided as it was."""

from typing import Final

from tables.messages.commands import Command, Confirm, ExtendHold
from tables.messages.outcomes import Outcome, OutcomeKind
from tables.messages.reasons import Reason

REASON_RULES: Final[dict[Reason, str]] = {
    Reason.UNKNOWN_EVENT: "no definition of the event was in the log before it",
    Reason.EVENT_NOT_OPEN: "tickets sell only while the event is ACTIVE",
    Reason.UNKNOWN_TICKET_TYPE: "the event's definition does not list the ticket type",
    Reason.NOT_ON_SALE: "the ticket type sells only within its sale period",
    Reason.ORDER_LIMIT_EXCEEDED: "the number of tickets in an order is limited",
    Reason.PURCHASE_LIMIT_EXCEEDED: "the number of tickets of an account is limited, its earlier ones included",
    Reason.CAPACITY_EXCEEDED: "fewer tickets of the event's capacity were left than were asked for",
    Reason.SOLD_OUT: "fewer tickets of the type were left than were asked for",
    Reason.MIXED_CURRENCIES: "all lines of a purchase have one currency",
    Reason.HOLD_TOO_LONG: "a hold lasts at most as long as the operator allows",
    Reason.HOLD_LIMIT_EXCEEDED: "the number of tickets of an event that an account may hold is limited",
    Reason.HOLD_TOO_SOON: "after a hold ended, its account waits before it holds the same ticket type again",
    Reason.SEATS_REQUIRED: "a ticket type with seats in the plan is sold by seat",
    Reason.NOT_SEATED: "a ticket type without seats in the plan is sold by number",
    Reason.INVALID_SEATS: "a line has each of its seats once, and no more tickets than seats",
    Reason.UNKNOWN_SEAT: "a seat is one of the ticket type's in the plan that is in force",
    Reason.SEAT_TAKEN: "a seat has one holder",
    Reason.NO_ADJACENT_SEATS: "seats together are beside each other in one row, without an aisle between",
    Reason.UNEQUAL_EXCHANGE: "seats are exchanged for as many of the same ticket types",
    Reason.ID_REUSED: "the purchase's id belongs to another request",
    Reason.UNKNOWN_PURCHASE: "no purchase of this id was in the log before it",
    Reason.NOT_YOURS: "only the account of a purchase may change it",
    Reason.NOT_HELD: "only an open hold can be confirmed, and only one whose deadline has passed expires",
    Reason.NOTHING_TO_CANCEL: "the purchase has no such tickets",
    Reason.TOO_MANY_CHANGES: "a purchase may be changed only so often",
    Reason.PAYMENT_REQUIRED: "what must be paid online is confirmed only with a payment",
    Reason.EVENT_CANCELED: "the event was cancelled, which ends its purchases",
    Reason.HOLD_ENDED: "the operator ended the hold before its deadline",
}
KIND_RULES: Final[dict[OutcomeKind, str]] = {
    OutcomeKind.HELD: "all that it asked for was left, and no limit was reached",
    OutcomeKind.CONFIRMED: "all that it asked for was left, and no limit was reached",
    OutcomeKind.CANCELLED: "its account gave the tickets back",
    OutcomeKind.EXPIRED: "the deadline of the hold had passed",
}
CONFIRM_RULE: Final = "the hold was still open"
EXTENSION_RULE: Final = "the hold was still open, and had not been lengthened before"


def rule_of(command: Command, outcome: Outcome) -> str:
    """The rule by which the command got this outcome."""
    if outcome.repeated:
        return f"a repeat gets the decision of the first: that at offset {outcome.offset}"
    if outcome.reason is not None:
        return REASON_RULES[outcome.reason]
    if isinstance(command, ExtendHold):
        return EXTENSION_RULE
    return CONFIRM_RULE if isinstance(command, Confirm) else KIND_RULES[outcome.kind]


def recorded_rule(kind: OutcomeKind, reason: Reason | None) -> str:
    """The rule of a decision on record."""
    return KIND_RULES[kind] if reason is None else REASON_RULES[reason]
