"""The quick way for purchases: ``POST /purchases`` handled before the web framework sees it.

It takes only what is plainly good. Any request that is unusual or wrong goes on to the route as it came, and is
answered or refused there. The server asks ``quick`` before it makes a WSGI request of what came; a server that knows
nothing of that, or logs or traces the request, has the same as an application. All ways do the same
(api/buying.py), and a test sends every request all ways.
"""

import io
from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec
from flask import Response

from api.answers import BASE
from api.buying import Order, buy_in_steps
from api.failures import unexpected
from api.guard import MOST_BYTES
from api.identity import read_caller
from api.plain import Plain
from api.ports import Ports
from api.prefer import preference
from api.problems import MEDIA_TYPE, PROBLEMS, Refused, Unavailable, problem_json, unavailable
from api.reply import PHRASES, Reply
from api.steps import Steps, carry_out

PATH: Final = f"{BASE}/purchases"
JSON: Final = "application/json"

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

_decode: Final = msgspec.json.Decoder(Order).decode


class Express:
    """The application ``inner`` with the quick way before it."""

    def __init__(self, inner: Application, ports: Ports) -> None:
        self.inner = inner
        self._ports = ports

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a plain purchase; hand on everything else."""
        if environ["PATH_INFO"] != PATH or environ["REQUEST_METHOD"] != "POST":
            return self.inner(environ, start_response)
        authorization = environ.get("HTTP_AUTHORIZATION")
        is_unusual = environ.get("QUERY_STRING") or "HTTP_CONTENT_ENCODING" in environ
        order = None if authorization is None or is_unusual else _order(environ)
        if authorization is None or order is None:
            return self.inner(environ, start_response)
        key, prefer = environ.get("HTTP_IDEMPOTENCY_KEY"), environ.get("HTTP_PREFER")
        reply = carry_out(self._sell(authorization, order, key, prefer))
        start_response(PHRASES[reply.status], reply.fields())
        return [reply.body]

    def quick(self, request: Plain) -> Steps[Reply] | None:
        """The answer to a plain purchase in steps; None for everything else, which is the application's."""
        if request.path != PATH or request.method != "POST" or request.query or "CONTENT-ENCODING" in request.fields:
            return None
        authorization = request.fields.get("AUTHORIZATION")
        if authorization is None or request.fields.get("CONTENT-TYPE") != JSON or len(request.content) > MOST_BYTES:
            return None
        order = _decoded(request.content)
        if order is None:
            return None
        return self._sell(authorization, order, request.fields.get("IDEMPOTENCY-KEY"), request.fields.get("PREFER"))

    def _sell(self, authorization: str, order: Order, key: str | None, prefer: str | None) -> Steps[Reply]:
        try:
            # First of all: what can't be served must cost least when most of it comes.
            self._ports.office.check_room()
            caller = read_caller(self._ports, authorization)
            wanted = preference(prefer, self._ports.purchase_wait)
            answer = yield from buy_in_steps(self._ports, caller, order, key, wanted)
        except Refused as error:
            body = problem_json(error.kind, error.detail, error.faults, **error.extra)
            return Reply(PROBLEMS[error.kind].status, MEDIA_TYPE, error.headers, body)
        except Unavailable as error:
            return _reply(unavailable(error))
        except Exception as error:  # noqa: BLE001 (whatever it is, nothing of it gets out)
            return _reply(unexpected(error, PATH))
        return Reply(answer.status, JSON, answer.headers, answer.body)


def _reply(response: Response) -> Reply:
    """The same, whole."""
    more = {name: value for name, value in response.headers.items() if not name.startswith("Content-")}
    return Reply(response.status_code, response.mimetype or MEDIA_TYPE, more, response.get_data())


def _order(environ: Environ) -> Order | None:
    """The order in the body; None if that is not plainly one, and it stays there to be read."""
    length = environ.get("CONTENT_LENGTH") or ""
    if environ.get("CONTENT_TYPE") != JSON or not length.isdecimal() or int(length) > MOST_BYTES:
        return None
    body = environ["wsgi.input"].read(int(length))
    order = _decoded(body) if len(body) == int(length) else None
    if order is None:
        environ["wsgi.input"] = io.BytesIO(body)
    return order


def _decoded(body: bytes) -> Order | None:
    try:
        return _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
