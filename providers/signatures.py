"""Signatures of webhooks: HMAC-SHA256 of the time and the body, in a header ``t=<seconds since 1970>,v1=<hex>``."""

import hmac
import re
from hashlib import sha256
from typing import Final

from providers.port import WEBHOOK_MAX_AGE_S, WebhookRefused

_HEADER: Final = re.compile(r"t=([0-9]{1,12}),v1=([0-9a-f]{64})")


def signature_of(key: bytes, at: int, body: bytes) -> str:
    """The header's value for a body that is signed at ``at``."""
    digest = hmac.new(key, b"%d." % at + body, sha256).hexdigest()
    return f"t={at},v1={digest}"


def check_signature(key: bytes, header: str, body: bytes, now: float) -> None:
    """Raise WebhookRefused unless the body was signed with ``key`` within WEBHOOK_MAX_AGE_S of ``now``."""
    found = _HEADER.fullmatch(header)
    if found is None:
        raise WebhookRefused("the signature is missing or malformed")
    at = int(found[1])
    if not hmac.compare_digest(signature_of(key, at, body), header):
        raise WebhookRefused("the signature does not fit the body")
    if abs(now - at) > WEBHOOK_MAX_AGE_S:
        raise WebhookRefused("the signature is too old")
