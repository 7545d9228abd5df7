"""What a broker says of a role's group, as lag by partition and topic."""

from types import SimpleNamespace

from kafka import TopicPartition

from connect.observe.lag import LogState, role_group

READ, NEVER_READ, AHEAD, OTHER = (TopicPartition(*place) for place in (("a", 0), ("a", 1), ("b", 0), ("c", 0)))
ENDS = {READ: 10, NEVER_READ: 4, AHEAD: 2, OTHER: 9}


def test_a_role_is_behind_by_what_it_has_not_acknowledged_of_its_own_topics() -> None:
    said = {"group_state": "Stable", "members": []}
    committed = {place: SimpleNamespace(offset=offset) for place, offset in ((READ, 3), (NEVER_READ, -1), (AHEAD, 5))}
    found = role_group(("a", "b"), said, committed, ENDS)
    assert found.partition_lags == {READ: 7, NEVER_READ: 4, AHEAD: 0}
    assert (found.lags, found.lag) == ({"a": 11, "b": 0}, 11)
    assert LogState({}, {"ledger": found}, stable_ends=ENDS).unread("ledger") == {READ: 3, NEVER_READ: 0}
    assert role_group(("c",), said, {}, ENDS).lags == {"c": 9}
