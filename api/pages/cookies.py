"""The pages' cookies: HttpOnly; behind TLS Secure with the prefix ``__Host-``, so that no other host can set them."""

from flask import request
from werkzeug.wrappers import Response


def cookie(name: str) -> str | None:
    """The value of the browser's cookie of that name."""
    return request.cookies.get(_full(name))


def set_cookie(answer: Response, name: str, value: str, seconds: int | None) -> None:
    """Set a cookie for ``seconds``; None keeps it until the browser closes, 0 deletes it."""
    secure = request.is_secure
    answer.set_cookie(_full(name), value, max_age=seconds, httponly=True, samesite="Lax", secure=secure, path="/")


def _full(name: str) -> str:
    return f"__Host-{name}" if request.is_secure else name
