"""Which requests were answered by outcomes, for the requests of a batch."""

from collections.abc import Callable, Iterable

from tables.gate.records import PAGE_REQUESTS, AnsweredPage, decode_page, encode_record, page_key
from tables.messages.request_origins import RequestOrigin


class Answered:
    """The pages of some requests; ``read`` gives the stored ones by their keys."""

    def __init__(self, read: Callable[[list[bytes]], list[bytes | None]], origins: Iterable[RequestOrigin]) -> None:
        keys = list(dict.fromkeys(map(page_key, origins)))
        self._times = dict(zip(keys, map(_times, read(keys)), strict=True)) if keys else {}
        self._changed: set[bytes] = set()

    def add(self, origin: RequestOrigin) -> bool:
        """Note that one of the requests is answered. False if it was before."""
        key, slot = page_key(origin), origin.offset % PAGE_REQUESTS
        times = self._times[key]
        if times[slot] == origin.at_ms:
            return False
        times[slot] = origin.at_ms
        self._changed.add(key)
        return True

    def changed(self, offset: int) -> dict[bytes, bytes]:
        """The records of the changed pages; ``offset`` is that of the last outcome."""
        return {key: encode_record(AnsweredPage(offset, self._times[key])) for key in self._changed}


def _times(value: bytes | None) -> list[int | None]:
    return [None] * PAGE_REQUESTS if value is None else decode_page(value).times
