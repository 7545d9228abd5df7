"""A starting process ends on SIGTERM, even as PID 1 of a container."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

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
