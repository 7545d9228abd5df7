"""Which offsets an operator may skip; a real broker is in tests/chaos/test_lost_logs.py."""

import pytest

from ops.skipping import FILL_MAX_RECORDS, refusal
from tables.ledger.continuity import LogBounds


@pytest.mark.parametrize(
    ("log", "committed", "first", "last"),
    [
        # Deleted before they were read, with the group's offset and without it.
        (LogBounds(5000, 6000), 1000, 1000, 4999),
        (LogBounds(5000, 6000), None, 901, 4999),
        # The log has lost its end; the second time it is filled up already.
        (LogBounds(0, 950), 1000, 950, 999),
        (LogBounds(0, 1000), 1000, 950, 999),
        (LogBounds(0, 0), None, 0, 999),
        # Records are missing in its middle.
        (LogBounds(0, 2000), 1000, 1000, 1003),
    ],
)
def test_what_the_log_lacks_can_be_skipped(log: LogBounds, committed: int | None, first: int, last: int) -> None:
    assert refusal(log, committed, first, last, None) is None


@pytest.mark.parametrize(
    ("log", "committed", "first", "last", "there", "why"),
    [
        (LogBounds(0, 2000), 1000, 1000, 1003, 1002, "offset 1002 is still in the log"),
        (LogBounds(5000, 6000), 1000, 1000, 2000, None, "skip up to 4999"),
        (LogBounds(5000, 6000), 1000, 2000, 4999, None, "skip from 1000 on"),
        (LogBounds(0, 950), 1000, 950, 960, None, "the ledger has read up to offset 999"),
        (LogBounds(0, 950), 1000, 999, 950, None, "are no offsets"),
        (LogBounds(0, 950), None, -1, 950, None, "are no offsets"),
        (LogBounds(0, 950), 1000, 950, 950 + FILL_MAX_RECORDS, None, "a new ledger is needed"),
    ],
)
def test_what_would_skip_a_command_or_lead_nowhere_is_refused(
    log: LogBounds, committed: int | None, first: int, last: int, there: int | None, why: str
) -> None:
    assert why in str(refusal(log, committed, first, last, there))
