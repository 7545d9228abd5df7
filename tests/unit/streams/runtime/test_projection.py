"""Rows reach PostgreSQL by one statement, but for those of one key, of which each comes after the one before."""

from streams.runtime.projection import _in_turns


def row(key: int, value: str) -> dict[str, object]:
    return {"id": key, "event_id": 1, "value": value}


def test_rows_of_different_keys_go_together() -> None:
    rows = [row(1, "a"), row(2, "b"), row(3, "c")]
    assert list(_in_turns(rows, ("event_id", "id"))) == [rows]
    assert list(_in_turns([], ("id",))) == []


def test_rows_of_one_key_keep_their_order() -> None:
    rows = [row(1, "a"), row(2, "b"), row(1, "c"), row(1, "d"), row(2, "e")]
    assert list(_in_turns(rows, ("event_id", "id"))) == [
        [row(1, "a"), row(2, "b")],
        [row(1, "c"), row(2, "e")],
        [row(1, "d")],
    ]


def test_a_key_is_all_of_its_columns() -> None:
    rows = [row(1, "a"), row(1, "b") | {"event_id": 2}]
    assert list(_in_turns(rows, ("event_id", "id"))) == [rows]
