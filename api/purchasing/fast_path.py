"""The fast path of purchases: ``POST /purchases`` handled in the server's loop, before the web framework sees it.

It takes only what is plainly good. Any request that is unusual or wrong goes on to the route as it came, and is
answered or refused there. Both read the same body and call the same service; a test sends every request both ways.
"""

from collections.abc import Coroutine
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from api.ports.ports import Ports
from api.purchasing import service
from api.schemas.purchase import NewPurchase
from api.web.authentication import read_caller
from api.web.deferred import or_problem
from api.web.prefer import preference
from api.web.raw_response import JSON, Fields, Reply
from api.web.responses import BASE

PATH: Final = f"{BASE}/purchases"
_JSON: Final = JSON.encode()
_TARGET: Final = PATH.encode()

# As NewPurchase.model_validate_json, without what that looks at for each call.
_validate: Final = TypeAdapter(NewPurchase).validator.validate_json


class FastPath:
    """Purchases by ``ports``."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    def take(self, method: bytes, target: bytes, fields: Fields, body: bytes) -> Coroutine[Any, Any, Reply] | None:
        """The answer to a plain purchase; None for everything else, which is the web framework's.

        The fields have a name each.
        """
        if target != _TARGET or method != b"POST" or b"content-encoding" in fields:
            return None
        if fields.get(b"content-type") != _JSON or b"authorization" not in fields:
            return None
        try:
            asked: NewPurchase = _validate(body)
        except ValidationError:
            return None
        return or_problem(self._buy(fields, asked), PATH)

    async def _buy(self, fields: Fields, asked: NewPurchase) -> Reply:
        # First of all: what can't be served must cost least when most of it comes.
        self._ports.ledger.check_limit()
        caller = read_caller(self._ports, fields[b"authorization"].decode("latin-1"))
        wanted = preference(_text(fields.get(b"prefer")), self._ports.purchase_wait)
        return await service.buy(self._ports, caller, asked, _text(fields.get(b"idempotency-key")), wanted)


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")
