"""Why a process ended, in one line: its exit code or signal, and the log line that explains it."""

import json
import re
import signal
from contextlib import suppress
from pathlib import Path
from typing import Final

from stack.child import last_lines
from telemetry.escapes import escaped

LOG_LINES_MAX: Final = 200
REASON_MAX_CHARS: Final = 240
# The first pattern that matches wins, at its last line: Java traces name the cause last, Python's the error.
EXPLAINING: Final = tuple(
    re.compile(pattern)
    for pattern in (
        r"^\S+ critical |\bFATAL\b|^Caused by: |^Exception in thread",
        r"^\S+ error |\bERROR\b|^[\w.]+(?:Error|Exception)\b",
        r"^(?:Invalid|Unrecognized) ",
    )
)
OURS: Final = re.compile(r"^\S+Z (?:critical|error|warning|info|debug) *\S+: ")


def ended(code: int) -> str:
    """How a process ended."""
    if code == -signal.SIGKILL:
        return "ended with signal SIGKILL (a kill -9, or the kernel out of memory)"
    return f"ended with exit code {code}" if code >= 0 else f"ended with signal {signal.Signals(-code).name}"


def is_from_outside(code: int) -> bool:
    """Whether a signal from outside ended the process, so that its log doesn't explain it."""
    return code in (-signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT, -signal.SIGQUIT, -signal.SIGHUP)


def explanation(log: Path) -> str:
    """The last line of a log that explains a failure, else the last line; empty for an empty log."""
    lines = [line for line in map(_plain, last_lines(log, LOG_LINES_MAX).splitlines()) if line.strip()]
    for explaining in EXPLAINING:
        for line in reversed(lines):
            if explaining.search(line):
                return _short(line)
    return _short(next((line for line in reversed(lines) if not line[0].isspace()), ""))


def _plain(line: str) -> str:
    """A line of JSON in the form of a text line."""
    if line.startswith("{"):
        with suppress(ValueError):
            told = json.loads(line)
            if "message" in told:
                error = f" error={told['error']}" if "error" in told else ""
                return f"{told['at']} {told['level']} {told['part']}: {told['message']}{error}"
    return line


def _short(line: str) -> str:
    text = escaped(OURS.sub("", line).strip())
    return text if len(text) <= REASON_MAX_CHARS else f"{text[:REASON_MAX_CHARS]}…"
