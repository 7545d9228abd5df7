"""A restored WAL begins above every earlier one."""

from datetime import UTC, datetime, timedelta

from connect.wal_position import epoch, segment

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
SEGMENT_BYTES = 16 * 2**20


def place(name: str) -> int:
    """The position of a WAL file's first byte, as PostgreSQL counts it."""
    return (int(name[8:16], 16) << 32) + int(name[16:], 16) * SEGMENT_BYTES


def test_the_file_is_named_by_the_place_at_which_it_begins() -> None:
    assert place(segment(NOW)) == epoch(NOW) * SEGMENT_BYTES
    assert segment(NOW, timeline=3).startswith("00000003")


def test_of_two_restores_the_later_begins_above_what_was_written_between_them() -> None:
    day = timedelta(days=1)
    written = 10 * 2**20 * int(day.total_seconds())
    assert place(segment(NOW + day)) > place(segment(NOW)) + written


def test_places_stay_numbers_that_everybody_can_hold() -> None:
    assert place(segment(NOW + timedelta(days=365 * 15))) < 2**53
