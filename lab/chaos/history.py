"""What a client did and was told, a line of JSON for each try, written as it happens: the history that is judged."""

import json
import threading
import time
from pathlib import Path
from typing import Any

Json = dict[str, Any]


class Diary:
    """Notes of a run, in memory and in a file. Any thread may write."""

    def __init__(self, path: Path) -> None:
        self.notes: list[Json] = []
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("w", encoding="utf-8")
        self._lock = threading.Lock()

    def note(self, what: str, began: float, **more: Any) -> None:
        """Something that began then (seconds since 1970) and is over now."""
        entry = {"what": what, "at": began, "until": time.time(), **more}
        with self._lock:
            self.notes.append(entry)
            self._file.write(json.dumps(entry) + "\n")

    def close(self) -> None:
        """Nothing more is to come."""
        self._file.close()
