"""Draws a hall in the terminal: a letter for each seat, at most 80 columns wide, legible without colours."""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple
from uuid import UUID

from rich.text import Text

from lab.demo.hall_plan import HallRow, HallSection

# Blue and orange of Okabe and Ito's palette, which colour-blind people tell apart.
BY_NAME: Final = "#56B4E9"
BEST: Final = "#E69F00"
FREE: Final = "dim"
WIDTH: Final = 57
LABEL_WIDTH: Final = 3


class Party(NamedTuple):
    """Those who sit together by one purchase, and whether they chose their seats by name."""

    purchase: UUID
    by_name: bool


def drawing(sections: Iterable[HallSection], parties: Mapping[str, Party]) -> Text:
    """The hall; ``parties`` has those who sit there by the names of their seats."""
    lines = [Text("[ stage ]".center(WIDTH).rstrip())]
    for section in sections:
        seats = [seat for block in section.blocks for seat in block]
        taken = sum(seat in parties for seat in seats)
        lines += [Text(), Text(f"{section.name}: {taken:,} of {len(seats):,} seats sold", "bold")]
        lines += [_row(row, parties) for row in section.rows]
    lines += [Text(), _legend()]
    return Text("\n").join(lines)


def _row(row: HallRow, parties: Mapping[str, Party]) -> Text:
    """A row. Upper and lower case change from one party to the next."""
    drawn, is_upper = Text(f"{row.label:>{LABEL_WIDTH}}"), False
    before: Party | None = None
    for block in row.blocks:
        drawn.append(" ")
        for seat in block:
            party = parties.get(seat)
            is_upper ^= party is not None and party != before
            drawn.append(*_mark(party, is_upper=is_upper))
            before = party
    return drawn


def _mark(party: Party | None, *, is_upper: bool) -> tuple[str, str]:
    """The letter and the style of a seat."""
    if party is None:
        return ".", FREE
    letter, style = ("n", BY_NAME) if party.by_name else ("b", BEST)
    return letter.upper() if is_upper else letter, style


def _legend() -> Text:
    legend = Text("    ")
    for mark, style, meaning in (
        (".", FREE, "free"),
        ("N n", BY_NAME, "by name"),
        ("B b", BEST, "best available"),
    ):
        legend.append(mark, style).append(f" {meaning}   ")
    return legend.append("another case: another party")
