"""The fast path of payments: starting one, and webhooks, in the server's loop, before the web framework.

It takes only simple requests, and leaves all others to the routes (api/routes/payments.py), whose answers it shares.
"""

import re
from collections.abc import Awaitable
from typing import Final

from api.auth.tokens import read_caller
from api.ports.ports import Ports
from api.routes.payments import started, taken
from api.telemetry.counters import ROUTE
from api.web.raw_response import JSON, Fields, RawResponse, Scope, or_problem
from api.web.responses import BASE

START_ROUTE: Final = f"{BASE}/purchases/<purchaseId>/payment"
WEBHOOK_ROUTE: Final = f"{BASE}/payment-webhooks/<provider>"
_JSON: Final = JSON.encode()
_PATHS: Final = re.compile(rf"{BASE}/(?:purchases/([0-9a-f.-]+)/payment|payment-webhooks/([a-z]+))", re.ASCII)
# A request with one of these is not simple.
_UNUSUAL: Final = (b"content-encoding", b"transfer-encoding")


class PaymentFastPath:
    """Payments by ``ports``."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    def take(self, scope: Scope, body: bytes) -> Awaitable[RawResponse] | None:
        """The answer to a simple request, whose route is noted; None for every other one."""
        found = _PATHS.fullmatch(scope["path"]) if scope["method"] == "POST" else None
        if found is None or scope["query_string"]:
            return None
        fields = dict(scope["headers"])
        if len(fields) != len(scope["headers"]) or any(name in fields for name in _UNUSUAL):
            return None
        public, provider = found.groups()
        if public is not None and not body and b"authorization" in fields:
            scope[ROUTE] = START_ROUTE
            return or_problem(self._start(public, fields), scope["path"])
        if provider is not None and body and self._is_read_at_once(provider, fields):
            scope[ROUTE] = WEBHOOK_ROUTE
            return or_problem(self._take(provider, body, fields), scope["path"])
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
