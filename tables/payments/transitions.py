"""The state machine of a payment, in one table: the state, what happened, the next state, what to do.

A pair without a row changes no state and asks for nothing. Amounts are kept by tables/payments/payment.py, which also
tells apart what the table has as different signals.
"""

from enum import StrEnum
from typing import Final, NamedTuple


class PaymentState(StrEnum):
    """Where a payment is. ``due`` waits for the buyer to start, ``declined`` for another try.

    Ends: ``ended`` (nothing was asked, and the hold is over or has only free tickets left), ``voided``, ``refunded``,
    and ``elsewhere`` (somebody else took the money). ``captured`` stays until tickets are given back. ``revoking``
    takes back tickets that can't be charged.
    """

    DUE = "due"
    AUTHORIZING = "authorizing"
    DECLINED = "declined"
    CONFIRMING = "confirming"
    CAPTURING = "capturing"
    CAPTURED = "captured"
    REVOKING = "revoking"
    REFUNDING = "refunding"
    REFUNDED = "refunded"
    VOIDING = "voiding"
    VOIDED = "voided"
    ENDED = "ended"
    ELSEWHERE = "elsewhere"


class Signal(StrEnum):
    """What happened, as the table tells it apart.

    ``…-paid``: money was captured already. ``-more`` and ``-less``: captured is more or less than the tickets are
    worth. ``returned``: no tickets are left; ``reduced``: some are. ``refunded-all`` and ``-part``: nothing, or not yet
    all, is left to give back. ``refund-granted``: money goes back for tickets that are kept.
    """

    STARTED = "started"
    CONFIRMED = "confirmed"
    CONFIRMED_PAID = "confirmed-paid"
    CONFIRMED_MORE = "confirmed-more"
    REFUSED = "refused"
    REFUSED_PAID = "refused-paid"
    ENDED = "ended"
    REDUCED = "reduced"
    RETURNED = "returned"
    RETURNED_PAID = "returned-paid"
    OPENED = "opened"
    DECLINED = "declined"
    AUTHORIZED = "authorized"
    MISMATCHED = "mismatched"
    CAPTURED = "captured"
    CAPTURED_MORE = "captured-more"
    CAPTURED_LESS = "captured-less"
    VOIDED = "voided"
    REFUNDED = "refunded"
    REFUNDED_ALL = "refunded-all"
    REFUNDED_PART = "refunded-part"
    FAILED = "failed"
    FAILED_RETURNED = "failed-returned"
    DISPUTED = "disputed"
    CHECKED = "checked"
    REFUND_GRANTED = "refund-granted"


class TaskKind(StrEnum):
    """What is to be done: commands to the ledger (EXTEND, CONFIRM, CANCEL), or requests to the provider."""

    EXTEND = "extend"
    AUTHORIZE = "authorize"
    CONFIRM = "confirm"
    CAPTURE = "capture"
    VOID = "void"
    REFUND = "refund"
    CANCEL = "cancel"


class Step(NamedTuple):
    """The next state, and what is to be done."""

    state: PaymentState
    tasks: tuple[TaskKind, ...] = ()


