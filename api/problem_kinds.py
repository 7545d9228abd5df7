"""The kinds of problems that the API answers with (RFC 9457), in one table, and which of them a ledger's reason is."""

from dataclasses import dataclass
from typing import Final

from tables.messages.reasons import Reason


@dataclass(frozen=True, slots=True)
class Kind:
    """A row of the table: the problem's status, its title, and when it occurs."""

    status: int
    title: str
    when: str


PROBLEMS: Final[dict[str, Kind]] = {
    "malformed-request": Kind(400, "The request cannot be read", "the body is not JSON"),
    "idempotency-key-missing": Kind(
        400,
        "The header Idempotency-Key is missing or invalid",
        "a purchase without a key, or with a key that is empty or longer than 255 characters",
    ),
    "webhook-refused": Kind(
        400,
        "The webhook is not one of the provider",
        "a signature that is missing, wrong, or older than five minutes",
    ),
    "unauthorized": Kind(
        401, "The request needs a valid token", "no token, or one that is invalid, expired or revoked"
    ),
    "wrong-credentials": Kind(
        401, "Wrong e-mail or password", "signing in with an unknown address or a wrong password"
    ),
    "payment-required": Kind(
        402,
        "The purchase has to be paid first",
        "a hold in an event that is paid online; `figures` has the amount that is due",
    ),
    "forbidden": Kind(
        403,
        "You are not allowed to do this",
        "the resource belongs to somebody else, or needs a role that the caller lacks",
    ),
    "not-found": Kind(404, "There is no such resource", "no resource with this id, or no such path"),
    "method-not-allowed": Kind(
        405, "The resource does not support this method", "the `Allow` header lists the supported ones"
    ),
    "request-timeout": Kind(
        408, "The request took too long to arrive", "the request did not arrive completely within ten seconds"
    ),
    "already-exists": Kind(409, "A resource with this id already exists", "the id that the client chose is in use"),
    "email-taken": Kind(
        409,
        "An account with this e-mail address already exists",
        "another account has this address; upper and lower case are the same",
    ),
    "transition-refused": Kind(
        409,
        "The event cannot change to this status",
        "`from`, `to` and `allowed` say from which status to which, and which are allowed",
    ),
    "too-many-ticket-types": Kind(
        409, "The event cannot have more ticket types", "an event has at most 200 ticket types"
    ),
    "still-running": Kind(
        409, "A request with this Idempotency-Key is still running", "the first request with this key has no answer yet"
    ),
    "sold-out": Kind(409, "There are not enough tickets left", "fewer tickets are left than requested"),
    "nothing-to-send": Kind(409, "This purchase has no tickets to send", "the purchase is neither held nor confirmed"),
    "not-on-sale": Kind(
        409, "The tickets are not on sale now", "before the ticket type's sale starts or after it ends"
    ),
    "event-not-open": Kind(409, "The event is not selling tickets now", "the event is not ACTIVE"),
    "order-limit-exceeded": Kind(409, "The purchase has too many tickets", "more tickets than one purchase may have"),
    "purchase-limit-exceeded": Kind(
        409, "The account would have too many tickets", "more tickets than one account may have"
    ),
    "hold-too-long": Kind(
        409, "The hold is too long", "longer than the operator's limit; `figures` has `limit` in seconds"
    ),
    "hold-limit-exceeded": Kind(
        409,
        "The account would hold too many tickets of the event",
        "counted with what the account already holds; `figures` has `held` and `limit`",
    ),
    "overall-hold-limit-exceeded": Kind(
        409,
        "The account would hold too many tickets over all events",
        "counted with what the account holds over all events; `figures` has `held` and `limit`",
    ),
    "hold-too-soon": Kind(
        409,
        "These tickets cannot be held again yet",
        "the account's hold of them was cancelled or expired a moment ago; `figures` has `retryAt`",
    ),
    "capacity-exceeded": Kind(
        409, "The capacity of the event would be exceeded", "the event's capacity, over all ticket types"
    ),
    "mixed-currencies": Kind(409, "The purchase mixes currencies", "lines with prices in several currencies"),
    "seats-required": Kind(
        409,
        "These tickets are sold by seat",
        "a ticket type with seats in the plan needs `seats` or `best`; some of its tickets are given back by `seats`",
    ),
    "not-seated": Kind(409, "These tickets have no seats", "`seats` or `best` of a ticket type without seats"),
    "invalid-seats": Kind(
        409,
        "The seats do not fit the tickets",
        "a seat twice, another quantity than there are seats, `seats` and `best` in one line, or two lines of one type",
    ),
    "unknown-seat": Kind(
        409,
        "There is no such seat",
        "not in the plan that is in force, or of another ticket type; `figures.seats` has at most 20 of them",
    ),
    "seat-taken": Kind(
        409,
        "Somebody else has these seats",
        "`figures.seats` has at most 20 of them, `figures.nearest` as many free ones that are near",
    ),
    "no-adjacent-seats": Kind(
        409, "There are not enough seats beside each other", "`figures.longest` is the longest run that is left"
    ),
    "unequal-exchange": Kind(
        409, "The seats cannot be exchanged for these", "as many of each ticket type as are given back"
    ),
    "has-events": Kind(409, "The account has events", "an organizer's account cannot be deleted before its events"),
    "has-purchases": Kind(
        409,
        "The event or ticket type has purchases",
        "an event or a ticket type with purchases is cancelled, not deleted",
    ),
    "has-seats": Kind(
        409, "The ticket type has seats in the plan", "it stays until the event has another plan, or none"
    ),
    "seats-taken": Kind(
        409,
        "The plan would change seats that are held or sold",
        "a seat that is out stays as it is: its name, category, kind and place; `seats` has at most 20 of them",
    ),
    "too-many-plans": Kind(
        409, "The event had too many seating plans", "an event has at most 100 of them, one after the other"
    ),
    "payment-mode-fixed": Kind(
        409,
        "How the event is paid cannot be changed now",
        "tickets of the event are held or sold; `payment` changes only while none is",
    ),
    "precondition-failed": Kind(
        412,
        "The resource was changed in the meantime",
        "`If-Match` names another version; `version` is the current one",
    ),
    "not-held": Kind(
        409,
        "The purchase is not held",
        "only a hold can be confirmed, and only until its deadline; `figures` has the status",
    ),
    "nothing-to-pay": Kind(
        409, "The purchase is not paid online", "a free one, or one of an event whose money is taken elsewhere"
    ),
    "refund-too-large": Kind(
        409,
        "The refund is more than what is left of the payment",
        "captured, less refunded and what is on its way back; `figures` has `captured`, `refunded`, `refundable`",
    ),
    "nothing-to-cancel": Kind(
        409, "The purchase does not have these tickets", "they were cancelled already, or never belonged to it"
    ),
    "too-many-changes": Kind(
        409,
        "The purchase was changed too often",
        "the rest of it can still be cancelled, but only as a whole; `figures` has the limit",
    ),
    "body-too-large": Kind(413, "The body is too large", "more than 64 KiB, or more than 8 MiB of a seating plan"),
    "unsupported-media-type": Kind(
        415, "The body is not application/json", "a body that is not `application/json`, or has a `Content-Encoding`"
    ),
    "invalid-input": Kind(422, "The request has fields that are missing or wrong", "`errors` lists the fields"),
    "unknown-account": Kind(422, "There is no such account", "no account has this id"),
    "unknown-event": Kind(
        422, "There is no such event on sale", "no event with this id, a draft, or not known to the ledger yet"
    ),
    "unknown-ticket-type": Kind(422, "The event has no such ticket type", "not a ticket type of this event"),
    "idempotency-key-reused": Kind(
        422, "This Idempotency-Key was used with another body", "the key belongs to a request with another body"
    ),
    "unknown-code": Kind(
        422,
        "The code is not valid",
        "a code or a link that was used, is too old, belongs to another `request`, or never existed",
    ),
    "precondition-required": Kind(
        428, "The request must name the version that it changes", "a change without the header `If-Match`"
    ),
    "too-many-requests": Kind(
        429,
        "Too many requests of this kind",
        "too many guesses, mails or sign-ins; try again after `Retry-After` seconds",
    ),
    "head-too-large": Kind(431, "The head of the request is too large", "more than 8 KiB, or more than 64 fields"),
    "internal-error": Kind(500, "Something went wrong on our side", "an error of the server; its log has the cause"),
    "busy": Kind(
        503,
        "Too many purchases are waiting",
        "too many purchases wait in this process; try again after `Retry-After` seconds",
    ),
    "too-many-connections": Kind(
        503,
        "Too many connections",
        "from all clients or from this one; use fewer, or try again after `Retry-After` seconds",
    ),
    "uploads-busy": Kind(
        503,
        "Too many seating plans are being uploaded",
        "four large bodies are on their way to this process; try again after `Retry-After` seconds",
    ),
    "passwords-busy": Kind(
        503,
        "Too many passwords are being checked",
        "too many sign-ins and sign-ups at once; try again after `Retry-After` seconds",
    ),
    "unavailable": Kind(
        503,
        "A server that this request needs does not answer",
        "`server` names it; try again after `Retry-After` seconds",
    ),
}

# By the ledger's reason for a refusal its problem, which has its name but for one.
REFUSALS: Final[dict[Reason, str]] = {
    **{reason: reason.value for reason in Reason if reason.value in PROBLEMS},
    Reason.ID_REUSED: "idempotency-key-reused",
}
