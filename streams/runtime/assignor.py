"""Faust's partition assignor with our placement (streams/runtime/placement.py)."""

from collections.abc import MutableMapping
from typing import Any, NamedTuple

from faust.assignor import partition_assignor
from faust.assignor.client_assignment import CopartitionedAssignment
from faust.assignor.copartitioned_assignor import CopartitionedAssignor

from connect.topics import READ_WHOLE
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


class PartitionAssignor(partition_assignor.PartitionAssignor):
    """Places the partitions that ours write to, and no more where somebody has given a topic more of them.

    Faust joins topics by their numbers: a worker would get a partition of the log, and another one its table.
    """

    def _perform_assignment(self, cluster: Any, member_metadata: Any) -> Any:
        return super()._perform_assignment(_Cluster(cluster, self.app.conf.topic_partitions), member_metadata)


class _Cluster(NamedTuple):
    """What Faust asks of the cluster's metadata: the partitions of a topic."""

    cluster: Any
    partitions_max: int

    def partitions_for_topic(self, topic: str) -> set[int] | None:
        found: set[int] | None = self.cluster.partitions_for_topic(topic)
        if found is None or topic in READ_WHOLE:
            return found
        return {number for number in found if number < self.partitions_max}


# Faust looks the class up by this name, and has no setting for it.
_module: Any = partition_assignor
_module.CopartitionedAssignor = EvenAssignor
