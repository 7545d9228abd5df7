"""So many requests of a key in a window, in bounded memory."""

from api.auth.sliding_windows import SlidingWindows


class Clock:
    def __init__(self) -> None:
        self.now = 600.0

    def __call__(self) -> float:
        return self.now


def granted(windows: SlidingWindows, key: str = "ada", *, tries: int = 20) -> int:
    return sum(windows.take(key, 10, 60) == 0 for _ in range(tries))


def test_no_more_than_the_amount_is_granted_in_a_window() -> None:
    clock = Clock()
    windows = SlidingWindows(clock=clock)
    assert (granted(windows), granted(windows, "grace")) == (10, 10)
    assert windows.take("ada", 10, 60) == 60
    clock.now += 59
    assert windows.take("ada", 10, 60) == 1


def test_those_of_the_window_before_count_by_the_part_of_it_that_is_not_over() -> None:
    clock = Clock()
    windows = SlidingWindows(clock=clock)
    granted(windows)
    clock.now += 60 + 30
    assert granted(windows) == 5
    wait_s = windows.take("ada", 10, 60)
    assert 0 < wait_s <= 6
    clock.now += wait_s + 0.001
    assert granted(windows) == 1
    clock.now += 120
    assert granted(windows) == 10


def test_one_who_waits_as_told_is_granted_another_request() -> None:
    clock = Clock()
    windows = SlidingWindows(clock=clock)
    for _ in range(500):
        while (wait_s := windows.take("ada", 10, 60)) == 0:
            clock.now += 1.5
        assert wait_s <= 60
        clock.now += wait_s + 0.001
        if windows.take("ada", 10, 60) > 0:
            clock.now += windows.take("ada", 10, 60) + 0.001
            assert windows.take("ada", 10, 60) == 0


def test_the_keys_whose_last_request_is_the_oldest_are_forgotten() -> None:
    windows = SlidingWindows(keys_max=100, clock=Clock())
    granted(windows)
    for number in range(10_000):
        windows.take(f"client {number}", 10, 60)
        if number % 50 == 0:
            windows.take("grace", 10, 60)
    assert len(windows) == 100
    assert granted(windows, "grace") == 0
    assert granted(windows) == 10
