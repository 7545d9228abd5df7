"""A cache of bounded size and age."""

from api.bounded_cache import BoundedCache


def test_the_oldest_entry_goes_first() -> None:
    cache: BoundedCache[str, int] = BoundedCache(2, 60)
    for number, key in enumerate("abca"):
        cache.put(key, number)
    assert [cache.get(key) for key in "abc"] == [3, None, 2]


def test_an_entry_is_known_for_its_time_only() -> None:
    now = [0.0]
    cache: BoundedCache[str, int] = BoundedCache(2, 60, clock=lambda: now[0])
    cache.put("a", 1)
    now[0] = 59.9
    assert cache.get("a") == 1
    now[0] = 60.0
    assert cache.get("a") is None


def test_an_entry_that_is_popped_is_gone() -> None:
    cache: BoundedCache[str, int] = BoundedCache(2, 60)
    cache.put("a", 1)
    assert [cache.pop("a"), cache.pop("a"), cache.get("a")] == [1, None, None]
