"""How the parts are, in the data folder, for ``turnstile status``: written anew whenever that changes."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from stack.part import Part

NAME: Final = "parts.json"


def write(home: Path, pid: int, parts: Iterable[Part]) -> None:
    """Write it as a whole: a reader sees the old one or the new one. ``pid`` is the supervisor's."""
    rows = [
        {"name": part.name, "phase": part.phase, "reason": part.reason, "failures": part.failures} for part in parts
    ]
    partial = home / f"{NAME}.partial"
    partial.write_text(json.dumps({"pid": pid, "parts": rows}))
    partial.replace(home / NAME)


def remove(home: Path) -> None:
    """Nothing is supervised any more."""
    (home / NAME).unlink(missing_ok=True)
