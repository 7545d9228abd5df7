"""The definitions by which the ledger sells events, asked of its workers' views, one request a partition."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from api.adapters.ledger.worker_views import WorkerViews
from connect.partitioning import home_of
from tables.messages.commands import DefineEvent


class RecordedDefinitions:
    """Asks for at most 50 events at once. Raises Unavailable if no worker can tell."""

    def __init__(self, views: WorkerViews, partitions: int) -> None:
        self._views = views
        self._partitions = partitions

    def __call__(self, events: Sequence[UUID]) -> dict[UUID, DefineEvent]:
        """The definitions of those of these events that the ledger knows."""
        homes: defaultdict[int, list[UUID]] = defaultdict(list)
        for event in events:
            homes[home_of(event, self._partitions)].append(event)
        asked = (self._views.definitions(partition, some) for partition, some in homes.items())
        return {found.event: found for some in asked for found in some}
