"""How a purchase stands, never older than what its reader was told.

Whoever changed something is led to the purchase with the moment of the decision; the page waits until the record is of
that moment or later.
"""

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import msgspec
from flask import redirect, request
from msgspec import Struct
from werkzeug.wrappers import Response

from api.problems import Refused
from api.purchasing import service
from api.schemas.purchase import Purchase
from api.web.responses import ports

# How long a record is waited for within one request, look by look; then the page asks again by itself.
PAUSES: Final = (0.05, 0.1, 0.2, 0.4, 0.6)
# After that a page shows what there is.
PATIENCE: Final = timedelta(seconds=60)
# What the clocks of this process and of the log may differ.
MARGIN: Final = timedelta(seconds=2)
ACCEPTED: Final = 202
# Threads that may wait so, of those that answer everybody; the page of one more asks again by itself.
_WAITING: Final = threading.BoundedSemaphore(16)


class Receipt(Struct, rename="camel"):
    """What is read of the answer that the route of a purchase gives."""

    id: str
    decided_at: datetime | None = None


def see(public: str, since: datetime | None = None) -> Response:
    """The way to the purchase's page, which shows it as of ``since`` or later."""
    moment = "" if since is None else f"?since={milliseconds(since)}"
    return redirect(f"/purchases/{public}{moment}", 303)


def see_answer(made: service.Answer, began: datetime) -> Response:
    """The way to the page of what was decided, or is going to be: by its long id then."""
    is_decided = made.status != ACCEPTED
    public = _receipt(made).id if is_decided else made.headers["Location"].rpartition("/")[2]
    return see(public, moment_of(made, began))


def moment_of(made: service.Answer, began: datetime) -> datetime:
    """When it was decided; it is not before ``began`` where nobody knows yet."""
    return _receipt(made).decided_at or began - MARGIN


def current(look: Callable[[], Purchase]) -> Purchase | None:
    """The purchase as of the address's ``since`` or later; None as long as that is on its way. Refused: not-found."""
    since = _since()
    found = _as_of(since, look)
    if found is not None or not _WAITING.acquire(blocking=False):
        return found
    try:
        return _as_of_soon(since, look)
    finally:
        _WAITING.release()


def _as_of_soon(since: int | None, look: Callable[[], Purchase]) -> Purchase | None:
    for pause in PAUSES:
        time.sleep(pause)
        if (found := _as_of(since, look)) is not None:
            return found
    return None


def _receipt(made: service.Answer) -> Receipt:
    return msgspec.json.decode(made.body, type=Receipt)


def _as_of(since: int | None, look: Callable[[], Purchase]) -> Purchase | None:
    try:
        found = look()
    except Refused:
        if since is None:
            raise
        return None
    if found.status == "pending":
        return None
    is_old = since is not None and found.decided_at is not None and milliseconds(found.decided_at) < since
    return None if is_old else found


def _since() -> int | None:
    """The moment in the address, unless it is too long ago, or none, to wait for."""
    text = request.args.get("since", "")
    oldest = milliseconds(ports().clock() - PATIENCE)
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 16 and int(text) > oldest else None


def milliseconds(moment: datetime) -> int:
    """A moment as it stands in an address."""
    return round(moment.timestamp() * 1000)
