"""The demonstration, as a newcomer runs it, against this run's pipeline."""

import asyncio
import os
import re
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


def shown(pipeline: Pipeline, *arguments: str) -> str:
    """What a demonstration prints that keeps every promise."""
    settings = pipeline.stack.settings
    own = {"TURNSTILE_HOME": str(settings.home), "TURNSTILE_MAIL_PORT": str(settings.mail_port)}
    done = subprocess.run(
        [sys.executable, "-m", "lab.demo", *arguments],
        env={**os.environ, **pipeline.stack.environment, **own},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "every promise held" in done.stdout
    return done.stdout


def test_the_demonstration_keeps_every_promise_beside_records_that_nobody_can_read(pipeline: Pipeline) -> None:
    asyncio.run(spoil(pipeline.kafka))

    assert "50 of 50" in shown(pipeline, "sell", "--buyers", "600", "--seed", "7", "--paid-buyers", "0")


def test_what_is_paid_online_keeps_its_promise_with_a_provider_that_lies(pipeline: Pipeline) -> None:
    few = ("--buyers", "20", "--paid-buyers", "40")
    said = rows(shown(pipeline, "sell", "--seed", "7", *few, "--paper", "hostile"))
    assert int(said["payments declined"]) > 0
    assert 0 < int(said["confirmed"]) < 40
    assert float(said["captured"].removesuffix(" EUR")) > float(said["refunded"].removesuffix(" EUR")) > 0


def rows(printed: str) -> dict[str, str]:
    """The cells of the tables that were printed, by the name of the row."""
    cells = [[cell.strip() for cell in line.split("│")[1:3]] for line in printed.splitlines() if "│" in line]
    return dict(cells)


def test_a_hall_is_sold_and_drawn_with_everybody_who_sits_there(pipeline: Pipeline) -> None:
    said = shown(pipeline, "hall", "--buyers", "120", "--rows", "4")

    after = said.partition("after: Demonstration night")[2]
    sold = [int(count) for count in re.findall(r"^\w+: (\d+) of \d+ seats sold", after, re.MULTILINE)]
    drawn = [
        line for line in after.splitlines() if re.fullmatch(r" {2}[A-Z] [.NnBb]{13} [.NnBb]{24} [.NnBb]{13}", line)
    ]
    assert len(drawn) == 4
    assert sum(sold) == sum(letter in "NnBb" for line in drawn for letter in line[4:]) > 150
    assert re.search(r"^page: http://\S+/events/\S+/seats$", said, re.MULTILINE)
