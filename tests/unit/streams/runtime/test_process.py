"""A worker's shutdown: at once while it waits for Kafka, else within its deadline."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from lab.free_ports import free
from stack.ports import HOST
from streams.runtime.failstop import EXIT_STATUS
from tests.eventually import eventually

ROOT = Path(__file__).parents[4]
WAITING = "waiting for Kafka"
NAMESPACE = ("unshare", "--fork", "--pid", "--kill-child")
# A service that never ends its stop, in a worker that is told to stop, or whose service fails, at once.
HANGING = """
import asyncio, logging, os, signal, sys
import faust, mode
from streams.runtime import process

logging.basicConfig(stream=sys.stdout)
process.STOP_MAX_S = 0.2

class Hanging(mode.Service):
    async def on_started(self):
        if sys.argv[1] == "told":
            os.kill(os.getpid(), signal.SIGTERM)
        else:
            await self.crash(RuntimeError("lost"))

    async def on_stop(self):
        await asyncio.Event().wait()

class Process(process.WorkerProcess):
    def on_init_dependencies(self):
        return self.services

app = faust.App("hanging", datadir=sys.argv[2])
worker = Process(app, quiet=True, override_logging=False)
worker.services = [Hanging(beacon=worker.beacon)]
worker.execute_from_commandline()
"""


def is_waiting(client: httpx.Client) -> bool:
    try:
        answer = client.get("/health/live")
    except httpx.TransportError:
        return False
    return answer.is_success and answer.json() == {"status": WAITING}


@pytest.mark.parametrize("process_1", [False, True])
def test_a_worker_that_waits_for_kafka_ends_when_it_is_told_to(tmp_path: Path, process_1: bool) -> None:
    if process_1 and subprocess.run((*NAMESPACE, "true"), check=False, capture_output=True).returncode:
        pytest.skip("only root can make a process its namespace's first")
    port, kafka = free(2)
    environment = {
        **os.environ,
        "TURNSTILE_KAFKA_SERVERS": f"{HOST}:{kafka}",
        "TURNSTILE_TICKET_KEY": "k" * 32,
        "TURNSTILE_WORKER_PORT": str(port),
        "TURNSTILE_WORKER_DATA": str(tmp_path / "data"),
    }
    argv = (*(NAMESPACE if process_1 else ()), sys.executable, "-m", "streams")
    log = tmp_path / "log"
    with (
        httpx.Client(base_url=f"http://{HOST}:{port}", timeout=1, trust_env=False) as client,
        log.open("w") as output,
        subprocess.Popen(argv, cwd=ROOT, env=environment, stdout=output) as process,
    ):
        try:
            # It is served before it is logged.
            eventually(lambda: is_waiting(client) and WAITING in log.read_text(), within=60)
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
            os.kill(int(children[0]) if process_1 else process.pid, signal.SIGTERM)
            process.wait(timeout=20)
        finally:
            process.kill()
    assert process.returncode == 0
    assert log.read_text().count(WAITING) == 1


@pytest.mark.parametrize(("why", "status"), [("told", 0), ("crashed", EXIT_STATUS)])
def test_a_worker_whose_stop_hangs_is_ended(tmp_path: Path, why: str, status: int) -> None:
    argv = (sys.executable, "-c", HANGING, why, str(tmp_path))
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, "not stopped within" in done.stdout) == (status, True), done.stdout + done.stderr
