"""Cookies of the pages: no script reads them, and behind TLS no other host, and no page without TLS, can set them."""

from flask import request
from werkzeug.wrappers import Response


def cookie(name: str) -> str | None:
    """What the browser has under that name."""
    return request.cookies.get(_full(name))


def set_cookie(answer: Response, name: str, value: str, seconds: int | None) -> None:
    """Let the answer set a cookie for so many seconds, or for as long as the browser runs; 0 takes it away."""
    secure = request.is_secure
    answer.set_cookie(_full(name), value, max_age=seconds, httponly=True, samesite="Lax", secure=secure, path="/")


def _full(name: str) -> str:
    return f"__Host-{name}" if request.is_secure else name
