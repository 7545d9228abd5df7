"""The operator's limits on holds: set by a command in the log, kept in the ledger's table, applied to later holds.

The table has one record per partition, under a key that no event has. A partition without one has no limits.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple
from uuid import UUID

import msgspec
from msgspec import Struct

from tables.ledger.records import NO_EVENT, Holding
from tables.messages.commands import PAYMENT_DEFAULT_S, Buy, Hold, LimitHolds
from tables.messages.encoding import from_milliseconds
from tables.messages.reasons import Reason, Refusal

HOLD_LIMITS_KEY: Final = NO_EVENT + b"l"


class HoldLimits(Struct, frozen=True, array_like=True):
    """The limits that the command at ``offset`` set; None means no limit, or the default of ``payment_seconds``.

    Holds are counted, and ended holds remembered, after the first such command, at ``since``: so a log without one
    gives the same records as versions without limits.
    """

    offset: int
    since: int
    max_seconds: int | None = None
    max_tickets: int | None = None
    cooldown_seconds: int | None = None
    payment_seconds: int | None = None

    def then(self, offset: int, command: LimitHolds) -> "HoldLimits":
        """The limits after the command at ``offset``."""
        limits = (command.max_seconds, command.max_tickets, command.cooldown_seconds, command.payment_seconds)
        return HoldLimits(offset, min(self.since, offset), *limits)

    def command(self) -> LimitHolds:
        """The command that sets these limits."""
        return LimitHolds(self.max_seconds, self.max_tickets, self.cooldown_seconds, self.payment_seconds)


UNLIMITED: Final = HoldLimits(-1, 2**62)


class HoldContext(NamedTuple):
    """What decides on an account's next hold of an event: the limits, and what it holds and let go of the event."""

    limits: HoldLimits
    holding: Holding


encode_limits = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(HoldLimits).decode


def decode_limits(record: bytes | None) -> HoldLimits:
    """The limits in the record at HOLD_LIMITS_KEY; none without one."""
    return UNLIMITED if record is None else _decode(record)


def hold_seconds(command: Buy | Hold, context: HoldContext | None) -> int:
    """How long a hold lasts: the seconds of the command, cut to the limit (``hold_refusal`` refuses chosen ones).

    A purchase that must be paid is held for the operator's time to pay.
    """
    limits = context.limits if context else UNLIMITED
    seconds = command.seconds if isinstance(command, Hold) else limits.payment_seconds or PAYMENT_DEFAULT_S
    return seconds if limits.max_seconds is None else min(seconds, limits.max_seconds)


def hold_refusal(command: Buy | Hold, context: HoldContext, wanted: Mapping[UUID, int], at: int) -> Refusal | None:
    """Why a hold of the ``wanted`` tickets is refused at ``at`` (ms); None if it is accepted."""
    limits = context.limits
    chosen = command.seconds if isinstance(command, Hold) and not command.by_default else 0
    if limits.max_seconds is not None and chosen > limits.max_seconds:
        return Reason.HOLD_TOO_LONG, {"limit": limits.max_seconds, "requested": chosen}
    requested = sum(wanted.values())
    held = context.holding.held
    if limits.max_tickets is not None and held + requested > limits.max_tickets:
        return Reason.HOLD_LIMIT_EXCEEDED, {"limit": limits.max_tickets, "requested": requested, "held": held}
    if limits.cooldown_seconds is not None and context.holding.let_go:
        return _too_soon(limits.cooldown_seconds, dict(context.holding.let_go), wanted, at)
    return None


def _too_soon(seconds: int, let_go: Mapping[UUID, int], wanted: Mapping[UUID, int], at: int) -> Refusal | None:
    """The refusal if the account let go of a ``wanted`` type less than ``seconds`` ago; it names the latest one."""
    recent = [key for key in wanted if key in let_go]
    if not recent:
        return None
    latest = max(recent, key=let_go.__getitem__)
    retry_at = let_go[latest] + seconds * 1000
    if at >= retry_at:
        return None
    return Reason.HOLD_TOO_SOON, {
        "limit": seconds,
        "ticketType": str(latest),
        "retryAt": from_milliseconds(retry_at).isoformat(),
    }
