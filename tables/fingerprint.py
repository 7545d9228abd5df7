"""The fingerprint of a purchase's body: equal for bodies that ask for the same, different for all others."""

from collections.abc import Iterable
from hashlib import blake2b
from uuid import UUID

from tables.commands import Line


def fingerprint(account: UUID, lines: Iterable[Line], kind: str) -> str:
    """24 hex digits over kind, account and lines; the order of lines and their splitting do not count."""
    wanted: dict[str, int] = {}
    for line in lines:
        ticket_type = str(line.ticket_type)
        wanted[ticket_type] = wanted.get(ticket_type, 0) + line.quantity
    content = [kind, str(account), *(f"{ticket_type}*{wanted[ticket_type]}" for ticket_type in sorted(wanted))]
    return blake2b("\n".join(content).encode(), digest_size=12).hexdigest()
