"""Placing partitions and their standby copies on members: even, sticky, and preferably where a copy is.

A pure function from the old assignment to the new one. Faust's own placement is uneven as soon as there are copies:
with four partitions and three workers it leaves one worker idle.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass
class Share:
    """The partitions of one member: those that it owns (``actives``) and those that it keeps copies of."""

    actives: set[int] = field(default_factory=set)
    standbys: set[int] = field(default_factory=set)

    @property
    def warm(self) -> set[int]:
        """All partitions whose tables it has."""
        return self.actives | self.standbys


def place(before: Mapping[str, Share], partitions: int, copies: int) -> dict[str, Share]:
    """The new share of each member of ``before``, for ``partitions`` with ``copies`` standby copies each.

    Each partition has exactly one owner; no two members differ by more than one partition. There are fewer copies where
    there are too few members.
    """
    after = {member: Share() for member in sorted(before)}
    _place_actives(before, after, partitions)
    _place_standbys(before, after, partitions, min(copies, len(before) - 1))
    return after


class _Quota:
    """How many partitions a member may own: the quotient each, and one more for as many as the remainder."""

    def __init__(self, members: int, partitions: int) -> None:
        self._quotient, self._remainder = divmod(partitions, members)

    def take(self, share: Share, partition: int) -> bool:
        """Give a member the partition, if its quota allows that."""
        count = len(share.actives)
        if count > self._quotient or (count == self._quotient and not self._remainder):
            return False
        self._remainder -= count == self._quotient
        share.actives.add(partition)
        return True


def _place_actives(before: Mapping[str, Share], after: dict[str, Share], partitions: int) -> None:
    quota = _Quota(len(before), partitions)
    owners = _owners(before, partitions)
    # A member that must give up partitions gives up those that others have copies of.
    order = sorted(range(partitions), key=lambda each: (_copied(before, each), each))
    unassigned = [each for each in order if each not in owners or not quota.take(after[owners[each]], each)]
    cold = [each for each in unassigned if not _give_to_copy(each, before, after, quota, set())]
    for partition in cold:
        members = sorted(after.values(), key=lambda share: len(share.actives))
        next(share for share in members if quota.take(share, partition))


def _give_to_copy(
    partition: int, before: Mapping[str, Share], after: dict[str, Share], quota: _Quota, asked: set[str]
) -> bool:
    """Give the partition to a member with a copy, which may pass another one on to a member with a copy of that."""
    for member, share in after.items():
        if partition not in before[member].warm or member in asked:
            continue
        asked.add(member)
        if quota.take(share, partition):
            return True
        for other in sorted(share.actives):
            if _give_to_copy(other, before, after, quota, asked):
                share.actives ^= {other, partition}
                return True
    return False


def _owners(before: Mapping[str, Share], partitions: int) -> dict[int, str]:
    """The member that owned each partition; one of them where a lost member claims it too."""
    claims = ((each, member) for member in sorted(before) for each in before[member].actives if each < partitions)
    owners: dict[int, str] = {}
    for partition, member in claims:
        owners.setdefault(partition, member)
    return owners


def _copied(before: Mapping[str, Share], partition: int) -> bool:
    return any(partition in share.standbys for share in before.values())


def _place_standbys(before: Mapping[str, Share], after: dict[str, Share], partitions: int, copies: int) -> None:
    """Spread the copies of a member's partitions over the others, so that these share its load once it is lost."""
    fair = partitions * copies / len(before)
    for actives in [set(share.actives) for share in after.values()]:
        for partition in sorted(actives):
            free = [member for member in after if partition not in after[member].actives]
            free.sort(key=lambda member: _preference(before[member], after[member], partition, actives, fair))
            for member in free[:copies]:
                after[member].standbys.add(partition)


def _preference(
    before: Share, after: Share, partition: int, together: set[int], fair: float
) -> tuple[bool, bool, int, bool, int]:
    """Smallest first: below its fair share, few copies of the same owner, warm, few copies."""
    here = after.standbys
    return len(here) >= fair, len(here) >= fair - 1, len(here & together), partition not in before.warm, len(here)
