"""What every page says beside its content: what it may load and who may frame it, and how it may be kept."""

import gzip
from typing import Final

from flask import Response, request

# Nothing inline, nothing from elsewhere: a script that somebody smuggles into a text is not run.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
ALWAYS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}
# A page is somebody's own and asked for anew; going back may show it as it was, with the keys of its forms.
OWN: Final = "private, no-cache"
NEVER_KEPT: Final = "no-store"
LEAST: Final = 1_000


def guard(answer: Response) -> Response:
    """The answer with the headers of every page."""
    for name, value in ALWAYS.items():
        answer.headers.setdefault(name, value)
    answer.headers.setdefault("Cache-Control", OWN)
    return answer


def pack(answer: Response) -> Response:
    """The answer compressed, where the browser takes it and it is worth it."""
    if answer.is_streamed or answer.content_encoding or (answer.content_length or 0) < LEAST:
        return answer
    answer.vary.add("Accept-Encoding")
    if request.accept_encodings.quality("gzip") > 0:
        answer.set_data(gzip.compress(answer.get_data(), 5))
        answer.headers["Content-Encoding"] = "gzip"
    return answer
