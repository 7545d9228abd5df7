"""Ranges of offsets that hold no record."""

from faust.types import TP

from streams.runtime.skips import SkippedRanges

PLACE = TP("commands", 0)


def known(*ranges: tuple[int, int]) -> SkippedRanges:
    skips = SkippedRanges()
    for first, last in ranges:
        skips.add(PLACE, first, last)
    return skips


def test_ranges_that_follow_each_other_are_passed_over_as_one() -> None:
    skips = known((3, 4), (5, 5), (7, 9))
    assert [skips.next_readable(PLACE, offset) for offset in (2, 3, 6, 7)] == [2, 6, 6, 10]
    assert skips.next_readable(TP("commands", 1), 3) == 3


def test_a_range_that_is_read_again_from_its_middle_is_known_from_there_too() -> None:
    skips = known((3, 4), (5, 8), (5, 8))
    assert [skips.next_readable(PLACE, offset) for offset in (3, 5)] == [9, 9]


def test_what_nobody_asks_for_any_more_is_dropped() -> None:
    skips = known((3, 4), (6, 8))
    skips.drop_below(PLACE, 7)
    assert [skips.next_readable(PLACE, offset) for offset in (3, 6)] == [3, 9]
    skips.forget(PLACE)
    assert skips.next_readable(PLACE, 6) == 6
