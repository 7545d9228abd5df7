"""A purchase's state that is never older than the reader's last change.

After a change the redirect to the purchase has the moment of the decision (``?since=``), and the page waits until the
record is of that moment or later.
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

from api.ports.ports import ports
from api.problems import Refused
from api.schemas.purchase import Purchase
from api.web.raw_response import RawResponse

# The pauses between the reads within one request; afterwards the page asks again by itself.
POLL_PAUSES_S: Final = (0.05, 0.1, 0.2, 0.4, 0.6)
# No further read begins after that: one takes seconds while the ledger's workers don't answer.
READING_MAX_S: Final = 2.0
# A page does not wait for a change that is longer ago.
SINCE_AGE_MAX: Final = timedelta(seconds=60)
# How far the clocks of this process and of the broker may differ.
CLOCK_SKEW_MAX: Final = timedelta(seconds=2)
ACCEPTED: Final = 202
# How many of the server's threads may wait at once; further pages ask again by themselves.
_waiting: Final = threading.BoundedSemaphore(16)


class DecidedPurchase(Struct, rename="camel"):
    """The fields that are read of a purchase's answer."""

    id: str
    decided_at: datetime | None = None


_decode: Final = msgspec.json.Decoder(DecidedPurchase).decode


def redirect_to_purchase(public: str, since: datetime | None = None) -> Response:
    """Redirect to the purchase's page, which shows it as of ``since`` or later."""
    moment = "" if since is None else f"?since={milliseconds(since)}"
    return redirect(f"/purchases/{public}{moment}", 303)


def redirect_to_answer(made: RawResponse, began: datetime) -> Response:
    """Redirect to the purchase of an answer, whether it is decided or still pending."""
    is_decided = made.status != ACCEPTED
    public = _decided(made).id if is_decided else made.headers["Location"].rpartition("/")[2]
    return redirect_to_purchase(public, decided_at(made, began))


def decided_at(made: RawResponse, began: datetime) -> datetime:
    """When it was decided; if it is pending, the earliest moment at which it may be."""
    return _decided(made).decided_at or began - CLOCK_SKEW_MAX


def up_to_date(look: Callable[[], Purchase], clock: Callable[[], float] = time.monotonic) -> Purchase | None:
    """The purchase as of the URL's ``since`` or later; None while that is pending. Refused: not-found."""
    since, ends = _since(), clock() + READING_MAX_S
    found = _as_of(since, look)
    if found is not None or not _waiting.acquire(blocking=False):
        return found
    try:
        return _polled(since, look, lambda: clock() < ends)
    finally:
        _waiting.release()


def _polled(since: int | None, look: Callable[[], Purchase], has_time: Callable[[], bool]) -> Purchase | None:
    for pause in POLL_PAUSES_S:
        if not has_time():
            return None
        time.sleep(pause)
        if (found := _as_of(since, look)) is not None:
            return found
    return None


def _decided(made: RawResponse) -> DecidedPurchase:
    return _decode(made.body)


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
    """The moment in the URL; None if it is missing, malformed or too long ago."""
    text = request.args.get("since", "")
    oldest = milliseconds(ports().clock() - SINCE_AGE_MAX)
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 16 and int(text) > oldest else None


def milliseconds(moment: datetime) -> int:
    """A moment as milliseconds since 1970, for URLs."""
    return round(moment.timestamp() * 1000)
