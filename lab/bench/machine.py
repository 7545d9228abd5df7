"""Where figures come from: the machine, its present pace, the versions, the commit."""

import os
import platform
import subprocess
import time
from collections.abc import Mapping
from importlib.metadata import version
from itertools import cycle, islice
from pathlib import Path
from random import Random
from typing import Final

import psutil

from stack.python_build import build

ROOT: Final = Path(__file__).parents[2]
HARDWARE: Final = ("cores", "processor", "memory")
OBJECTS: Final = 100_000
REPEATS: Final = 2
# Files that a run writes by itself: they don't make a commit another one.
WRITTEN_BY_RUNS: Final = (":!lab/bench/results", ":!README.md", ":!docs/performance.md")
PACKAGES: Final = ("faust-streaming", "aiokafka", "kafka-python", "flask", "uvicorn", "uvloop", "psycopg")


def machine() -> dict[str, str]:
    """Cores, processor, memory, system and versions, as text."""
    return {
        "cores": str(os.cpu_count()),
        "processor": _processor(),
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "python": build(),
        **{package: version(package) for package in PACKAGES},
    }


def pace() -> float:
    """CPU milliseconds of a fixed job: Python that reads many small objects all over its memory.

    On a shared machine the pace varies with the hour, and all figures with it.
    """
    pacer = Pacer()
    return sum(pacer.step(OBJECTS) for _ in range(REPEATS))


class Pacer:
    """The fixed job in steps, to sample the pace all the time."""

    def __init__(self) -> None:
        self._objects = [number.to_bytes(400, "big") for number in range(OBJECTS)]
        self._order = cycle(Random(1).sample(range(OBJECTS), OBJECTS))

    def step(self, count: int) -> float:
        """Read so many objects; the CPU milliseconds that it took."""
        began = time.process_time()
        sum(self._objects[number][-1] for number in islice(self._order, count))
        return 1000 * (time.process_time() - began)


def same_host(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Whether figures of the two can be compared: the hardware must be the same, versions may differ."""
    return all(one.get(name) == other.get(name) for name in HARDWARE)


def commit() -> str:
    """The commit's short name, with a plus if files have changed since; "unknown" outside of a repository."""
    named = _git("rev-parse", "--short", "HEAD")
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", ".", *WRITTEN_BY_RUNS)
    return f"{named}{'+' if changed else ''}" if named else "unknown"


def _git(*arguments: str) -> str:
    command = ("git", "--no-optional-locks", *arguments)  # it writes nothing
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
