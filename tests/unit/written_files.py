"""Refuses what a test writes outside of the run's folder: what stays there fails the next run, or somebody else's.

It sees the files that Python opens, makes, renames and links in this process, not those of other programs.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from stack.settings import jar_cache

ROOT: Final = Path(__file__).parents[2]
WRITING: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT
# Which argument of an event says what is written.
PATHS: Final = {"os.mkdir": 0, "os.rename": 1, "os.link": 1, "os.symlink": 1}


@contextmanager
def refuse_writes_outside(folder: Path) -> Iterator[None]:
    """Meanwhile, raise AssertionError where a file outside of ``folder`` is written.

    What Python, pytest and Hypothesis keep for the next run has places of its own, and so do downloaded programs
    (tests/debian.py): the user's cache, whose folders may be made with those above them.
    """
    kept = os.environ.get("HYPOTHESIS_STORAGE_DIRECTORY", ROOT / ".hypothesis")
    places = (folder, kept, ROOT / ".pytest_cache", jar_cache().parent)
    inside = tuple(f"{os.path.realpath(path)}/" for path in places)
    watching = True

    def check(event: str, arguments: tuple[Any, ...]) -> None:
        if watching and (path := written(event, arguments)) is not None:
            name = os.path.realpath(os.fsdecode(path))
            is_above = event == "os.mkdir" and any(place.startswith(f"{name}/") for place in inside)
            if not (is_above or name.startswith(inside) or "/__pycache__" in name or Path(name).is_char_device()):
                raise AssertionError(f"a test writes {name}, outside of the folder of its run")

    sys.addaudithook(check)
    try:
        yield
    finally:
        watching = False


def written(event: str, arguments: tuple[Any, ...]) -> Any:
    """The path that is written in an audit event; None of any other event."""
    if event == "open":
        path, _, flags = arguments
        return path if flags & WRITING and not isinstance(path, int) else None
    return arguments[PATHS[event]] if event in PATHS else None
