"""A mail server that never ends its greeting."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress


@asynccontextmanager
async def greeting_for_ever() -> AsyncIterator[int]:
    """Its port. Each of its lines says that another one follows."""

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError), closing(writer):
            while True:
                writer.write(b"220-hi\r\n")
                await writer.drain()
                await asyncio.sleep(0.05)

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]
