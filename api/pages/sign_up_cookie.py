"""The cookie of a browser in which somebody signed up: the request that the mailed code and link belong to."""

from typing import Final

from werkzeug.wrappers import Response

from api.pages.cookies import cookie, set_cookie
from api.ports.accounts import CONFIRMATION_VALID_FOR

NAME: Final = "turnstile-sign-up"


def asked_request() -> str:
    """The request of the last sign-up in this browser; empty without one."""
    return cookie(NAME) or ""


def remember(answer: Response, request: str) -> Response:
    """Keep the request in the browser for as long as its code is valid."""
    set_cookie(answer, NAME, request, int(CONFIRMATION_VALID_FOR.total_seconds()))
    return answer


def forget(answer: Response) -> None:
    """Delete the cookie."""
    if cookie(NAME) is not None:
        set_cookie(answer, NAME, "", 0)
