"""The fast path of payments: starting one, and webhooks, in the server's loop, before the web framework.

It takes only simple requests, and leaves all others to the routes (api/routes/payments.py), whose answers it shares.
"""

import re
from collections.abc import Awaitable
from typing import Final

import msgspec

from api.auth.tokens import read_caller
from api.ports.ports import Ports
from api.routes.payments import started, taken
from api.web.raw_response import JSON, Fields, RawResponse, or_problem
from api.web.responses import BASE

_JSON: Final = JSON.encode()
_TARGETS: Final = re.compile(rf"{BASE}/(?:purchases/([0-9a-f.-]+)/payment|payment-webhooks/([a-z]+))".encode())
# A request with one of these is not simple.
_UNUSUAL: Final = (b"content-encoding", b"transfer-encoding")
_objects: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


class PaymentFastPath:
    """Payments by ``ports``."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    def take(self, method: bytes, target: bytes, fields: Fields, body: bytes) -> Awaitable[RawResponse] | None:
        """The answer to a simple request; None for every other one. No header field is repeated."""
        found = _TARGETS.fullmatch(target) if method == b"POST" else None
        if found is None or any(name in fields for name in _UNUSUAL):
            return None
        public, provider = found.groups(b"")
        if public and not body and b"authorization" in fields:
            return or_problem(self._start(public.decode(), fields), target.decode())
        if provider and self._is_read_at_once(provider.decode(), fields) and _is_object(body):
            return or_problem(self._take(provider.decode(), body, fields), target.decode())
        return None

    def _is_read_at_once(self, provider: str, fields: Fields) -> bool:
        is_json = fields.get(b"content-type") == _JSON
        return is_json and not self._ports.payments.asks_about_webhooks(provider)

    async def _start(self, public: str, fields: Fields) -> RawResponse:
        ports = self._ports
        header = fields[b"authorization"].decode("latin-1")
        return await started(ports, read_caller(ports.tokens, ports.revocations.version, header), public)

    async def _take(self, provider: str, body: bytes, fields: Fields) -> RawResponse:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in fields.items()}
        now = self._ports.clock().timestamp()
        events = self._ports.payments.read_webhook(provider, body, headers, now)
        return await taken(self._ports, events)


def _is_object(body: bytes) -> bool:
    """Whether a body is a JSON object. The framework refuses all others before their signatures are looked at."""
    try:
        _objects.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True
