"""The operator's limits on holds: they come by the log, are kept in the ledger's table, and refuse what is beyond them.

The table keeps one record a partition, under a key that no event has. A partition without one has no limits.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple
from uuid import UUID

import msgspec
from msgspec import Struct

from tables.ledger.outcome_builder import moment
from tables.ledger.records import Holding
from tables.messages.commands import Hold, LimitHolds
from tables.messages.reasons import Reason, Refusal

KEY: Final = bytes(16) + b"l"


class HoldLimits(Struct, frozen=True, array_like=True):
    """The limits that the command at ``offset`` set; None where it set none.

    Holds are counted, and what is let go is remembered, after the first such command, which lies at ``since``: a log
    without one leads to the records that it led to before there were limits.
    """

    offset: int
    since: int
    max_seconds: int | None = None
    max_tickets: int | None = None
    cooldown_seconds: int | None = None

    def then(self, offset: int, command: LimitHolds) -> "HoldLimits":
        """The limits after the command at ``offset``."""
        limits = (command.max_seconds, command.max_tickets, command.cooldown_seconds)
        return HoldLimits(offset, min(self.since, offset), *limits)

    def command(self) -> LimitHolds:
        """The command that sets them."""
        return LimitHolds(self.max_seconds, self.max_tickets, self.cooldown_seconds)


UNLIMITED: Final = HoldLimits(-1, 2**62)


class Holder(NamedTuple):
    """What an account's next hold of an event is measured by: the limits, and what it holds and let go of the event."""

    limits: HoldLimits
    holding: Holding


encode_limits = msgspec.msgpack.Encoder().encode
decode_limits = msgspec.msgpack.Decoder(HoldLimits).decode


def seconds_of(command: Hold, holder: Holder | None) -> int:
    """How long a hold lasts: as long as was asked for, but a time that nobody asked for is shortened to the limit."""
    most = holder.limits.max_seconds if holder else None
    return command.seconds if most is None else min(command.seconds, most)


def hold_refusal(command: Hold, holder: Holder, wanted: Mapping[UUID, int], at: int) -> Refusal | None:
    """Why a hold of the ``wanted`` tickets is refused at ``at`` (ms); None if it is not."""
    limits = holder.limits
    if limits.max_seconds is not None and command.seconds > limits.max_seconds and not command.by_default:
        return Reason.HOLD_TOO_LONG, {"limit": limits.max_seconds, "requested": command.seconds}
    requested = sum(wanted.values())
    held = holder.holding.held
    if limits.max_tickets is not None and held + requested > limits.max_tickets:
        return Reason.HOLD_LIMIT_EXCEEDED, {"limit": limits.max_tickets, "requested": requested, "held": held}
    if limits.cooldown_seconds is not None and holder.holding.let_go:
        return _too_soon(limits.cooldown_seconds, dict(holder.holding.let_go), wanted, at)
    return None


def _too_soon(seconds: int, let_go: Mapping[UUID, int], wanted: Mapping[UUID, int], at: int) -> Refusal | None:
    """The refusal for that of the ``wanted`` types which was let go last, while it was not so many ``seconds`` ago."""
    known = [kind for kind in wanted if kind in let_go]
    if not known:
        return None
    latest = max(known, key=let_go.__getitem__)
    retry_at = let_go[latest] + seconds * 1000
    if at >= retry_at:
        return None
    return Reason.HOLD_TOO_SOON, {
        "limit": seconds,
        "ticketType": str(latest),
        "retryAt": moment(retry_at).isoformat(),
    }
