"""The fast path of purchases: ``POST /purchases`` handled in the server's loop, before the web framework sees it.

It takes only what is plainly good. Any request that is unusual or wrong goes on to the route as it came, and is
answered or refused there. Both do the same (api/purchasing/service.py), and a test sends every request both ways.
"""

from collections.abc import Awaitable, Coroutine
from typing import Any, Final

import msgspec
from flask import Response

from api.ports.ports import Ports
from api.problems import MEDIA_TYPE, Refused, Unavailable, unavailable
from api.purchasing import service
from api.web.authentication import read_caller
from api.web.error_handlers import unexpected
from api.web.prefer import preference
from api.web.raw_response import JSON, Fields, Reply, refused
from api.web.responses import BASE

PATH: Final = f"{BASE}/purchases"
_JSON: Final = JSON.encode()
_TARGET: Final = PATH.encode()

_decode: Final = msgspec.json.Decoder(service.Order).decode


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
            order = _decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        return replied(self._sell(fields, order), PATH)

    async def _sell(self, fields: Fields, order: service.Order) -> service.Answer:
        # First of all: what can't be served must cost least when most of it comes.
        self._ports.office.check_room()
        caller = read_caller(self._ports, fields[b"authorization"].decode("latin-1"))
        wanted = preference(_text(fields.get(b"prefer")), self._ports.purchase_wait)
        return await service.buy(self._ports, caller, order, _text(fields.get(b"idempotency-key")), wanted)


async def replied(answer: Awaitable[service.Answer], path: str) -> Reply:
    """The answer, or the problem that comes of it instead."""
    try:
        made = await answer
    except Refused as error:
        return refused(error)
    except Unavailable as error:
        return _whole(unavailable(error))
    except Exception as error:  # noqa: BLE001 (whatever it is, nothing of it gets out)
        return _whole(unexpected(error, path))
    return Reply(made.status, JSON, made.headers, made.body)


def _whole(response: Response) -> Reply:
    more = {name: value for name, value in response.headers.items() if not name.startswith("Content-")}
    return Reply(response.status_code, response.mimetype or MEDIA_TYPE, more, response.get_data())


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")
