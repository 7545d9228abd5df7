"""Read tokens of the web views: as a bearer token, or as a password of HTTP Basic, which browsers ask for."""

import base64
import binascii
from collections.abc import Sequence
from hmac import compare_digest
from typing import Final

from aiohttp.web import Request

CHALLENGE: Final = 'Basic realm="Turnstile", charset="UTF-8", Bearer realm="Turnstile"'


def is_allowed(request: Request, tokens: Sequence[str]) -> bool:
    """Whether the request has one of the tokens. Without tokens everybody may read."""
    given = _token_of(request.headers.get("Authorization", ""))
    return not tokens or any(compare_digest(given, token.encode()) for token in tokens)


def _token_of(header: str) -> bytes:
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip().encode(errors="surrogateescape")
    if scheme.lower() != "basic":
        return b""
    try:
        return base64.b64decode(value.strip(), validate=True).partition(b":")[2]
    except (ValueError, binascii.Error):
        return b""
