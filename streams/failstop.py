"""Ending the process before anything unexpected can be acknowledged.

Faust acknowledges the record that an agent failed on, so an exception must never leave an agent.
"""

import contextlib
import logging
import os
import sys
from collections import Counter
from pathlib import Path
from typing import NoReturn

STATUS = 70
NOTES = "failstops"

log = logging.getLogger(__name__)
_notes: list[Path] = []


def fail_stop(doing: str, error: BaseException) -> NoReturn:
    """End this process at once; what was under way is read again by the next one."""
    log.critical("ending the process: %s failed: %r", doing, error, exc_info=error)
    for notes in _notes:
        with contextlib.suppress(OSError), notes.open("a") as file:
            file.write(f"{doing}\t{type(error).__name__}\n")
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(STATUS)


def note_in(folder: Path) -> None:
    """Keep a line of every such end in this folder, for the next process to tell of."""
    _notes[:] = [folder / NOTES]


def noted(folder: Path) -> Counter[tuple[str, ...]]:
    """How often a process with this folder has ended itself, by what failed and the kind of the error."""
    try:
        lines = (folder / NOTES).read_text().splitlines()
    except FileNotFoundError:
        return Counter()
    parts = (line.partition("\t") for line in lines)
    return Counter((doing, error) for doing, _, error in parts)
