"""An answer that is whole when it is sent, and how it looks on the wire: as gunicorn would have sent it."""

import time
from collections.abc import Mapping
from functools import lru_cache
from http import HTTPStatus
from typing import Final

from gunicorn import SERVER, util
from msgspec import Struct

from api.security_headers import DATA

PHRASES: Final = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}
_GUARD: Final = "".join(f"{name}: {value}\r\n" for name, value in DATA.items())


class Reply(Struct, frozen=True, gc=False):
    """Status, media type, what other headers there are, and body. No header may come from a client."""

    status: int
    media_type: str
    headers: Mapping[str, str]
    body: bytes

    def fields(self) -> list[tuple[str, str]]:
        """All headers that are the application's to say."""
        return [*self._own(), *DATA.items()]

    def on_the_wire(self, *, is_last: bool) -> bytes:
        """All of it. ``is_last`` tells the client that the connection ends here."""
        head = opening("1.1", PHRASES[self.status], is_last=is_last)
        lines = [f"{name}: {value}\r\n" for name, value in self._own()]
        return f"{head}{''.join(lines)}{_GUARD}\r\n".encode("latin-1") + self.body

    def _own(self) -> list[tuple[str, str]]:
        return [("Content-Type", self.media_type), ("Content-Length", str(len(self.body))), *self.headers.items()]


def opening(version: str, status: str, *, is_last: bool) -> str:
    """The first lines of every answer."""
    date, connection = _date(int(time.time())), "close" if is_last else "keep-alive"
    return f"HTTP/{version} {status}\r\nServer: {SERVER}\r\nDate: {date}\r\nConnection: {connection}\r\n"


@lru_cache(maxsize=1)
def _date(second: int) -> str:
    return str(util.http_date(second))
