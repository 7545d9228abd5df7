"""``make run`` from outside, with a search that can't start and a worker that can't either."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import psycopg
import pytest

from lab.trial_stack import TrialStack
from stack.postgres import SUPERUSER, Postgres
from stack.state_file import NAME
from tests.eventually import eventually
from tests.pipeline import Json, Pipeline

ROOT = Path(__file__).parents[3]


@dataclass
class Run:
    """``python -m stack run`` on the folder and ports of ``stack``, and the lines that it printed."""

    stack: TrialStack
    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as output:
            for line in output:
                self.lines.append(line.rstrip())

    def close(self) -> None:
        """The process has ended: read what it said last."""
        self._reader.join(10)

    def says(self, *words: str, within: float = 60) -> str:
        """The first line with all of these words."""
        return eventually(lambda: next(iter(self.said(*words)), ""), within=within)

    def said(self, *words: str) -> list[str]:
        """All lines with all of these words."""
        return [line for line in self.lines if all(word in line for word in words)]

    def pids(self) -> dict[str, int]:
        """What runs, by name."""
        noted = json.loads((self.stack.settings.home / "processes.json").read_text())
        return {name: pid for name, (pid, _) in noted.items()}

    def failures(self, name: str) -> int:
        """How often a part has failed in a row."""
        parts = json.loads((self.stack.settings.home / NAME).read_text())["parts"]
        return next(int(part["failures"]) for part in parts if part["name"] == name)

    def status(self) -> tuple[int, dict[str, Json]]:
        """The exit code of `turnstile status`, and its parts by name."""
        environment = {**os.environ, **self.stack.environment}
        program = (sys.executable, "-m", "ops", "status", "--json")
        done = subprocess.run(program, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        return done.returncode, {part["name"]: part for part in json.loads(done.stdout)["parts"]}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    home = tmp_path_factory.mktemp("run") / "home"
    stack = TrialStack.on_free_ports(home)
    home.mkdir()
    (home / "lock").touch()  # by which a data folder is known
    (home / "sales-0").write_text("a file where a worker wants its folder")
    ports = stack.settings.server_ports() | stack.settings.app_ports()
    environment = {
        **os.environ,
        **{name: str(port) for name, port in ports.items()},
        "TURNSTILE_HOME": str(home),
        "TURNSTILE_ELASTICSEARCH_HEAP": "1k",
    }
    program = (sys.executable, "-m", "stack", "run")
    process = subprocess.Popen(
        program, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    run = Run(stack, process)
    try:
        run.says("ready, but:", within=180)
        yield run
        end(run)
    finally:
        process.kill()
        process.wait()
        run.close()
        stack.remove()


def end(run: Run) -> None:
    """Ctrl-C, which ends everything well and leaves nothing behind."""
    processes = [psutil.Process(pid) for pid in run.pids().values() if psutil.pid_exists(pid)]
    children = psutil.Process(run.process.pid).children(recursive=True)
    run.process.send_signal(signal.SIGINT)
    assert run.process.wait(60) == 0
    assert not any(each.is_running() for each in (*processes, *children))
    assert not (run.stack.settings.home / NAME).exists()
    run.stack.home.lock()
    run.stack.home.release()


@pytest.fixture(scope="module")
def pipeline(run: Run) -> Iterator[Pipeline]:
    pipeline = Pipeline(run.stack)
    yield pipeline
    pipeline.close()


def test_what_does_not_work_is_named_with_the_reason_once_and_the_rest_works(run: Run, pipeline: Pipeline) -> None:
    event, [kind] = pipeline.event(10)
    assert pipeline.buy(event, kind, 1, pipeline.account()).status_code == 201
    after = run.lines[run.lines.index(run.says("ready, but:")) :]
    assert any("elasticsearch" in line and "ended with exit code" in line for line in after)
    assert any("indexer-0" in line and "waits for elasticsearch" in line for line in after)
    eventually(lambda: run.failures("sales-0") > 3, within=60)
    assert len(run.said("sales-0", "ended with exit code 1", "FileExistsError", "it is started again")) == 1
    assert len(run.said("elasticsearch", "ended with exit code", "it is started again")) == 1


def test_status_has_a_line_for_each_part_that_does_not_work(run: Run) -> None:
    code, parts = run.status()
    assert code == 1
    assert parts["supervisor"]["state"] == "warn"
    assert parts["sales-0"]["state"] == "down"
    assert "FileExistsError" in parts["sales-0"]["text"]
    assert parts["indexer-0"]["text"] == "waits for elasticsearch"
    assert "api" not in [name for name, part in parts.items() if part["state"] == "down"]


def test_a_killed_worker_is_back_while_others_are_down(run: Run, pipeline: Pipeline) -> None:
    event, [kind] = pipeline.event(10)
    before = run.pids()
    os.kill(before["ledger-0"], signal.SIGKILL)
    run.says("ledger-0", "ended with signal SIGKILL")
    run.says("ledger-0", "works again")
    eventually(lambda: pipeline.buy(event, kind, 1, pipeline.account()).status_code == 201, within=20)
    same = {name for name, pid in run.pids().items() if before.get(name) == pid}
    assert {"api", "kafka", "postgres", "connect", "notifications-0"} <= same


def test_connectors_that_can_not_flow_are_named_and_selling_goes_on(run: Run, pipeline: Pipeline) -> None:
    server = run.stack.members["postgres"]
    assert isinstance(server, Postgres)
    event, [kind] = pipeline.event(10)
    with psycopg.connect(server.url(SUPERUSER), autocommit=True) as connection:
        connection.execute("DROP PUBLICATION turnstile_account")
    os.kill(run.pids()["connect"], signal.SIGKILL)
    line = run.says("connectors", "failed: ended with exit code 1", within=150)
    assert "turnstile_account" in line
    assert pipeline.buy(event, kind, 1, pipeline.account()).status_code == 201
    assert run.process.poll() is None
