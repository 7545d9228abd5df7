"""How late holds end, as outcomes tell it."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from lab.bench.holds import Ends

DEADLINE_MS = 1_900_000_000_000


@pytest.fixture
def ends() -> Ends:
    consumer: Any = None
    return Ends(consumer)


def outcome(kind: str, purchase: str) -> bytes:
    deadline = datetime.fromtimestamp(DEADLINE_MS / 1000, UTC).isoformat() if kind == "held" else None
    told = {"kind": kind, "event": str(uuid4()), "offset": 1, "at": "2030-03-17T17:46:00Z", "purchase": purchase}
    return json.dumps(told | {"deadline": deadline}).encode()


def test_each_hold_is_as_late_as_its_end_was_told_after_its_deadline(ends: Ends) -> None:
    one, other = str(uuid4()), str(uuid4())
    ends.read(outcome("held", one), DEADLINE_MS - 60_000)
    ends.read(outcome("held", other), DEADLINE_MS - 60_000)
    ends.read(outcome("expired", one), DEADLINE_MS + 250)
    assert len(ends.deadlines) == 2
    assert ends.late == pytest.approx([0.25])


def test_what_is_told_again_counts_once(ends: Ends) -> None:
    one = str(uuid4())
    for kind, at in (("held", -60_000), ("expired", 250), ("held", 300), ("expired", 400)):
        ends.read(outcome(kind, one), DEADLINE_MS + at)
    assert ends.late == pytest.approx([0.25])


def test_sales_and_changes_of_events_are_passed_over(ends: Ends) -> None:
    ends.read(outcome("confirmed", str(uuid4())), DEADLINE_MS)
    ends.read(
        json.dumps({"kind": "changed", "event": str(uuid4()), "offset": 0, "at": "2030-01-01T00:00:00Z"}).encode(), 1
    )
    assert (ends.deadlines, ends.late) == ({}, [])
