"""The cookie of the pages: a stranger's random mark, or the token of who signed in.

Signing in and out replace it, whatever was in it before, so nobody can choose another's session. Only pages look at
it: no REST route does.
"""

import re
import secrets
from typing import Final

from flask import Response, g

from api.pages.cookies import cookie, set_cookie
from api.problems import Refused
from api.web.authentication import read_caller
from api.web.responses import ports

NAME: Final = "turnstile"
_ANONYMOUS: Final = re.compile(r"v\.[\w-]{32}", re.ASCII)


def read() -> None:
    """Read who it is, before the page is entered; a token that is no good any more is a stranger's."""
    g.caller, g.session, g.cookie = None, None, None
    text = cookie(NAME)
    if text is None:
        return
    if _ANONYMOUS.fullmatch(text):
        g.session = text
        return
    try:
        g.caller = read_caller(ports(), f"Bearer {text}")
        g.session = text
    except Refused:
        g.cookie = ("", 0)


def session_secret() -> str:
    """What is this session's alone; a stranger gets one when it is needed."""
    if g.session is None:
        g.session = f"v.{secrets.token_urlsafe(24)}"
        g.cookie = (g.session, None)
    found: str = g.session
    return found


def begin(token: str, seconds: int) -> None:
    """Let the answer begin a session with this token."""
    g.cookie = (token, seconds)


def end() -> None:
    """Let the answer end the session."""
    g.cookie = ("", 0)


def write(answer: Response) -> Response:
    """Write the cookie, if it changes."""
    if (changed := g.get("cookie")) is not None:
        set_cookie(answer, NAME, *changed)
    return answer
