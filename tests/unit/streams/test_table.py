import pytest

from streams.table import covered


@pytest.mark.parametrize(
    ("mark", "appended", "count", "new_mark"),
    [
        (None, range(3), 3, 2),
        (2, range(3, 5), 2, 4),
        (2, range(0), 0, None),
        (2, range(4, 6), 2, None),
        (2, range(3, 6), 2, None),
        (None, range(5, 6), 1, None),
    ],
)
def test_the_mark_moves_only_over_what_this_worker_appended_itself(
    mark: int | None, appended: range, count: int, new_mark: int | None
) -> None:
    assert covered(mark, appended, count) == new_mark
