"""Promises 1 to 3 in the log: nothing oversold, no false "sold out", one decision on each accepted command."""

import json
from collections import Counter, defaultdict
from typing import Final

from lab.chaos.checks.case import COMMANDS, OUTCOMES, Case
from lab.chaos.checks.finding import Finding, Findings

PROMISES: Final = {"stock": 1, "counts": 1, "holders": 1, "seats": 1}
# One record, and the marker of its end.
OFFSETS_OF_A_TRANSACTION: Final = 2


def check(case: Case) -> Findings:
    """Compare outcomes and changelog with the reference model."""
    for violation in case.audit.violations():
        name = violation.partition(":")[0]
        yield Finding(PROMISES.get(name, 3), violation)
    yield from _gaps(case)
    yield from _aborted(case)
    yield from _codes(case)


def _gaps(case: Case) -> Findings:
    """The log is complete: only aborted records and transactions' markers leave gaps in its offsets."""
    by_partition: dict[int, set[int]] = defaultdict(set)
    for row in case.evidence.topics[COMMANDS]:
        by_partition[row.partition].add(row.offset)
    ended = Counter(note["partition"] for note in case.notes("command", "aborted") if note.get("ends"))
    for partition, offsets in by_partition.items():
        missing = max(offsets) + 1 - len(offsets)
        if missing > OFFSETS_OF_A_TRANSACTION * ended[partition]:
            yield Finding(3, f"{COMMANDS}[{partition}] has {len(offsets)} records up to offset {max(offsets)}")


def _aborted(case: Case) -> Findings:
    """No aborted command was decided."""
    values = [case.operations[note["n"]]["value"] for note in case.notes("aborted")]
    aborted = {json.loads(value)["purchase"] for value in values}
    for row, outcome in case.outcomes:
        if outcome.get("purchase") in aborted:
            place = f"{OUTCOMES}[{row.partition}]@{row.offset}"
            yield Finding(3, f"{place} tells of purchase {outcome['purchase']}, which was aborted")


def _codes(case: Case) -> Findings:
    """A ticket code belongs to one purchase."""
    owner: dict[str, str] = {}
    for _, outcome in case.outcomes:
        for line in outcome.get("lines", ()):
            for code in line.get("codes", ()):
                first = owner.setdefault(code, outcome["purchase"])
                if first != outcome["purchase"]:
                    yield Finding(1, f"ticket {code} is of purchase {first} and of {outcome['purchase']}")
