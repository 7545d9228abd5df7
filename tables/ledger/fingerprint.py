"""The fingerprint of a purchase's body: equal for equivalent bodies, different for all others."""

from collections.abc import Collection, Sequence
from hashlib import blake2b
from uuid import UUID

import msgspec
from msgspec.structs import replace

from tables.messages.commands import Buy, Hold, TicketLine

_encode = msgspec.json.Encoder().encode


def merge(lines: Sequence[TicketLine]) -> dict[UUID, int]:
    """Quantities by ticket type, in the order of the first mention."""
    wanted: dict[UUID, int] = {}
    for line in lines:
        wanted[line.ticket_type] = wanted.get(line.ticket_type, 0) + line.quantity
    return wanted


def quantities(lines: Sequence[TicketLine]) -> Collection[tuple[UUID, int]]:
    """The same as pairs. Nearly all purchases have one line, whose id need not be hashed for that (in Python)."""
    return merge(lines).items() if len(lines) > 1 else [(line.ticket_type, line.quantity) for line in lines]


def asks_for_seats(lines: Sequence[TicketLine]) -> bool:
    """Whether a line names seats or asks for the best ones."""
    return bool([line for line in lines if line.seats or line.best is not None])


def _seats_asked_for(line: TicketLine) -> bytes:
    return _encode((line.ticket_type, sorted(line.seats), line.best)) if line.seats or line.best is not None else b""


def fingerprint(account: UUID, lines: Sequence[TicketLine], kind: str) -> str:
    """24 hex digits over kind, account and lines; neither the order of lines and seats nor split quantities matter."""
    if len(lines) == 1:
        line = lines[0]
        content = _line_bytes(line.ticket_type, line.quantity) + _seats_asked_for(line)
    else:
        content = b"".join(sorted([_line_bytes(*each) for each in merge(lines).items()]))
        content += b"".join(sorted([_seats_asked_for(line) for line in lines]))
    return blake2b(account.bytes + content + kind.encode(), digest_size=12).hexdigest()


def buyer_fingerprint(command: Buy | Hold) -> str:
    """The fingerprint of a request's body: the same purchase id with another body is refused."""
    if not isinstance(command, Hold):
        return fingerprint(command.account, command.lines, "purchase")
    return fingerprint(command.account, command.lines, "hold" if command.by_default else f"hold {command.seconds}")


def recorded_fingerprints(command: Buy | Hold) -> tuple[str, ...]:
    """The fingerprints that a purchase with the same body may have on record.

    Versions without ``by_default`` recorded the operator's seconds as if the buyer had chosen them.
    """
    if isinstance(command, Hold) and command.by_default:
        return buyer_fingerprint(command), buyer_fingerprint(replace(command, by_default=False))
    return (buyer_fingerprint(command),)


def _line_bytes(ticket_type: UUID, quantity: int) -> bytes:
    return ticket_type.bytes + quantity.to_bytes(8, "big")
