"""Compression of pages by gzip."""

import gzip
from typing import Final

from flask import Response, request

COMPRESSED_MIN_BYTES: Final = 1_000


def compress(answer: Response) -> Response:
    """Compress the answer if the browser accepts gzip and the answer is long enough."""
    if answer.is_streamed or answer.content_encoding or (answer.content_length or 0) < COMPRESSED_MIN_BYTES:
        return answer
    answer.vary.add("Accept-Encoding")
    if request.accept_encodings.quality("gzip") > 0:
        answer.set_data(gzip.compress(answer.get_data(), 5))
        answer.headers["Content-Encoding"] = "gzip"
    return answer
