"""The fingerprint of a purchase's body."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from tables.ledger.fingerprint import fingerprint
from tables.messages.commands import TicketLine

ADA, BOB = UUID(int=1), UUID(int=2)
LINES = st.lists(st.builds(TicketLine, st.integers(0, 3).map(lambda n: UUID(int=n)), st.integers(1, 5)), min_size=1)


@given(LINES, st.randoms(use_true_random=False))
def test_the_order_of_lines_does_not_count(lines: list[TicketLine], random: object) -> None:
    shuffled = list(lines)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert fingerprint(ADA, shuffled, "purchase") == fingerprint(ADA, lines, "purchase")


def test_two_lines_of_one_type_are_one_of_their_sum() -> None:
    split = [TicketLine(ADA, 1), TicketLine(BOB, 1), TicketLine(ADA, 2)]
    assert fingerprint(ADA, split, "purchase") == fingerprint(ADA, [TicketLine(ADA, 3), TicketLine(BOB, 1)], "purchase")


def test_everything_else_counts() -> None:
    prints = {
        fingerprint(ADA, [TicketLine(ADA, 1)], "purchase"),
        fingerprint(BOB, [TicketLine(ADA, 1)], "purchase"),
        fingerprint(ADA, [TicketLine(BOB, 1)], "purchase"),
        fingerprint(ADA, [TicketLine(ADA, 2)], "purchase"),
        fingerprint(ADA, [TicketLine(ADA, 1), TicketLine(BOB, 1)], "purchase"),
        fingerprint(ADA, [TicketLine(ADA, 1)], "hold"),
    }
    assert len(prints) == 6


def test_it_is_the_same_in_every_version() -> None:
    assert fingerprint(ADA, [TicketLine(BOB, 3)], "purchase") == "a39cbf8a940bba6c33ed97ea"
