"""Signed links: a bearer token for one action on one subject until an expiry time.

The token is ``<body>.<signature>`` in URL-safe base64. The body is the expiry (8 bytes, whole seconds since 1970) and
the subject. The signature is HMAC-SHA256 over the kind and the encoded body, so a token is valid for one kind only.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final

from tables.errors import TurnstileError

# The parameter of every link in a mail that says the mail's language.
LANGUAGE_PARAMETER: Final = "mail"
SUBJECT_MAX_BYTES: Final = 256
EXPIRY_BYTES: Final = 8
# Each use signs with a key of its own, so a link is never accepted as a session token, CSRF token or purchase id.
_PURPOSE: Final = b"turnstile link 1"


class LinkKind(StrEnum):
    """The action that a link allows."""

    FINISH_HOLD = "finish-hold"
    SEE_PURCHASE = "see-purchase"
    CONFIRM_ADDRESS = "confirm-address"
    RESET_PASSWORD = "reset-password"  # noqa: S105 (the name of a kind)


class LinkInvalid(TurnstileError):
    """Not a link of that kind that we signed."""


class LinkExpired(TurnstileError):
    """A link that we signed and that has expired; ``subject`` is what it was for."""

    def __init__(self, subject: bytes) -> None:
        super().__init__("the link has expired")
        self.subject = subject


class LinkSigner:
    """Signs links with the first of the ``keys`` and verifies links of any. It derives its signing keys from them."""

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys:
            raise ValueError("there is no key to sign links with")
        self._keys = [hmac.digest(key.encode(), _PURPOSE, "sha256") for key in keys]

    def sign(self, kind: LinkKind, subject: bytes, expires: datetime) -> str:
        """The link for a subject of at most 256 bytes, valid until ``expires``. Raises ValueError."""
        if len(subject) > SUBJECT_MAX_BYTES:
            raise ValueError(f"the link's subject has {len(subject)} bytes; it may have {SUBJECT_MAX_BYTES}")
        body = _encode(int(expires.timestamp()).to_bytes(EXPIRY_BYTES) + subject)
        return f"{body.decode()}.{_signature(self._keys[0], kind, body).decode()}"

    def verify(self, kind: LinkKind, text: str, now: datetime) -> bytes:
        """The subject of a link of that kind. Raises LinkInvalid, or LinkExpired if it expired before ``now``."""
        body, _, signature = text.encode(errors="replace").partition(b".")
        if not any(hmac.compare_digest(_signature(key, kind, body), signature) for key in self._keys):
            raise LinkInvalid("this is not one of our links, or a part of it is missing")
        content = urlsafe_b64decode(body + b"=" * (-len(body) % 4))
        subject = content[EXPIRY_BYTES:]
        if int.from_bytes(content[:EXPIRY_BYTES]) <= now.timestamp():
            raise LinkExpired(subject)
        return subject


def _signature(key: bytes, kind: LinkKind, body: bytes) -> bytes:
    return _encode(hmac.digest(key, b"%s\0%s" % (kind.encode(), body), "sha256"))


def _encode(content: bytes) -> bytes:
    return urlsafe_b64encode(content).rstrip(b"=")
