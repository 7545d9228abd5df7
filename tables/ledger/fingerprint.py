"""The fingerprint of a purchase's body: equal for equivalent bodies, different for all others."""

from collections.abc import Sequence
from hashlib import blake2b
from uuid import UUID

from tables.messages.commands import TicketLine


def merge(lines: Sequence[TicketLine]) -> dict[UUID, int]:
    """Quantities by ticket type, in the order of the first mention."""
    if len(lines) == 1:  # as nearly all purchases have; each look into a dictionary hashes an id in Python
        return {lines[0].ticket_type: lines[0].quantity}
    wanted: dict[UUID, int] = {}
    for line in lines:
        wanted[line.ticket_type] = wanted.get(line.ticket_type, 0) + line.quantity
    return wanted


def fingerprint(account: UUID, lines: Sequence[TicketLine], kind: str) -> str:
    """24 hex digits over kind, account and lines; neither the order of lines nor split quantities matter."""
    # Nearly all have one line; merging would hash its id in Python.
    wanted = merge(lines).items() if len(lines) > 1 else [(line.ticket_type, line.quantity) for line in lines]
    content = [ticket_type.bytes + quantity.to_bytes(8, "big") for ticket_type, quantity in wanted]
    content.sort()
    return blake2b(b"".join((account.bytes, *content, kind.encode())), digest_size=12).hexdigest()
