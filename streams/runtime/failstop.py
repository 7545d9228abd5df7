"""Ending the process before anything unexpected can be committed.

Faust acknowledges the record on which an agent failed, so no exception may leave an agent.
"""

import contextlib
import logging
import os
import sys
from pathlib import Path
from typing import NoReturn

EXIT_STATUS = 70
FILE_NAME = "failstops"
# Bounds the file, which has a line for each reason.
REASONS_MAX = 100

log = logging.getLogger(__name__)
_folders: list[Path] = []


def fail_stop(doing: str, error: BaseException) -> NoReturn:
    """End this process at once; the next one reads again whatever was in flight."""
    log.critical("ending the process: %s failed: %r", doing, error, exc_info=error)
    for folder in _folders:
        with contextlib.suppress(OSError):
            _record(folder, doing, type(error).__name__)
    exit_at_once(EXIT_STATUS)


def exit_at_once(status: int) -> NoReturn:
    """End this process, whether or not somebody still reads what it writes."""
    for output in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            output.flush()
    os._exit(status)


def record_in(folder: Path) -> None:
    """Count fail-stops in a file of this folder, which the next process reads."""
    _folders[:] = [folder]


def recorded_stops(folder: Path) -> dict[tuple[str, ...], int]:
    """How often processes with this folder ended themselves: (what failed, error class) → count, the newest last.

    A line without a count stands for one.
    """
    try:
        lines = (folder / FILE_NAME).read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return {}
    counts: dict[tuple[str, ...], int] = {}
    for line in lines:
        doing, error, count, *_ = (*line.split("\t"), "", "")
        counts[doing, error] = counts.get((doing, error), 0) + (int(count) if count.isdecimal() else 1)
    return counts


def _record(folder: Path, doing: str, error: str) -> None:
    counts = recorded_stops(folder)
    counts[doing, error] = counts.pop((doing, error), 0) + 1
    newest = list(counts.items())[-REASONS_MAX:]
    partial = folder / f"{FILE_NAME}.partial"
    lines = [f"{doing}\t{error}\t{count}\n" for (doing, error), count in newest]
    partial.write_text("".join(lines), encoding="utf-8")
    partial.replace(folder / FILE_NAME)
