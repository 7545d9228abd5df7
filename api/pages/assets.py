"""The static files, read once. The URL of each contains its content's hash, so that browsers cache it for ever."""

import gzip
import mimetypes
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

from flask import Response, abort, request

FOLDER: Final = Path(__file__).parent / "static"
CACHED_FOR_EVER: Final = "public, max-age=31536000, immutable"
NOT_CACHED: Final = "no-cache"


@dataclass(frozen=True, slots=True)
class Asset:
    """A file, plain and compressed by gzip."""

    content: bytes
    compressed: bytes
    mimetype: str
    digest: str


@cache
def asset_of(name: str) -> Asset:
    """The file of that name. Raises KeyError for an unknown name."""
    path = FOLDER / name
    if name not in _names():
        raise KeyError(name)
    content = path.read_bytes()
    mimetype = mimetypes.guess_type(name)[0] or "text/plain"
    return Asset(content, gzip.compress(content, mtime=0), mimetype, sha256(content).hexdigest()[:12])


def asset_url(name: str) -> str:
    """The URL of the file."""
    return f"/static/{asset_of(name).digest}/{name}"


def send_asset(digest: str, name: str) -> Response:
    """Send a file. If its content differs from what the page expected, it is sent but not cached."""
    try:
        found = asset_of(name)
    except KeyError:
        abort(404)
    is_compressed = request.accept_encodings.quality("gzip") > 0
    answer = Response(found.compressed if is_compressed else found.content, mimetype=found.mimetype)
    answer.headers["Vary"] = "Accept-Encoding"
    if is_compressed:
        answer.headers["Content-Encoding"] = "gzip"
    answer.headers["Cache-Control"] = CACHED_FOR_EVER if digest == found.digest else NOT_CACHED
    return answer


@cache
def _names() -> frozenset[str]:
    return frozenset(path.name for path in FOLDER.iterdir())
