"""The static files, read once: each under an address that changes with its content, so that it is kept for ever."""

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
    """A file, as it is and compressed."""

    content: bytes
    packed: bytes
    mimetype: str
    digest: str


@cache
def asset_of(name: str) -> Asset:
    """The file of that name. Raises KeyError if there is none."""
    path = FOLDER / name
    if name not in _names():
        raise KeyError(name)
    content = path.read_bytes()
    mimetype = mimetypes.guess_type(name)[0] or "text/plain"
    return Asset(content, gzip.compress(content, mtime=0), mimetype, sha256(content).hexdigest()[:12])


def asset_url(name: str) -> str:
    """Where the file is to be asked for."""
    return f"/static/{asset_of(name).digest}/{name}"


def send_asset(digest: str, name: str) -> Response:
    """A file. One of another content than the page had expected is sent too, and not kept."""
    try:
        found = asset_of(name)
    except KeyError:
        abort(404)
    packed = request.accept_encodings.quality("gzip") > 0
    answer = Response(found.packed if packed else found.content, mimetype=found.mimetype)
    answer.headers["Vary"] = "Accept-Encoding"
    if packed:
        answer.headers["Content-Encoding"] = "gzip"
    answer.headers["Cache-Control"] = CACHED_FOR_EVER if digest == found.digest else NOT_CACHED
    return answer


@cache
def _names() -> frozenset[str]:
    return frozenset(path.name for path in FOLDER.iterdir())
