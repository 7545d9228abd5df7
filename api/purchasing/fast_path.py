"""The fast path of purchases: handles ``POST /purchases`` in the server's loop, before the web framework.

It takes only simple, valid requests, and leaves all others to the route. Both parse the body with the same model and
call the same service; a test sends every request both ways.
"""

from collections.abc import Coroutine
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from api.auth.tokens import read_caller
from api.ports.purchasing import PurchasePorts
from api.purchasing import service
from api.schemas.purchase import NewPurchase
from api.web.prefer import preference
from api.web.raw_response import JSON, Fields, RawResponse, or_problem
from api.web.responses import BASE

PATH: Final = f"{BASE}/purchases"
_JSON: Final = JSON.encode()
_TARGET: Final = PATH.encode()

# NewPurchase.model_validate_json without its overhead for each call.
_validate: Final = TypeAdapter(NewPurchase).validator.validate_json


class PurchaseFastPath:
    """Purchases by ``ports``."""

    def __init__(self, ports: PurchasePorts) -> None:
        self._ports = ports

    def take(
        self, method: bytes, target: bytes, fields: Fields, body: bytes
    ) -> Coroutine[Any, Any, RawResponse] | None:
        """The answer to a simple purchase; None for every other request. No header field is repeated."""
        if target != _TARGET or method != b"POST" or b"content-encoding" in fields:
            return None
        if fields.get(b"content-type") != _JSON or b"authorization" not in fields:
            return None
        try:
            asked: NewPurchase = _validate(body)
        except ValidationError:
            return None
        return or_problem(self._buy(fields, asked), PATH)

    async def _buy(self, fields: Fields, asked: NewPurchase) -> RawResponse:
        # Before all else: under overload, a refusal must be cheap.
        self._ports.ledger.check_limit()
        header = fields[b"authorization"].decode("latin-1")
        caller = read_caller(self._ports.tokens, self._ports.revocations.version, header)
        wanted = preference(_text(fields.get(b"prefer")), self._ports.purchase_wait)
        return await service.buy(self._ports, caller, asked, _text(fields.get(b"idempotency-key")), wanted)


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")
