"""The demonstration, as a newcomer runs it, against this run's pipeline."""

import asyncio
import os
import subprocess
import sys
import time

from connect.topics import OUTCOMES
from lab.chaos.record_batch import BatchAppender, RawRecord, record_batch
from tests.pipeline import PARTITIONS, Pipeline

UNREADABLE = RawRecord(b"key", b"{}", [(b"\xe9t\xe9", b"")])


async def spoil(servers: str) -> None:
    """Append a record to each partition of the outcomes that aiokafka can't read by itself."""
    async with BatchAppender(servers, [OUTCOMES]) as appender:
        for partition in range(PARTITIONS):
            await appender.append(OUTCOMES, partition, record_batch([UNREADABLE], at_ms=round(time.time() * 1000)))


def test_the_demonstration_keeps_every_promise_beside_records_that_nobody_can_read(pipeline: Pipeline) -> None:
    asyncio.run(spoil(pipeline.kafka))
    settings = pipeline.stack.settings
    own = {"TURNSTILE_HOME": str(settings.home), "TURNSTILE_MAIL_PORT": str(settings.mail_port)}

    done = subprocess.run(
        [sys.executable, "-m", "lab.demo", "sell", "--buyers", "600", "--seed", "7"],
        env={**os.environ, **pipeline.stack.environment, **own},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "every promise held" in done.stdout
    assert "50 of 50" in done.stdout
