"""Promise 8: every stranger was refused."""

from typing import Final

from lab.chaos.checks.answers import place
from lab.chaos.checks.case import Case
from lab.chaos.checks.finding import Finding, Findings

PENDING: Final = "pending"


def check(case: Case) -> Findings:
    """Check every attempt of the run. A 202 is no access: the request is only in the log."""
    for note in case.notes("intrude"):
        pending = note["answer"].get("status") == PENDING
        if 200 <= note["status"] < 300 and not pending:
            yield Finding(8, f"{place(note)}: {note['method']} {note['path']} was let in")
