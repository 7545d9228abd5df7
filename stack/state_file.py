"""The state of all parts as a file in the data folder, for ``turnstile status``; written at each change."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from stack.part import SupervisedPart

NAME: Final = "parts.json"


def write(home: Path, pid: int, parts: Iterable[SupervisedPart]) -> None:
    """Replace the file at once, so that a reader sees the old or the new one. ``pid`` is the supervisor's."""
    rows = [
        {"name": part.name, "phase": part.phase, "reason": part.reason, "failures": part.failures} for part in parts
    ]
    partial = home / f"{NAME}.partial"
    partial.write_text(json.dumps({"pid": pid, "parts": rows}))
    partial.replace(home / NAME)


def remove(home: Path) -> None:
    """Delete the file: nothing is supervised any more."""
    (home / NAME).unlink(missing_ok=True)
