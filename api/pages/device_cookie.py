"""The cookie of a browser in which an account has signed in: wrong passwords from elsewhere don't make it wait.

It is valid for the account's address only, grants nothing, and is used for the waiting time only
(api/auth/throttle.py).
"""

import re
import secrets
from typing import Final

from werkzeug.wrappers import Response

from api.auth.clients import address_key
from api.pages.cookies import cookie, set_cookie
from api.ports.ports import ports

NAME: Final = "turnstile-device"
MAX_AGE_S: Final = 180 * 86_400
_NONCE: Final = re.compile(r"[\w-]{16}", re.ASCII)


def device_of(email: str) -> str | None:
    """The browser's name for the throttle, if the account with this address has signed in here before."""
    nonce, _, seal = (cookie(NAME) or "").partition(".")
    is_ours = _NONCE.fullmatch(nonce) and ports().tokens.is_sealed(_purpose(nonce, email), seal)
    return f"device {nonce}" if is_ours else None


def remember(answer: Response, email: str) -> Response:
    """Set the cookie for this address."""
    nonce = secrets.token_urlsafe(12)
    set_cookie(answer, NAME, f"{nonce}.{ports().tokens.seal(_purpose(nonce, email))}", MAX_AGE_S)
    return answer


def _purpose(nonce: str, email: str) -> str:
    return f"device {nonce} {address_key(email)}"
