"""A broken aiokafka connection is a Kafka error under uvloop, too.

aiokafka 0.14 considers a connection open until it has read all that came before its end. asyncio's own loop drops what
is written meanwhile; uvloop raises RuntimeError, where aiokafka expects OSError. That would end its task of fetching,
sending or metadata for good: the process would stay in its group and do nothing.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

from aiokafka import conn
from aiokafka.errors import KafkaConnectionError

from telemetry.rate_limited import RateLimitedLog

STOP_TIMEOUT_S: Final = 2.0

limited_log = RateLimitedLog(logging.getLogger(__name__))
Client = TypeVar("Client", bound=Any)


class Connection(conn.AIOKafkaConnection):  # type: ignore[misc,unused-ignore]
    """aiokafka's connection, which ends where it can't be written to."""

    def send(self, request: Any, expect_response: bool = True) -> Any:
        """Begin to send; the result is for awaiting the answer. Raises KafkaConnectionError."""
        try:
            return super().send(request, expect_response)
        except RuntimeError as error:
            raise self._broken(error) from error

    def _send_sasl_token(self, payload: Any, expect_response: bool = True) -> Any:
        try:
            return super()._send_sasl_token(payload, expect_response)
        except RuntimeError as error:
            raise self._broken(error) from error

    def _broken(self, error: RuntimeError) -> KafkaConnectionError:
        self.close(reason=conn.CloseReason.CONNECTION_BROKEN)
        return KafkaConnectionError(f"Connection at {self.host}:{self.port} broken: {error}")


def install() -> None:
    """Let the aiokafka clients of this process use it."""
    module: Any = conn
    module.AIOKafkaConnection = Connection


@asynccontextmanager
async def started(client: Client) -> AsyncIterator[Client]:
    """Start a client, and stop it at the end, also where it could not be started. Raises aiokafka's KafkaError."""
    try:
        await client.start()
        yield client
    finally:
        await disconnect(client)


async def disconnect(client: Any) -> None:
    """Stop a client of Kafka within STOP_TIMEOUT_S, though it may wait 30 s for the end of TLS with a hung broker."""
    try:
        async with asyncio.timeout(STOP_TIMEOUT_S):
            await client.stop()
    except Exception as error:  # noqa: BLE001 (whatever it is, nobody uses the client any more)
        limited_log.warning("stop", "a client of Kafka did not stop cleanly: %r", error)
