"""Child processes that end with their parent, and are stopped or, after a timeout, killed.

The kernel sends the death signal when the *thread* that forked ends: spawn from the main thread only.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

PR_SET_PDEATHSIG = 1
KILL_TIMEOUT_S = 5
LOG_LINES_SHOWN = 15
LIBC = "libc.so.6"


@dataclass(frozen=True, slots=True)
class Command:
    """A process to start: arguments, log file, environment, user, folder, the signal that ends it with its parent."""

    argv: tuple[str, ...]
    log: Path
    env: Mapping[str, str] = field(default_factory=dict)
    user: int | None = None
    cwd: Path | None = None
    death_signal: signal.Signals = signal.SIGKILL


def spawn(command: Command) -> subprocess.Popen[bytes]:
    """Start the process in a session of its own, so that Ctrl-C reaches only the supervisor."""
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("children are spawned from the main thread, or they would end with the spawning thread")
    command.log.parent.mkdir(parents=True, exist_ok=True)
    with command.log.open("ab") as log:
        return subprocess.Popen(
            command.argv,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, **command.env},
            cwd=command.cwd,
            user=command.user,
            group=command.user,
            extra_groups=None if command.user is None else [],
            start_new_session=True,
            preexec_fn=_ends_with_parent(command.death_signal),  # noqa: PLW1509 (it only calls into libc)
        )


def end_with(parent_signal: signal.Signals) -> None:
    """Have the kernel send this process the signal when its parent dies."""
    ctypes.CDLL(LIBC, use_errno=True).prctl(PR_SET_PDEATHSIG, int(parent_signal), 0, 0, 0)


def _ends_with_parent(death_signal: signal.Signals) -> Callable[[], None]:
    """What the child runs between fork and exec, after the change of user, which clears the death signal."""
    prctl = ctypes.CDLL(LIBC, use_errno=True).prctl
    parent = os.getpid()

    def set_death_signal() -> None:
        prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])

    return set_death_signal


def stop(process: subprocess.Popen[bytes], stop_signal: signal.Signals, within: float) -> bool:
    """Signal the process, and kill it with its children after the timeout; whether it ended by itself."""
    if process.poll() is None:
        process.send_signal(stop_signal)
    return wait(process, within)


def wait(process: subprocess.Popen[bytes], within: float) -> bool:
    """Wait for a process that was signalled; see ``stop``."""
    try:
        process.wait(within)
    except subprocess.TimeoutExpired:
        kill(process)
        return False
    return True


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill the process, its group and its other descendants, and wait until all of them have ended.

    PostgreSQL's children lead sessions of their own: one that outlives its server goes on writing into its folder.
    """
    descendants: list[psutil.Process] = []
    with contextlib.suppress(psutil.NoSuchProcess):
        descendants = psutil.Process(process.pid).children(recursive=True)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for each in descendants:
        with contextlib.suppress(psutil.NoSuchProcess):
            each.kill()
    psutil.wait_procs(descendants, timeout=KILL_TIMEOUT_S)


def last_lines(log: Path, count: int = LOG_LINES_SHOWN) -> str:
    """The end of a log file, for an error message."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 20_000))
        lines = file.read().decode(errors="replace").splitlines()
    return "\n".join(lines[-count:])
