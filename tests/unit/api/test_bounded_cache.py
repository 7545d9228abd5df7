"""The table that forgets."""

from api.bounded_cache import Bounded


def test_the_oldest_entry_goes_first() -> None:
    table: Bounded[str, int] = Bounded(2, 60)
    for number, key in enumerate("abca"):
        table.put(key, number)
    assert [table.get(key) for key in "abc"] == [3, None, 2]


def test_an_entry_is_known_for_its_time_only() -> None:
    now = [0.0]
    table: Bounded[str, int] = Bounded(2, 60, clock=lambda: now[0])
    table.put("a", 1)
    now[0] = 59.9
    assert table.get("a") == 1
    now[0] = 60.0
    assert table.get("a") is None
