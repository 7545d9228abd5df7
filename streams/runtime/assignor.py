"""Faust's partition assignor with our placement (streams/runtime/placement.py)."""

from collections.abc import MutableMapping
from typing import Any

from faust.assignor import partition_assignor
from faust.assignor.client_assignment import CopartitionedAssignment
from faust.assignor.copartitioned_assignor import CopartitionedAssignor
from faust.assignor.partition_assignor import PartitionAssignor

from streams.runtime.placement import Share, place


class EvenAssignor(CopartitionedAssignor):
    """Places the partitions of topics that are joined."""

    def get_assignment(self) -> MutableMapping[str, CopartitionedAssignment]:
        """The new assignment of each client."""
        clients = self._client_assignments
        before = {name: Share(one.actives, one.standbys) for name, one in clients.items()}
        for name, share in place(before, self.num_partitions, self.replicas).items():
            clients[name].actives, clients[name].standbys = share.actives, share.standbys
        return clients


# Faust looks the class up by this name, and has no setting for it.
_module: Any = partition_assignor
_module.CopartitionedAssignor = EvenAssignor

__all__ = ["EvenAssignor", "PartitionAssignor"]
