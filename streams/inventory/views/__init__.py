"""The web views of the ledger: events, accounts, purchases, holds, partitions, workers.

Any worker answers for all: it forwards a request for another worker's partition to that worker, once.
"""

from streams.inventory.ledger import LedgerAgent
from streams.inventory.views.definitions import DefinitionViews
from streams.inventory.views.event_past import EventPast
from streams.inventory.views.events import EventViews
from streams.inventory.views.holds import HoldViews
from streams.inventory.views.operations import OPERATIONS
from streams.inventory.views.overview import LedgerOverview
from streams.inventory.views.partitions import PartitionViews
from streams.inventory.views.purchases import PurchaseViews
from streams.inventory.views.sections import SectionViews
from streams.runtime.app import App
from streams.runtime.partition_reads import PartitionReads
from streams.runtime.record_reads import RecordReads
from streams.runtime.web_document import add_document

__all__ = ["InventoryViews"]


class InventoryViews:
    """All views of one worker of the role ledger."""

    def __init__(self, app: App, ledger: LedgerAgent) -> None:
        reads = PartitionReads(app, ledger.table)
        records = RecordReads(reads)
        self.past = EventPast(app, reads, ledger.next_offset)
        events = EventViews(app, reads, records, self.past)
        PurchaseViews(app, reads, records, ledger.next_offset)
        SectionViews(app, reads, records)
        holds = HoldViews(app, reads, ledger.hold_expiry)
        partitions = PartitionViews(app, reads, ledger.next_offset)
        # Not the last one: Faust's own page, which comes next, is at / too, and aiohttp joins neighbours of one path.
        LedgerOverview(app, events, holds, partitions)
        DefinitionViews(app, reads)
        add_document(app, OPERATIONS)
