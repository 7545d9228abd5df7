"""Partitions are placed evenly, move little, and go to a member with a copy."""

from collections import Counter
from itertools import pairwise
from typing import Any

import pytest
from faust.assignor import partition_assignor
from hypothesis import given
from hypothesis import strategies as st

from streams.runtime.assignor import EvenAssignor
from streams.runtime.placement import Share, place

Placement = dict[str, Share]
steps = st.lists(st.sets(st.sampled_from("abcdefg"), min_size=1), min_size=1, max_size=6)


def changed(placement: Placement, members: set[str]) -> Placement:
    """The same placement, once others are the members; who is new has nothing."""
    return {member: placement.get(member, Share()) for member in members}


def grown(*members: str, partitions: int = 4, copies: int = 1) -> Placement:
    """What comes of members that join one after the other."""
    placement: Placement = {}
    for count in range(1, len(members) + 1):
        placement = place(changed(placement, set(members[:count])), partitions, copies)
    return placement


@given(steps, st.integers(1, 24), st.integers(0, 3))
def test_every_partition_has_one_owner_and_its_copies_however_members_come_and_go(
    memberships: list[set[str]], partitions: int, copies: int
) -> None:
    placement: Placement = {}
    for members in memberships:
        placement = place(changed(placement, members), partitions, copies)
        owners = Counter(each for share in placement.values() for each in share.actives)
        assert owners == Counter(range(partitions))
        sizes = [len(share.actives) for share in placement.values()]
        assert max(sizes) - min(sizes) <= 1
        warm = Counter(each for share in placement.values() for each in share.warm)
        assert set(warm.values()) == {1 + min(copies, len(members) - 1)}


@given(steps, st.integers(1, 24), st.integers(0, 3))
def test_nothing_moves_while_nobody_comes_or_goes(memberships: list[set[str]], partitions: int, copies: int) -> None:
    placement: Placement = {}
    for members in memberships:
        placement = place(changed(placement, members), partitions, copies)
    again = place(placement, partitions, copies)
    assert {name: share.actives for name, share in again.items()} == {n: s.actives for n, s in placement.items()}


@pytest.mark.parametrize(("partitions", "count"), [(4, 2), (4, 3), (4, 4), (12, 3), (12, 5), (64, 7)])
def test_what_a_lost_member_decided_goes_where_a_copy_is(partitions: int, count: int) -> None:
    before = grown(*"abcdefg"[:count], partitions=partitions)
    for lost in before:
        left = {name: share for name, share in before.items() if name != lost}
        after = place(left, partitions, 1)
        cold = {(name, each) for name, share in after.items() for each in share.actives - left[name].warm}
        assert not cold, lost


def test_the_third_of_three_workers_gets_its_share_of_four_partitions() -> None:
    assert sorted(len(share.actives) for share in grown("a", "b", "c").values()) == [1, 1, 2]


def test_only_what_has_to_move_moves_when_a_member_joins() -> None:
    for before, after in pairwise([grown(*"abcdef"[:count], partitions=12) for count in range(1, 7)]):
        moved = sum(len(share.actives - before.get(name, Share()).actives) for name, share in after.items())
        assert moved == 12 // len(after)


def test_a_partition_that_two_claim_gets_one_owner() -> None:
    placement = place({"lost": Share({0, 1}), "new": Share({1, 2, 3})}, 4, 0)
    assert sorted(each for share in placement.values() for each in share.actives) == [0, 1, 2, 3]


def test_more_members_than_partitions_leave_some_with_copies_alone() -> None:
    placement = grown("a", "b", "c", partitions=2)
    assert sorted(len(share.actives) for share in placement.values()) == [0, 1, 1]
    assert sum(len(share.standbys) for share in placement.values()) == 2


def test_faust_asks_our_assignor() -> None:
    module: Any = partition_assignor
    assert module.CopartitionedAssignor is EvenAssignor
