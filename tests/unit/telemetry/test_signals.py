"""A starting process ends on SIGTERM, even as PID 1 of a container; one with a running loop is told to stop."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from telemetry.signals import ENDING_SIGNALS, stop_on_signals
from tests.unit.api.soon import soon

ROOT = Path(__file__).parents[3]
NAMESPACE = ("unshare", "--fork", "--pid", "--kill-child")
SCRIPT = "import time; from telemetry.signals import end_at_once as it; it(); print('up', flush=True); time.sleep(60)"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_process_1_ends_well_when_it_is_told_to(number: signal.Signals) -> None:
    if subprocess.run((*NAMESPACE, "true"), check=False, capture_output=True).returncode:
        pytest.skip("only root can make a process its namespace's first")
    argv = (*NAMESPACE, sys.executable, "-c", SCRIPT)
    with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "up\n"
            [first] = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
            os.kill(int(first), number)
            assert process.wait(60) == 0
        finally:
            process.kill()


def test_a_running_loop_calls_the_handler_and_goes_on() -> None:
    async def told() -> list[int]:
        numbers: list[int] = []
        stop_on_signals(lambda number, _: numbers.append(number))
        for number in ENDING_SIGNALS:
            os.kill(os.getpid(), number)
        await soon(lambda: len(numbers) == len(ENDING_SIGNALS))
        return numbers

    assert sorted(asyncio.run(told())) == sorted(ENDING_SIGNALS)
