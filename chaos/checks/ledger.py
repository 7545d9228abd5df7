"""Promises 1 to 3 in the log: nothing oversold, no false "sold out", one decision for everything that was accepted."""

from collections import defaultdict
from typing import Final

from chaos.checks.case import COMMANDS, Case
from chaos.checks.finding import Finding, Findings

PROMISES: Final = {"stock": 1, "counts": 1}


def check(case: Case) -> Findings:
    """Compare outcomes and changelog with what the log says by the simplest rules."""
    for violation in case.history.violations():
        name = violation.partition(":")[0]
        yield Finding(PROMISES.get(name, 3), violation)
    yield from _gaps(case)
    yield from _codes(case)


def _gaps(case: Case) -> Findings:
    """The log itself is whole: offsets are contiguous."""
    by_partition = defaultdict(list)
    for row in case.evidence.topics[COMMANDS]:
        by_partition[row.partition].append(row.offset)
    for partition, offsets in by_partition.items():
        if sorted(offsets) != list(range(len(offsets))):
            yield Finding(3, f"{COMMANDS}[{partition}] has {len(offsets)} records up to offset {max(offsets)}")


def _codes(case: Case) -> Findings:
    """A ticket code is one purchase's."""
    owner: dict[str, str] = {}
    for _, outcome in case.outcomes:
        for line in outcome.get("lines", ()):
            for code in line.get("codes", ()):
                first = owner.setdefault(code, outcome["purchase"])
                if first != outcome["purchase"]:
                    yield Finding(1, f"ticket {code} is of purchase {first} and of {outcome['purchase']}")
