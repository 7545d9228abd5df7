"""Child processes: whose they are, how they end."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import psutil
import pytest

from stack import child
from stack.child import Command
from tests.eventually import eventually

SLEEPER = ("/bin/sleep", "60")
STUBBORN = (
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)",
)
# A parent whose child leads a group of its own, as those of PostgreSQL do.
PARENT_OF_A_LEADER = (
    sys.executable,
    "-c",
    "from subprocess import *; it = Popen(['sleep', '60'], process_group=0); print(it.pid, flush=True); it.wait()",
)
ROOT = Path(__file__).parents[3]


def command(tmp_path: Path, *argv: str) -> Command:
    return Command(argv, tmp_path / "logs" / "child.log")


def test_a_child_leads_a_session_of_its_own_so_that_ctrl_c_passes_it_by(tmp_path: Path) -> None:
    process = child.spawn(command(tmp_path, *SLEEPER))
    try:
        assert os.getsid(process.pid) == process.pid
    finally:
        child.kill(process)


def test_a_child_that_ends_when_asked_was_not_killed(tmp_path: Path) -> None:
    process = child.spawn(command(tmp_path, *SLEEPER))
    assert child.stop(process, signal.SIGTERM, 10)
    assert process.returncode == -signal.SIGTERM


def test_a_child_that_does_not_end_is_killed(tmp_path: Path) -> None:
    running = command(tmp_path, *STUBBORN)
    process = child.spawn(running)
    eventually(lambda: "up" in running.log.read_text(), within=10)
    assert not child.stop(process, signal.SIGTERM, 0.2)
    assert process.returncode == -signal.SIGKILL


def test_a_child_is_killed_with_descendants_that_lead_groups_of_their_own(tmp_path: Path) -> None:
    running = command(tmp_path, *PARENT_OF_A_LEADER)
    process = child.spawn(running)
    leader = int(eventually(lambda: running.log.read_text().strip(), within=10))
    assert os.getpgid(leader) == leader
    child.kill(process)
    assert not psutil.pid_exists(leader)


def test_spawning_from_another_thread_is_refused(tmp_path: Path) -> None:
    refused: list[str] = []

    def try_it() -> None:
        try:
            child.spawn(command(tmp_path, *SLEEPER))
        except RuntimeError as error:
            refused.append(str(error))

    thread = threading.Thread(target=try_it)
    thread.start()
    thread.join()
    assert refused == ["children are spawned from the main thread, or they would end with the spawning thread"]


PARENT = """
    import signal, sys, time
    from pathlib import Path
    from stack import child
    argv = ("/bin/sleep", "60")
    log = Path(sys.argv[1])
    for user in {users}:
        made = child.Command(argv, log, user=user, cwd=Path("/"), death_signal=signal.{death})
        print(child.spawn(made).pid, flush=True)
    time.sleep(60)
"""


def orphans_of_a_killed_parent(tmp_path: Path, users: str, death: str) -> list[psutil.Process]:
    script = textwrap.dedent(PARENT).format(users=users, death=death)
    parent = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "log")], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    with parent:
        assert parent.stdout is not None
        children = [psutil.Process(int(parent.stdout.readline())) for _ in range(users.count(",") + 1)]
        assert all(process.is_running() for process in children)
        parent.kill()
    return children


def gone(processes: list[psutil.Process]) -> bool:
    return not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in processes)


@pytest.mark.parametrize("death", ["SIGTERM", "SIGKILL"])
def test_children_end_with_a_parent_that_was_killed(tmp_path: Path, death: str) -> None:
    children = orphans_of_a_killed_parent(tmp_path, "[None, None]", death)
    eventually(lambda: gone(children), within=5)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can run a child as somebody else")
def test_a_child_of_another_user_ends_with_its_parent_too(tmp_path: Path) -> None:
    children = orphans_of_a_killed_parent(tmp_path, "[65534]", "SIGTERM")
    eventually(lambda: gone(children), within=5)


def test_the_last_lines_of_a_log_are_told(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("".join(f"line {number}\n" for number in range(5000)))
    assert child.last_lines(log, 2) == "line 4998\nline 4999"
    assert child.last_lines(tmp_path / "none") == ""
