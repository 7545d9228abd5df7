"""Server-sent events: the view of a record, again after each change, over one connection.

A stream ends with the worker, with the partition's move, and after a while; clients come back with ``Last-Event-ID``.
"""

import asyncio
from contextlib import closing, suppress
from typing import Any, Final

import msgspec
from aiohttp import ClientError, ClientResponse, ClientTimeout

from streams.runtime.forwarding import (
    FORWARD_TIMEOUT_S,
    told_as_problem,
    worker_address,
    worker_answer,
)
from streams.runtime.partition_reads import PartitionReads
from streams.runtime.record_reads import CHANGE_INTERVAL_S, RECHECK_INTERVAL_S, RecordRead, RecordReads
from streams.runtime.web import Request, Response
from streams.runtime.web_guard import SAFE_HEADERS
from streams.runtime.web_problems import RequestProblem
from streams.runtime.web_slots import WebSlots

STREAMS_MAX: Final = 50
STREAM_MAX_S: Final = 600.0
HEARTBEAT_INTERVAL_S: Final = 3.0
HEARTBEAT: Final = b": no change\n\n"
# A client that reads nothing is cut off.
WRITE_TIMEOUT_S: Final = 10.0
MEDIA_TYPE: Final = "text/event-stream"


class EventStreams:
    """The streams of one worker."""

    def __init__(self, reads: PartitionReads, records: RecordReads) -> None:
        self._reads = reads
        self._records = records
        self._slots = WebSlots(STREAMS_MAX)

    async def answer(self, request: Request, record: RecordRead) -> Response:
        """Send the view, again and again, until the stream ends. Raises RequestProblem if it doesn't begin."""
        with self._slots:
            if record.partition not in self._reads.owned():
                return await self._forward(request, record.partition)
            self._reads.known(self._records.find(record))
            response = _stream()
            with suppress(OSError, RequestProblem):
                await response.prepare(request)
                if request.method != "HEAD":
                    await self._send(request, response, record)
            return response

    async def _send(self, request: Request, response: Response, record: RecordRead) -> None:
        """Send every change. Raises RequestProblem once the partition has moved, OSError once the client is gone."""
        loop = asyncio.get_running_loop()
        end_s, sent_s = loop.time() + STREAM_MAX_S, loop.time()
        sent = request.headers.get("Last-Event-ID", "")
        while loop.time() < end_s and not self._reads.is_ending(request):
            found = self._reads.known(self._records.find(record))
            if found.revision != sent:
                sent, sent_s = found.revision, loop.time()
                await _write(response, _message(found))
                await asyncio.sleep(CHANGE_INTERVAL_S)
            elif loop.time() - sent_s >= HEARTBEAT_INTERVAL_S:
                sent_s = loop.time()
                await _write(response, HEARTBEAT)
            else:
                await self._reads.table.watches.wait(record.partition, record.key, RECHECK_INTERVAL_S)

    async def _forward(self, request: Request, partition: int) -> Response:
        """The owner's stream."""
        where = worker_address(self._reads.owner_of(request, partition), request.rel_url.raw_path_qs)
        timeout = ClientTimeout(sock_connect=FORWARD_TIMEOUT_S, sock_read=FORWARD_TIMEOUT_S + HEARTBEAT_INTERVAL_S)
        async with self._reads.session(request, timeout) as session:
            with told_as_problem():
                answer = await session.get(where)
            with closing(answer):
                return await self._copy(request, answer)

    async def _copy(self, request: Request, answer: ClientResponse) -> Response:
        if answer.content_type != MEDIA_TYPE:
            with told_as_problem():
                return (await worker_answer(answer)).response()
        response = _stream()
        with suppress(OSError, ClientError):
            await response.prepare(request)
            if request.method != "HEAD":
                await self._copy_pieces(request, answer, response)
        return response

    async def _copy_pieces(self, request: Request, answer: ClientResponse, response: Response) -> None:
        async for chunk in answer.content.iter_any():
            await _write(response, chunk)
            if self._reads.is_ending(request):
                break


def _stream() -> Response:
    return Response(headers={**SAFE_HEADERS, "Content-Type": MEDIA_TYPE, "X-Accel-Buffering": "no"})


async def _write(response: Response, data: bytes) -> None:
    async with asyncio.timeout(WRITE_TIMEOUT_S):
        await response.write(data)


def _message(found: Any) -> bytes:
    return b"id: %b\nevent: change\ndata: %b\n\n" % (found.revision.encode(), msgspec.json.encode(found))