S, E, T = PaymentState, Signal, TaskKind
TRANSITIONS: Final[dict[tuple[PaymentState, Signal], Step]] = {
    (S.DUE, E.STARTED): Step(S.AUTHORIZING, (T.AUTHORIZE, T.EXTEND)),
    (S.DUE, E.ENDED): Step(S.ENDED),
    (S.DUE, E.CONFIRMED): Step(S.ELSEWHERE),
    # The authorization had failed, and succeeded after all.
    (S.DUE, E.AUTHORIZED): Step(S.CONFIRMING, (T.CONFIRM,)),
    (S.DUE, E.CAPTURED): Step(S.CONFIRMING, (T.CONFIRM,)),
    (S.DUE, E.MISMATCHED): Step(S.VOIDING, (T.VOID,)),
    (S.DUE, E.CAPTURED_MORE): Step(S.REFUNDING, (T.REFUND,)),
    (S.DUE, E.CAPTURED_LESS): Step(S.REFUNDING, (T.REFUND,)),
    # A hold that ends soon is lengthened, once (tables/payments/payment.py).
    (S.AUTHORIZING, E.CHECKED): Step(S.AUTHORIZING, (T.EXTEND,)),
    (S.AUTHORIZING, E.DECLINED): Step(S.DECLINED),
    (S.AUTHORIZING, E.AUTHORIZED): Step(S.CONFIRMING, (T.CONFIRM,)),
    (S.AUTHORIZING, E.CAPTURED): Step(S.CONFIRMING, (T.CONFIRM,)),
    # The amount is not what was asked for.
    (S.AUTHORIZING, E.MISMATCHED): Step(S.VOIDING, (T.VOID,)),
    (S.AUTHORIZING, E.CAPTURED_MORE): Step(S.REFUNDING, (T.REFUND,)),
    (S.AUTHORIZING, E.CAPTURED_LESS): Step(S.REFUNDING, (T.REFUND,)),
    (S.AUTHORIZING, E.VOIDED): Step(S.DUE),
    (S.AUTHORIZING, E.FAILED): Step(S.DUE),
    (S.AUTHORIZING, E.ENDED): Step(S.VOIDING, (T.VOID,)),
    (S.AUTHORIZING, E.CONFIRMED): Step(S.VOIDING, (T.VOID,)),
    (S.DECLINED, E.STARTED): Step(S.AUTHORIZING),
    (S.DECLINED, E.OPENED): Step(S.AUTHORIZING),
    (S.DECLINED, E.AUTHORIZED): Step(S.CONFIRMING, (T.CONFIRM,)),
    (S.DECLINED, E.CAPTURED): Step(S.CONFIRMING, (T.CONFIRM,)),
    (S.DECLINED, E.MISMATCHED): Step(S.VOIDING, (T.VOID,)),
    (S.DECLINED, E.CAPTURED_MORE): Step(S.REFUNDING, (T.REFUND,)),
    (S.DECLINED, E.CAPTURED_LESS): Step(S.REFUNDING, (T.REFUND,)),
    (S.DECLINED, E.VOIDED): Step(S.DUE),
    (S.DECLINED, E.ENDED): Step(S.VOIDING, (T.VOID,)),
    (S.DECLINED, E.CONFIRMED): Step(S.VOIDING, (T.VOID,)),
    # A hold that has ended meanwhile is refused by the ledger, so the refusal is waited for.
    (S.CONFIRMING, E.CONFIRMED): Step(S.CAPTURING, (T.CAPTURE,)),
    (S.CONFIRMING, E.CONFIRMED_PAID): Step(S.CAPTURED),
    (S.CONFIRMING, E.CONFIRMED_MORE): Step(S.REFUNDING, (T.REFUND,)),
    (S.CONFIRMING, E.REFUSED): Step(S.VOIDING, (T.VOID,)),
    (S.CONFIRMING, E.REFUSED_PAID): Step(S.REFUNDING, (T.REFUND,)),
    (S.CAPTURING, E.CAPTURED): Step(S.CAPTURED),
    (S.CAPTURING, E.CAPTURED_MORE): Step(S.REFUNDING, (T.REFUND,)),
    (S.CAPTURING, E.CAPTURED_LESS): Step(S.CAPTURED),
    # The authorization is gone: tickets that nobody pays for are taken back.
    (S.CAPTURING, E.FAILED): Step(S.REVOKING, (T.CANCEL,)),
    (S.CAPTURING, E.VOIDED): Step(S.REVOKING, (T.CANCEL,)),
    (S.CAPTURING, E.FAILED_RETURNED): Step(S.VOIDING, (T.VOID,)),
    (S.REVOKING, E.RETURNED): Step(S.VOIDING, (T.VOID,)),
    (S.REVOKING, E.RETURNED_PAID): Step(S.REFUNDING, (T.REFUND,)),
    (S.CAPTURED, E.REDUCED): Step(S.REFUNDING, (T.REFUND,)),
    (S.CAPTURED, E.RETURNED_PAID): Step(S.REFUNDING, (T.REFUND,)),
    (S.CAPTURED, E.REFUNDED_ALL): Step(S.REFUNDED),
    (S.CAPTURED, E.CAPTURED_MORE): Step(S.REFUNDING, (T.REFUND,)),
    (S.CAPTURED, E.REFUND_GRANTED): Step(S.REFUNDING, (T.REFUND,)),
    (S.REFUNDING, E.REFUND_GRANTED): Step(S.REFUNDING, (T.REFUND,)),
    (S.REFUNDING, E.REDUCED): Step(S.REFUNDING, (T.REFUND,)),
    (S.REFUNDING, E.RETURNED_PAID): Step(S.REFUNDING, (T.REFUND,)),
    (S.REFUNDING, E.CAPTURED_MORE): Step(S.REFUNDING, (T.REFUND,)),
    # An answer that was lost came late: another refund was measured without it.
    (S.REFUNDING, E.REFUNDED_PART): Step(S.REFUNDING, (T.REFUND,)),
    (S.REFUNDING, E.REFUNDED): Step(S.CAPTURED),
    (S.REFUNDING, E.REFUNDED_ALL): Step(S.REFUNDED),
    (S.VOIDING, E.VOIDED): Step(S.VOIDED),
    # The request that made it came after the one that was to void it.
    (S.VOIDING, E.OPENED): Step(S.VOIDING, (T.VOID,)),
    (S.VOIDING, E.CAPTURED_MORE): Step(S.REFUNDING, (T.REFUND,)),
    # A payment that succeeds after its hold has ended.
    (S.VOIDED, E.AUTHORIZED): Step(S.VOIDING, (T.VOID,)),
    (S.VOIDED, E.MISMATCHED): Step(S.VOIDING, (T.VOID,)),
    (S.VOIDED, E.CAPTURED_MORE): Step(S.REFUNDING, (T.REFUND,)),
    (S.ENDED, E.AUTHORIZED): Step(S.VOIDING, (T.VOID,)),
    (S.ENDED, E.MISMATCHED): Step(S.VOIDING, (T.VOID,)),
    (S.ENDED, E.CAPTURED_MORE): Step(S.REFUNDING, (T.REFUND,)),
    (S.ELSEWHERE, E.AUTHORIZED): Step(S.VOIDING, (T.VOID,)),
    (S.ELSEWHERE, E.MISMATCHED): Step(S.VOIDING, (T.VOID,)),
    (S.ELSEWHERE, E.CAPTURED_MORE): Step(S.REFUNDING, (T.REFUND,)),
    (S.REFUNDED, E.CAPTURED_MORE): Step(S.REFUNDING, (T.REFUND,)),
}
# What an unfinished state waits for; ``declined`` waits for the buyer alone.
WORK: Final[dict[PaymentState, frozenset[TaskKind]]] = {
    S.AUTHORIZING: frozenset({T.AUTHORIZE, T.EXTEND}),
    S.DECLINED: frozenset(),
    S.CONFIRMING: frozenset({T.CONFIRM}),
    S.CAPTURING: frozenset({T.CAPTURE}),
    S.REVOKING: frozenset({T.CANCEL}),
    S.REFUNDING: frozenset({T.REFUND}),
    S.VOIDING: frozenset({T.VOID}),
}


def step_after(state: PaymentState, signal: Signal) -> Step:
    """The row of the table; the same state without anything to do where it has none."""
    return TRANSITIONS.get((state, signal), Step(state))
