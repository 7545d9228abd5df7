"""The session cookie of the pages: an anonymous reader's random value, or the token of a signed-in account.

Signing in and signing out replace it, so that nobody can fix another reader's session. REST routes never read it.
"""

import re
import secrets
from typing import Final
from uuid import UUID

from flask import Response, g

from api.auth.tokens import Caller, read_caller
from api.pages.cookies import cookie, set_cookie
from api.ports.ports import ports
from api.problems import Refused
from api.roles import Role
from translations.catalogues import language_of

NAME: Final = "turnstile"
_ANONYMOUS: Final = re.compile(r"v\.[\w-]{32}", re.ASCII)


def read() -> None:
    """Read the reader from the cookie, before the view; an invalid token makes the reader anonymous."""
    g.caller, g.session, g.cookie = None, None, None
    text = cookie(NAME)
    if text is None:
        return
    if _ANONYMOUS.fullmatch(text):
        g.session = text
        return
    try:
        g.caller = read_caller(ports().tokens, ports().revocations.version, f"Bearer {text}")
        g.session = text
    except Refused:
        g.cookie = ("", 0)


def session_secret() -> str:
    """The value that only this session has; an anonymous reader gets one when a page needs it."""
    if g.session is None:
        g.session = f"v.{secrets.token_urlsafe(24)}"
        g.cookie = (g.session, None)
    found: str = g.session
    return found


def begin(account: UUID, roles: frozenset[Role], version: int, locale: str, seconds: int | None = None) -> None:
    """Begin a session of an account, of the usual length or for ``seconds``.

    Its language is in the token, so that no page has to look it up.
    """
    lifetime_s = ports().session_seconds if seconds is None else seconds
    token, _ = ports().tokens.issue(account, roles, version, lifetime_s, language_of(locale))
    g.cookie = (token, lifetime_s)


def change_language(reader: Caller, locale: str) -> None:
    """Continue the reader's session in another language, for no longer than it lasts."""
    left = max(1, int(reader.expires - ports().clock().timestamp()))
    begin(reader.account, reader.roles, reader.version, locale, left)


def end() -> None:
    """End the session."""
    g.cookie = ("", 0)


def write(answer: Response) -> Response:
    """Write the cookie into the answer, if it changes."""
    if (changed := g.get("cookie")) is not None:
        set_cookie(answer, NAME, *changed)
    return answer
