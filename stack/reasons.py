"""Why a part ended, in one line: its exit code or signal, and the line of its log that explains it."""

import json
import re
import signal
from contextlib import suppress
from pathlib import Path
from typing import Final

from stack.child import last_lines
from telemetry.escapes import escaped

LOOKED_AT_LINES: Final = 200
SHOWN_CHARACTERS: Final = 240
# In the order in which they are believed. A Java trace names its cause last, a Python one the error itself.
TELLING: Final = tuple(
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
        return "ended with signal SIGKILL (somebody, or the kernel for want of memory)"
    return f"ended with exit code {code}" if code >= 0 else f"ended with signal {signal.Signals(-code).name}"


def is_from_outside(code: int) -> bool:
    """Whether a process was ended, so that its log doesn't say why."""
    return code in (-signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT, -signal.SIGQUIT, -signal.SIGHUP)


def explanation(log: Path) -> str:
    """The last line of a log that tells what went wrong, or simply its last; empty where there is none."""
    lines = [line for line in map(_plain, last_lines(log, LOOKED_AT_LINES).splitlines()) if line.strip()]
    for telling in TELLING:
        for line in reversed(lines):
            if telling.search(line):
                return _short(line)
    return _short(next((line for line in reversed(lines) if not line[0].isspace()), ""))


def _plain(line: str) -> str:
    """A line of JSON as the text that it stands for."""
    if line.startswith("{"):
        with suppress(ValueError):
            told = json.loads(line)
            if "message" in told:
                error = f" error={told['error']}" if "error" in told else ""
                return f"{told['at']} {told['level']} {told['part']}: {told['message']}{error}"
    return line


def _short(line: str) -> str:
    text = escaped(OURS.sub("", line).strip())
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"
