"""What a request becomes: the command for the ledger, or an answer that refuses it."""

from typing import Final, TypeGuard
from uuid import UUID

from msgspec.structs import replace

from tables.ids import id_bytes, name_based_id
from tables.messages.answers import Answer, AnswerStatus
from tables.messages.commands import Buy, Cancel, Confirm, Exchange, Hold
from tables.messages.encoding import from_milliseconds
from tables.messages.requests import HoldRequest, Request

PURCHASES: Final = UUID("7a3f5a9e-0d53-5c57-9a55-2f1f8b1c6f0e")

RequestCommand = Buy | Hold | Confirm | Cancel | Exchange


def purchase_of(producer: str, purchase: UUID) -> UUID:
    """The ledger's id of a producer's purchase.

    Each producer has ids of its own: none can name the purchase of another, whatever ids it has read.
    """
    return name_based_id(PURCHASES, f"{producer}/{id_bytes(purchase).decode()}")


def command_of(request: Request, producer: str, hold_seconds: int) -> RequestCommand:
    """The command of a request; ``hold_seconds`` is the operator's length of a hold."""
    event, purchase, account = request.event, purchase_of(producer, request.purchase), request.account
    if isinstance(request, HoldRequest):
        if request.seconds is None:
            return Hold(event, purchase, account, request.lines, hold_seconds, by_default=True)
        return Hold(event, purchase, account, request.lines, request.seconds)
    return replace(request, purchase=purchase)


def starts_purchase(request: Request) -> TypeGuard[Buy | HoldRequest]:
    """Whether the event must be known to the ledger first: for any other request it is, if the purchase is."""
    return isinstance(request, (Buy, HoldRequest))


def throttled(request: Request, retry_at_ms: int) -> Answer:
    """The answer to a request beyond the producer's quota."""
    return Answer(status=AnswerStatus.THROTTLED, purchase=request.purchase, retry_at=from_milliseconds(retry_at_ms))


def forbidden(request: Request, *, takes_payments: bool) -> Answer | None:
    """The answer to a confirm with a payment of a producer that takes none; None to any other request."""
    if takes_payments or not isinstance(request, Confirm) or request.payment is None:
        return None
    detail = "this producer has no right to confirm with a payment"
    return Answer(status=AnswerStatus.FORBIDDEN, purchase=request.purchase, detail=detail, field="payment")


def unknown(request: Request, *, is_account_known: bool, is_event_known: bool) -> Answer | None:
    """The answer to a request of an account or for an event that does not exist; None if both do.

    A cancel is let through in any case: it gives tickets back.
    """
    if not is_account_known and not isinstance(request, Cancel):
        status, detail, field = AnswerStatus.UNKNOWN_ACCOUNT, "there is no such account", "account"
    elif not is_event_known and starts_purchase(request):
        status, detail, field = AnswerStatus.UNKNOWN_EVENT, "there is no such event", "event"
    else:
        return None
    return Answer(status=status, purchase=request.purchase, detail=detail, field=field)
