"""Signed tickets: with the Ed25519 public key, a gate verifies them offline.

A ticket is ``TS1.`` and 148 characters of base32: the event (16 bytes), the ticket's code (12), the signature of all
before it (64). All characters are in a QR code's alphanumeric mode.
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

TICKET_PREFIX: Final = "TS1."
SIGNATURE_BYTES: Final = 64
TICKET_LENGTH: Final = len(TICKET_PREFIX) + 148
_PADDING: Final = "===="


class InvalidTicket(TurnstileError):
    """Not a ticket that we signed; the message says why."""


class Ticket(NamedTuple):
    """A verified ticket: its event and its code. A code admits once."""

    event: UUID
    code: str


class TicketSigner:
    """Signs tickets. The signing key is derived from ``key``, the secret of the ticket codes."""

    def __init__(self, key: bytes) -> None:
        seed = blake2b(key=key[:64], digest_size=32, person=b"ticket-signature").digest()
        self._private = Ed25519PrivateKey.from_private_bytes(seed)

    @property
    def public_key(self) -> Ed25519PublicKey:
        """The key with which gates verify tickets."""
        return self._private.public_key()

    @property
    def public_pem(self) -> str:
        """The public key as a PEM file."""
        return self.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def sign(self, ticket: Ticket) -> str:
        """The signed ticket as text. Raises ValueError if the code isn't hexadecimal."""
        body = ticket.event.bytes + bytes.fromhex(ticket.code)
        return _encoded(body + self._private.sign(TICKET_PREFIX.encode() + body))


def read_ticket(text: str, public_key: Ed25519PublicKey) -> Ticket:
    """Verify a ticket. Raises InvalidTicket."""
    if len(text) != TICKET_LENGTH or not text.startswith(TICKET_PREFIX):
        raise InvalidTicket("this is not the form of a ticket")
    try:
        content = b32decode(text[len(TICKET_PREFIX) :] + _PADDING)
        body, signature = content[:-SIGNATURE_BYTES], content[-SIGNATURE_BYTES:]
        public_key.verify(signature, TICKET_PREFIX.encode() + body)
    except (Error, ValueError) as error:
        raise InvalidTicket("this is not the form of a ticket") from error
    except InvalidSignature as error:
        raise InvalidTicket("the signature is wrong") from error
    # The last character has unused bits, so several texts decode to the same ticket: only one is valid.
    if text != _encoded(content):
        raise InvalidTicket("this is not the form of a ticket")
    return Ticket(UUID(bytes=body[:16]), body[16:].hex())


def _encoded(content: bytes) -> str:
    return TICKET_PREFIX + b32encode(content).decode().rstrip("=")
