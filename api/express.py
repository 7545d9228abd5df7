"""The quick way for purchases: ``POST /purchases`` handled before the web framework sees it.

It takes only what is plainly good. Any request that is unusual or wrong goes on to the route as it came, and is
answered or refused there; both ways do the same (api/buying.py), and a test sends every request both ways.
"""

import io
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final

import msgspec

from api.answers import BASE
from api.buying import Order, buy
from api.failures import unexpected
from api.guard import MOST_BYTES
from api.identity import read_caller
from api.ports import Ports
from api.prefer import preference
from api.problems import MEDIA_TYPE, PROBLEMS, Refused, Unavailable, problem_json, unavailable

PATH: Final = f"{BASE}/purchases"

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

_decode: Final = msgspec.json.Decoder(Order).decode
_PHRASES: Final = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


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
        order = None if authorization is None or environ.get("QUERY_STRING") else _order(environ)
        if authorization is None or order is None:
            return self.inner(environ, start_response)
        try:
            # First of all: what can't be served must cost least when most of it comes.
            self._ports.office.check_room()
            caller = read_caller(self._ports, authorization)
            wanted = preference(environ.get("HTTP_PREFER"), self._ports.purchase_wait)
            answer = buy(self._ports, caller, order, environ.get("HTTP_IDEMPOTENCY_KEY"), wanted)
        except Refused as error:
            body = problem_json(error.kind, error.detail, error.faults, **error.extra)
            return _send(start_response, PROBLEMS[error.kind].status, MEDIA_TYPE, error.headers, body)
        except Unavailable as error:
            return unavailable(error)(environ, start_response)
        except Exception as error:  # noqa: BLE001 (whatever it is, nothing of it gets out)
            return unexpected(error, PATH)(environ, start_response)
        return _send(start_response, answer.status, "application/json", answer.headers, answer.body)


def _send(
    start_response: StartResponse, status: int, media_type: str, headers: Mapping[str, str], body: bytes
) -> list[bytes]:
    usual = [("Content-Type", media_type), ("Content-Length", str(len(body)))]
    start_response(_PHRASES[status], [*usual, *headers.items()])
    return [body]


def _order(environ: Environ) -> Order | None:
    """The order in the body; None if that is not plainly one, and it stays there to be read."""
    length = environ.get("CONTENT_LENGTH") or ""
    if environ.get("CONTENT_TYPE") != "application/json" or not length.isdecimal() or int(length) > MOST_BYTES:
        return None
    body = environ["wsgi.input"].read(int(length))
    try:
        return _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        environ["wsgi.input"] = io.BytesIO(body)
        return None
