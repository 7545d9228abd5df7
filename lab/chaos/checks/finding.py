"""What a check finds: a broken promise, and where."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple


class Finding(NamedTuple):
    """``promise`` is its number in docs/design.md."""

    promise: int
    text: str

    def __str__(self) -> str:
        return f"promise {self.promise}: {self.text}"


Findings = Iterator[Finding]


@dataclass
class Verdict:
    """All findings, and how many things of each sort were checked."""

    broken: list[Finding] = field(default_factory=list)
    checked: Counter[str] = field(default_factory=Counter)
    told: Counter[str] = field(default_factory=Counter)
