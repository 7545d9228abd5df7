"""The history of a run: every try of the client with its answer, and every fault, a line of JSON each."""

import json
import threading
import time
from pathlib import Path
from typing import Any

Json = dict[str, Any]


class History:
    """The entries in memory and, at once, in a file. Any thread may write."""

    def __init__(self, path: Path) -> None:
        self.notes: list[Json] = []
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("w", encoding="utf-8")
        self._lock = threading.Lock()

    def note(self, what: str, began: float, **more: Any) -> None:
        """Add an entry of something that began then (seconds since 1970) and ends now."""
        entry = {"what": what, "at": began, "until": time.time(), **more}
        with self._lock:
            self.notes.append(entry)
            self._file.write(json.dumps(entry) + "\n")

    def close(self) -> None:
        """Close the file."""
        self._file.close()
