"""Who decides which partition and who keeps a warm copy of it: even, as it was where that can be, and copies first.

Pure: it sees what each member had and gives what each is to have. Faust's own placement is uneven as soon as there are
copies: of four partitions and three workers it leaves one worker idle.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass
class Share:
    """The partitions of one member: those that it decides (``actives``) and those that it keeps copies of."""

    actives: set[int] = field(default_factory=set)
    standbys: set[int] = field(default_factory=set)

    @property
    def warm(self) -> set[int]:
        """The partitions whose tables it has."""
        return self.actives | self.standbys


def place(before: Mapping[str, Share], partitions: int, copies: int) -> dict[str, Share]:
    """What each member of ``before`` is to have, of ``partitions`` with ``copies`` warm copies each.

    Each partition is decided by exactly one member; no two members differ by more than one partition. There are fewer
    copies where there are too few members.
    """
    after = {member: Share() for member in sorted(before)}
    _place_actives(before, after, partitions)
    _place_standbys(before, after, partitions, min(copies, len(before) - 1))
    return after


class _Seats:
    """How many partitions a member may decide: all the fewest, and as many as are left over one more."""

    def __init__(self, members: int, partitions: int) -> None:
        self._fewest, self._odd = divmod(partitions, members)

    def take(self, share: Share, partition: int) -> bool:
        """Give a member the partition, if it has room for it."""
        count = len(share.actives)
        if count > self._fewest or (count == self._fewest and not self._odd):
            return False
        self._odd -= count == self._fewest
        share.actives.add(partition)
        return True


def _place_actives(before: Mapping[str, Share], after: dict[str, Share], partitions: int) -> None:
    seats = _Seats(len(before), partitions)
    owners = _owners(before, partitions)
    # Whoever must give something up gives what another one has a copy of.
    order = sorted(range(partitions), key=lambda each: (_copied(before, each), each))
    homeless = [each for each in order if each not in owners or not seats.take(after[owners[each]], each)]
    cold = [each for each in homeless if not _seat(each, before, after, seats, set())]
    for partition in cold:
        members = sorted(after.values(), key=lambda share: len(share.actives))
        next(share for share in members if seats.take(share, partition))


def _seat(partition: int, before: Mapping[str, Share], after: dict[str, Share], seats: _Seats, asked: set[str]) -> bool:
    """Give the partition to a member that has a copy, which may pass on another one to where that has a copy."""
    for member, share in after.items():
        if partition not in before[member].warm or member in asked:
            continue
        asked.add(member)
        if seats.take(share, partition):
            return True
        for other in sorted(share.actives):
            if _seat(other, before, after, seats, asked):
                share.actives ^= {other, partition}
                return True
    return False


def _owners(before: Mapping[str, Share], partitions: int) -> dict[int, str]:
    """The member that has each partition; one of them where a lost member claims it too."""
    claims = ((each, member) for member in sorted(before) for each in before[member].actives if each < partitions)
    owners: dict[int, str] = {}
    for partition, member in claims:
        owners.setdefault(partition, member)
    return owners


def _copied(before: Mapping[str, Share], partition: int) -> bool:
    return any(partition in share.standbys for share in before.values())


def _place_standbys(before: Mapping[str, Share], after: dict[str, Share], partitions: int, copies: int) -> None:
    """One member's partitions have their copies at different others, so that these can share what it leaves behind."""
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
    """The least is the best: below its share, with few copies of the same member's, warm, with few copies."""
    here = after.standbys
    return len(here) >= fair, len(here) >= fair - 1, len(here & together), partition not in before.warm, len(here)
