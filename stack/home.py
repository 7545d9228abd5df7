"""The data folder: one supervisor at a time, and a note of the processes that it started."""

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
from stack.place import place_of

PATIENCE = 10.0


class Home:
    """A data folder, locked while the stack on it runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock: IO[str] | None = None

    def lock(self) -> None:
        """Take the folder. Raises HomeInUse while another process has it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        file = (self.folder / "lock").open("a+")
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
        """Give the folder back."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def note(self, pids: Mapping[str, int]) -> None:
        """Write down which processes run on this folder, so that the next supervisor can wait for their end."""
        processes = {}
        for name, pid in pids.items():
            with contextlib.suppress(psutil.NoSuchProcess):
                processes[name] = [pid, psutil.Process(pid).create_time()]
        (self.folder / "processes.json").write_text(json.dumps(processes))

    def outlive(self) -> None:
        """Wait until the processes of a supervisor that was killed are gone; kill those that linger."""
        waiting = self._leftovers()
        deadline = time.monotonic() + PATIENCE
        while waiting and time.monotonic() < deadline:
            _, waiting = psutil.wait_procs(waiting, timeout=0.2)
        for process in waiting:
            process.kill()
        psutil.wait_procs(waiting, timeout=PATIENCE)

    def _leftovers(self) -> list[psutil.Process]:
        """The noted processes that still run; a number that was given to another process since doesn't count."""
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
        """Delete the folder and what is kept outside of it. Raises HomeInUse while a stack runs on it."""
        if not self.folder.exists():
            return
        if not (self.folder / "lock").exists():
            raise StackError(f"{self.folder} is no data folder of the stack: it has no file named lock")
        self.lock()
        self.outlive()
        shutil.rmtree(place_of(self.folder).folder, ignore_errors=True)
        shutil.rmtree(self.folder)
        self.release()
