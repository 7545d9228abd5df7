"""When a part is started again, and what is said of it: times are given, nothing runs."""

from stack.part import LATE_S, PAUSE_MAX_S, REASONS_MAX, STEADY_S, WORKS_AGAIN, PartPhase, SupervisedPart, pause_s


def failing(times: int, reason: str = "ended with exit code 1") -> tuple[SupervisedPart, list[str]]:
    """A part that fails so often without having been ready; what was said."""
    part, said = SupervisedPart("a"), []
    for number in range(times):
        part.starts(number)
        part.fails(number, reason)
        said.append(part.news(number))
    return part, said


def test_the_first_restart_is_at_once_and_the_pauses_before_the_next_double_up_to_a_minute() -> None:
    assert [pause_s(number) for number in range(1, 11)] == [
        0,
        1,
        2,
        4,
        8,
        16,
        32,
        PAUSE_MAX_S,
        PAUSE_MAX_S,
        PAUSE_MAX_S,
    ]
    assert pause_s(100_000) == PAUSE_MAX_S


def test_a_part_that_has_worked_for_a_while_begins_with_no_pause_again() -> None:
    part, _ = failing(5)
    part.comes_up(100)
    assert part.fails(100 + STEADY_S - 1, "ended") == pause_s(6)
    part.comes_up(500)
    assert part.fails(500 + STEADY_S, "ended") == pause_s(1)


def test_starts_that_failed_count_until_it_works_once() -> None:
    part, _ = failing(3)
    assert part.failed_starts == 3
    part.comes_up(10)
    part.fails(11, "ended")
    assert (part.failures, part.failed_starts) == (4, 0)


def test_a_crash_loop_is_told_of_once() -> None:
    _, said = failing(50)
    assert said == ["ended with exit code 1"] + [""] * 49


def test_another_reason_is_told_and_other_numbers_are_none() -> None:
    part, _ = failing(1, "ended with exit code 70: commands[1]@17 of 3fa4c1")
    part.fails(1, "ended with exit code 70: commands[1]@18 of 4fa4c2")
    assert part.news(1) == ""
    part.fails(2, "ended with signal SIGKILL")
    assert part.news(2) == "ended with signal SIGKILL"


def test_reasons_without_end_are_not_all_told() -> None:
    part, said = SupervisedPart("a"), []
    for number in range(1, 5 * REASONS_MAX):
        part.fails(number, "x" * number)
        said.append(part.news(number))
    assert sum(map(bool, said)) == REASONS_MAX


def test_one_failure_is_over_when_the_part_is_back() -> None:
    part, _ = failing(1)
    part.comes_up(1)
    assert (part.news(1), part.news(2)) == (WORKS_AGAIN, "")


def test_a_part_that_dies_again_soon_is_told_of_again_and_then_not_before_it_stays() -> None:
    part, _ = failing(1)
    part.comes_up(1)
    part.news(1)
    part.fails(2, "ended with exit code 1")
    assert part.news(2) == "ended with exit code 1"
    part.comes_up(3)
    assert part.news(3 + STEADY_S - 1) == ""
    assert part.news(3 + STEADY_S) == WORKS_AGAIN
    assert part.failures == 0


def test_what_is_down_or_takes_long_is_not_to_be_waited_for() -> None:
    part = SupervisedPart("a")
    part.starts(0)
    assert not part.is_down(LATE_S - 1)
    assert part.is_down(LATE_S)
    part.comes_up(40)
    assert not part.is_down(1000)
    part.fails(1001, "ended")
    part.starts(1002)
    assert part.is_down(1002)


def test_the_reason_stays_while_it_is_tried_again_and_goes_when_it_works() -> None:
    part, _ = failing(1)
    part.starts(2)
    assert part.reason == "ended with exit code 1"
    part.comes_up(3, PartPhase.DONE)
    assert (part.reason, part.works) == ("", True)
