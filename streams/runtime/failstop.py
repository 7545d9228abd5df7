"""Ending the process before anything unexpected can be acknowledged.

Faust acknowledges the record that an agent failed on, so an exception must never leave an agent.
"""

import contextlib
import logging
import os
import sys
from pathlib import Path
from typing import NoReturn

STATUS = 70
NOTES = "failstops"
# The file is as long as there are reasons, not ends.
REASONS_MAX = 100

log = logging.getLogger(__name__)
_folders: list[Path] = []


def fail_stop(doing: str, error: BaseException) -> NoReturn:
    """End this process at once; what was under way is read again by the next one."""
    log.critical("ending the process: %s failed: %r", doing, error, exc_info=error)
    for folder in _folders:
        with contextlib.suppress(OSError):
            _note(folder, doing, type(error).__name__)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(STATUS)


def note_in(folder: Path) -> None:
    """Count every such end in this folder, for the next process to tell of."""
    _folders[:] = [folder]


def noted(folder: Path) -> dict[tuple[str, ...], int]:
    """How often a process with this folder has ended itself, by what failed and the kind of the error; the last last.

    A line without a number is one end.
    """
    try:
        lines = (folder / NOTES).read_text().splitlines()
    except FileNotFoundError:
        return {}
    counts: dict[tuple[str, ...], int] = {}
    for line in lines:
        doing, error, count, *_ = (*line.split("\t"), "", "")
        counts[doing, error] = counts.get((doing, error), 0) + (int(count) if count.isdecimal() else 1)
    return counts


def _note(folder: Path, doing: str, error: str) -> None:
    counts = noted(folder)
    counts[doing, error] = counts.pop((doing, error), 0) + 1
    newest = list(counts.items())[-REASONS_MAX:]
    partial = folder / f"{NOTES}.partial"
    partial.write_text("".join(f"{doing}\t{error}\t{count}\n" for (doing, error), count in newest))
    partial.replace(folder / NOTES)
