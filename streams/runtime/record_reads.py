"""Views of one record, with an ETag. With ``?wait=`` the answer comes when the record differs from it, or exists."""

import asyncio
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from streams.runtime.partition_reads import PartitionReads
from streams.runtime.web import Request, Response, bytes_response, json_response
from streams.runtime.web_parameters import WAIT_MAX_S, query_seconds
from streams.runtime.web_slots import WebSlots

WAITS_MAX: Final = 50
# How often a wait looks whether client, worker and partition are still there, and whether time has changed the view.
RECHECK_INTERVAL_S: Final = 1.0
# A client that waits for one change after the other is answered at most so often.
CHANGE_INTERVAL_S: Final = 0.5


class RecordRead(NamedTuple):
    """A record and its view, which has a ``revision``: a text that differs where the view differs."""

    partition: int
    key: bytes
    show: Callable[[bytes], Any]


class RecordReads:
    """The views of one worker's records."""

    def __init__(self, reads: PartitionReads) -> None:
        self._reads = reads
        self._waits = WebSlots(WAITS_MAX)

    def find(self, record: RecordRead) -> Any | None:
        """The view of a record of this worker; None where there is no record. Raises RequestProblem if it has moved."""
        self._reads.check(record.partition)
        value = self._reads.table.read(record.partition, record.key)
        return None if value is None else record.show(value)

    async def answer(self, request: Request, record: RecordRead) -> Response:
        """The owner's answer. Raises RequestProblem."""
        wait_s = query_seconds(request, "wait", WAIT_MAX_S)
        if not wait_s:
            return await self._answer(request, record, wait_s)
        with self._waits:
            return await self._answer(request, record, wait_s)

    async def _answer(self, request: Request, record: RecordRead, wait_s: float) -> Response:
        if record.partition not in self._reads.owned():
            return await self._reads.forward(request, record.partition, wait_s)
        found = self._reads.known(await self._wait(request, record, wait_s))
        headers = {"ETag": _etag(found)}
        if _is_known(request, found):
            return bytes_response(b"", 304, headers=headers)
        return json_response(found, headers=headers)

    async def _wait(self, request: Request, record: RecordRead, wait_s: float) -> Any | None:
        """The view once the client doesn't know it, or the time is over."""
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        found = first = self.find(record)
        while _is_known(request, found) and (left_s := began_s + wait_s - loop.time()) > 0:
            if self._reads.is_ending(request):
                return found
            await self._reads.table.watches.wait(record.partition, record.key, min(left_s, RECHECK_INTERVAL_S))
            found = self.find(record)
        if first is not None and found is not first:
            await asyncio.sleep(began_s + min(CHANGE_INTERVAL_S, wait_s) - loop.time())
            found = self.find(record)
        return found


def _etag(found: Any) -> str:
    return f'"{found.revision}"'


def _is_known(request: Request, found: Any | None) -> bool:
    """Whether the client knows the view, or there is none."""
    if found is None:
        return True
    tags = request.headers.get("If-None-Match", "").split(",")
    return any(tag.strip().removeprefix("W/") in (_etag(found), "*") for tag in tags)
