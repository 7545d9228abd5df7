"""The data folder: locked by one supervisor at a time, with a record of the processes that it has started."""

import contextlib
import fcntl
import json
import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO

import psutil

from stack.errors import HomeInUse, StackError
from stack.postgres_files import files_of

EXIT_TIMEOUT_S = 10.0
LOCK = "lock"
# The file system's own folder, on a volume.
LOST_FOUND = "lost+found"
# What may be in a data folder before it is locked for the first time: commands make secrets and snapshots.
BEFORE_LOCK = {"secrets", "logs", "snapshots", LOST_FOUND}


class Home:
    """A data folder, locked while the stack on it runs."""

    def __init__(self, folder: Path, postgres_folder: Path) -> None:
        self.folder = folder
        self.postgres_folder = postgres_folder
        self._lock: IO[str] | None = None

    def lock(self) -> None:
        """Lock the folder. Raises HomeInUse while another process holds the lock.

        A folder that is not empty and never was a data folder is refused: ``remove`` would delete what is in it.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        names = {path.name for path in self.folder.iterdir()}
        if LOCK not in names and names - BEFORE_LOCK:
            raise StackError(f"{self.folder} has other files: name an empty folder for the data (TURNSTILE_HOME)")
        file = (self.folder / LOCK).open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip()
            file.close()
            raise HomeInUse(f"the data folder {self.folder} is in use by process {holder}") from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        self._lock = file

    def release(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def note(self, pids: Mapping[str, int]) -> None:
        """Record which processes run on this folder, so that the next supervisor can wait for their end."""
        processes = {}
        for name, pid in pids.items():
            with contextlib.suppress(psutil.NoSuchProcess):
                processes[name] = [pid, psutil.Process(pid).create_time()]
        (self.folder / "processes.json").write_text(json.dumps(processes))

    def outlive(self, timeout_s: float = EXIT_TIMEOUT_S) -> None:
        """Wait for the processes of a killed supervisor to end, and kill those that don't."""
        waiting = self._leftovers()
        deadline = time.monotonic() + timeout_s
        while waiting and time.monotonic() < deadline:
            _, waiting = psutil.wait_procs(waiting, timeout=0.2)
        for process in waiting:
            process.kill()
        psutil.wait_procs(waiting, timeout=timeout_s)

    def _leftovers(self) -> list[psutil.Process]:
        """The recorded processes that still run; a process id that was reused doesn't count."""
        try:
            noted = json.loads((self.folder / "processes.json").read_text())
            pairs = [(int(pid), float(created)) for pid, created in noted.values()]
        except (FileNotFoundError, ValueError, TypeError, AttributeError):
            return []
        found = []
        for pid, created in pairs:
            with contextlib.suppress(psutil.NoSuchProcess):
                process = psutil.Process(pid)
                if process.create_time() == created:
                    found.append(process)
        return found

    def remove(self) -> None:
        """Delete the folder and PostgreSQL's files outside of it. Raises HomeInUse while a stack runs on it.

        The lock goes last: by it the folder is known when an interrupted removal is repeated. A volume stays, empty.
        """
        if not self.folder.exists():
            return
        self.lock()
        self.outlive()
        shutil.rmtree(files_of(self.folder, self.postgres_folder).folder, ignore_errors=True)
        for path in self.folder.iterdir():
            if path.is_dir() and not path.is_symlink() and path.name != LOST_FOUND:
                shutil.rmtree(path)
            elif path.name not in (LOCK, LOST_FOUND):
                path.unlink()
        (self.folder / LOCK).unlink()
        self.release()
        with contextlib.suppress(OSError):
            self.folder.rmdir()
