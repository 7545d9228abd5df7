"""Why something was refused, in the words of the pages."""

from collections.abc import Mapping
from typing import Final

from flask import request

from api.pages.language import LazyText, gettext, lazy_gettext

# By problem name, as in api/problems.py.
REFUSAL_TEXTS: Final[Mapping[str, LazyText]] = {
    "sold-out": lazy_gettext("There are not enough tickets left. Tickets that others hold may become available again."),
    "not-on-sale": lazy_gettext("These tickets are not on sale at the moment."),
    "event-not-open": lazy_gettext("Tickets for this event are not on sale at the moment."),
    "order-limit-exceeded": lazy_gettext("That is more tickets than one order may have."),
    "purchase-limit-exceeded": lazy_gettext(
        "Together with the tickets you already have, that is more than the limit per person."
    ),
    "hold-too-long": lazy_gettext("Tickets cannot be held for that long."),
    "hold-limit-exceeded": lazy_gettext(
        "That is more than one person may hold at once. Buy or release the tickets you hold first."
    ),
    "overall-hold-limit-exceeded": lazy_gettext("You already hold many tickets. Buy or release some of them first."),
    "hold-too-soon": lazy_gettext(
        "You held these tickets a moment ago. Please wait a little before you hold them again."
    ),
    "capacity-exceeded": lazy_gettext("The venue is nearly full. There is not enough room for that many."),
    "mixed-currencies": lazy_gettext("These tickets are sold in different currencies. Please order them separately."),
    "seats-required": lazy_gettext("Please choose seats for these tickets, or the best ones that are left."),
    "not-seated": lazy_gettext("These tickets have no numbered seats. Please choose again."),
    "invalid-seats": lazy_gettext("Please check the seats you chose."),
    "unknown-seat": lazy_gettext("One of these seats is not there any more. Please choose again."),
    "seat-taken": lazy_gettext("Somebody else was faster: one of these seats is taken. Please choose another one."),
    "no-adjacent-seats": lazy_gettext(
        "There are not that many free seats beside each other. Choose fewer, or seats apart from each other."
    ),
    "unequal-exchange": lazy_gettext("Seats can be exchanged only for as many others of the same kind."),
    "unknown-event": lazy_gettext("This event is not on sale yet. Please try again in a moment."),
    "unknown-ticket-type": lazy_gettext("One of these tickets is no longer offered. Please choose again."),
    "unknown-account": lazy_gettext("Your account no longer exists."),
    "idempotency-key-reused": lazy_gettext(
        "This form was already sent with a different choice. Nothing more was ordered."
    ),
    "id-reused": lazy_gettext("This form was already sent with a different choice. Nothing more was ordered."),
    "idempotency-key-missing": lazy_gettext("This form is incomplete. Please choose again."),
    "invalid-input": lazy_gettext("Please check your choice."),
    "not-held": lazy_gettext("These tickets are no longer held for you."),
    "nothing-to-cancel": lazy_gettext("You no longer have these tickets."),
    "refund-too-large": lazy_gettext("That is more than what is left of the payment. Nothing was refunded."),
    "too-many-changes": lazy_gettext(
        "This order was changed too often. You can only return all of its tickets together."
    ),
    "payment-mode-fixed": lazy_gettext("How the event is paid can be changed only while no tickets are held or sold."),
    "payment-required": lazy_gettext("These tickets have to be paid first."),
    "nothing-to-send": lazy_gettext("This order has no tickets to send."),
    "still-running": lazy_gettext("Your order is already being processed."),
    "busy": lazy_gettext(
        "Too many people are ordering right now. Nothing was ordered for you; please try again in a moment."
    ),
    "unavailable": lazy_gettext(
        "The box office is not responding. Please try again in a moment; trying again never orders twice."
    ),
    "wrong-credentials": lazy_gettext("Wrong e-mail or password."),
    "passwords-busy": lazy_gettext("Too many people are signing in right now. Please try again in a moment."),
    "too-many-requests": lazy_gettext("Too many tries, please wait."),
    "unknown-code": lazy_gettext(
        "This is not valid: it was used, is older than 24 hours, was requested elsewhere, or is mistyped."
    ),
    "email-taken": lazy_gettext("There is already an account with this address. You can sign in with it."),
    "precondition-failed": lazy_gettext("Somebody else changed this in the meantime. Please open it again."),
    "transition-refused": lazy_gettext("That is not possible with the event’s current status."),
    "has-events": lazy_gettext("You organize events, so your account cannot be deleted. Contact the operator."),
    "has-purchases": lazy_gettext("It has purchases, so it cannot be removed. Lower its quantity to stop sales."),
    "has-seats": lazy_gettext("It has seats in the seating plan. Change the plan first."),
    "too-many-ticket-types": lazy_gettext("An event can have at most 200 ticket types."),
    "nothing-chosen": lazy_gettext("Please choose at least one ticket."),
}


def shown_refusal() -> str | None:
    """Why something was refused, by the URL; None where it does not say that."""
    kind = request.args.get("refused")
    return refusal_text(kind) if kind else None


def refusal_text(kind: str) -> str:
    """The text for a problem or a reason by name."""
    text = REFUSAL_TEXTS.get(kind)
    return gettext("That was not possible.") if text is None else str(text)
