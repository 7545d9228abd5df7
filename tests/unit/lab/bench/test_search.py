"""Watching changes until a search has them."""

import time
from typing import Any

import pytest

from lab.bench.search import Watch


class Found:
    """An index whose titles are what the test says."""

    def __init__(self, titles: dict[str, int]) -> None:
        self.titles = titles

    def options(self, **_: Any) -> "Found":
        return self

    def search(self, **_: Any) -> dict[str, Any]:
        return {"hits": {"hits": [{"_id": key, "_source": {"title": str(it)}} for key, it in self.titles.items()]}}


@pytest.fixture
def watch() -> Watch:
    watch = Watch("http://127.0.0.1:1")
    now = time.monotonic()
    first, second = watch.events[:2]
    watch.waiting[first] = {0: now - 2, 200: now - 1, 400: now}
    watch.waiting[second] = {1: now}
    return watch


def test_a_title_that_is_found_ends_the_wait_of_all_changes_up_to_it(watch: Watch) -> None:
    first, second = watch.events[:2]
    found: Any = Found({first: 200, second: -1})
    watch.client = found

    watch._look()

    assert [round(each) for each in watch.seconds] == [2, 1]
    assert (list(watch.waiting[first]), list(watch.waiting[second])) == ([400], [1])
