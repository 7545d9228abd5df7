"""The address of a request's page: whether it is a secret, and where to return to."""

from typing import Final

from flask import request

# Pages whose URL is a secret: those behind links in mails.
_LINKS_PREFIX: Final = "/links/"


def has_secret_address() -> bool:
    """Whether this request's URL is a secret."""
    return request.path.startswith(_LINKS_PREFIX)


def local_path(path: str | None) -> str:
    """The path if it is one of this site, else ``/``. So no link can redirect a reader to another site."""
    path = path or ""
    is_local = path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
    return path if is_local else "/"


def return_path() -> str:
    """This page, or for a form the page that it was on."""
    if request.method == "GET":
        return request.full_path.rstrip("?")
    host, slash, path = (request.referrer or "").partition("://")[2].partition("/")
    return local_path(slash + path) if host == request.host else "/"
