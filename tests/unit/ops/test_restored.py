"""After a restore nothing is touched while PostgreSQL's log would go over places that are known."""

from types import SimpleNamespace
from typing import Any

import pytest

from ops import restored
from ops.restored import NotReady, check_positions


@pytest.mark.parametrize(
    ("value", "position"),
    [(b'{"__lsn": 7, "id": "x"}', 7), (None, 0), (b"", 0), (b"{", 0), (b"{}", 0), (b'{"__lsn": "\xff"}', 0)],
)
def test_a_record_that_nobody_can_read_tells_of_no_place(value: bytes | None, position: int) -> None:
    assert restored.position_of(value) == position


def database_at(position: int) -> Any:
    return SimpleNamespace(execute=lambda _: SimpleNamespace(fetchone=lambda: (position,)))


@pytest.mark.parametrize(
    ("position", "newest", "good"), [(100, 99, True), (100, 0, True), (100, 100, False), (7, 99, False)]
)
def test_places_that_are_known_are_not_gone_over_again(
    monkeypatch: pytest.MonkeyPatch, position: int, newest: int, good: bool
) -> None:
    monkeypatch.setattr(restored, "newest_position", lambda _: newest)
    if good:
        check_positions(database_at(position), {})
    else:
        with pytest.raises(NotReady, match="pg_resetwal -l 0000000100"):
            check_positions(database_at(position), {})
