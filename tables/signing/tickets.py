"""Tickets as a gate reads them: signed with Ed25519, so that whoever has the public key can check one without asking.

A ticket is ``TS1.`` and 148 letters of base 32: the event (16 bytes), the ticket's code (12), the signature of all
before it (64). No letter needs more than a QR code's alphanumeric mode.
"""

from base64 import b32decode, b32encode
from binascii import Error
from hashlib import blake2b
from typing import Final, NamedTuple
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tables.errors import TurnstileError

MARK: Final = "TS1."
SIGNATURE_BYTES: Final = 64
LENGTH: Final = len(MARK) + 148
_PADDING: Final = "===="


class NoTicket(TurnstileError):
    """A text is no ticket of ours; the message says why."""


class Ticket(NamedTuple):
    """What a gate learns: of which event, and which one. A code admits once."""

    event: UUID
    code: str


class TicketSigner:
    """Signs tickets. ``key`` is the secret of the ticket codes, from which the signing key is derived."""

    def __init__(self, key: bytes) -> None:
        seed = blake2b(key=key[:64], digest_size=32, person=b"ticket-signature").digest()
        self._private = Ed25519PrivateKey.from_private_bytes(seed)

    @property
    def public_key(self) -> Ed25519PublicKey:
        """What gates are given."""
        return self._private.public_key()

    @property
    def public_pem(self) -> str:
        """The public key as a PEM file."""
        return self.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def sign(self, ticket: Ticket) -> str:
        """The ticket as a text. Raises ValueError for a code that is none."""
        body = ticket.event.bytes + bytes.fromhex(ticket.code)
        return _written(body + self._private.sign(MARK.encode() + body))


def read_ticket(text: str, public_key: Ed25519PublicKey) -> Ticket:
    """The ticket that ``text`` is. Raises NoTicket."""
    if len(text) != LENGTH or not text.startswith(MARK):
        raise NoTicket("this is not the form of a ticket")
    try:
        content = b32decode(text[len(MARK) :] + _PADDING)
        body, signature = content[:-SIGNATURE_BYTES], content[-SIGNATURE_BYTES:]
        public_key.verify(signature, MARK.encode() + body)
    except (Error, ValueError) as error:
        raise NoTicket("this is not the form of a ticket") from error
    except InvalidSignature as error:
        raise NoTicket("the signature is wrong") from error
    # The last letter has bits to spare, in which two texts could be one ticket.
    if text != _written(content):
        raise NoTicket("this is not the form of a ticket")
    return Ticket(UUID(bytes=body[:16]), body[16:].hex())


def _written(content: bytes) -> str:
    return MARK + b32encode(content).decode().rstrip("=")
