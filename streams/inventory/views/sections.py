"""The views of the seats of an event: its sections, each with the seats that are held and sold."""

from streams.runtime.app import App
from streams.runtime.partition_lists import PartitionList
from streams.runtime.partition_reads import PartitionReads
from streams.runtime.record_reads import RecordRead, RecordReads
from streams.runtime.web import Request, Response, add_page
from streams.runtime.web_parameters import path_id
from tables.ledger.records import decode_section, section_key
from tables.ledger.seat_views import section_view
from tables.ledger.view_scans import SectionScan


class SectionViews:
    """Sections by name, and those of an event in pages."""

    def __init__(self, app: App, reads: PartitionReads, records: RecordReads) -> None:
        self.reads = reads
        self.records = records
        add_page(app, "/api/section/{event}/{section}/", "section", self.section)
        add_page(app, "/api/sections/{event}/", "sections", self.sections)

    async def section(self, request: Request, event: str, section: str) -> Response:
        """Which seats of a section are held and sold; not found before the first one was."""
        key = path_id(event, "event")
        record = RecordRead(
            self.reads.home_of(str(key)),
            section_key(key, section),
            lambda value: section_view(key, section, decode_section(value)),
        )
        return await self.records.answer(request, record)

    async def sections(self, request: Request, event: str) -> Response:
        """The sections of an event of which seats are out, or ever were."""
        key = path_id(event, "event")

        def scan(partition: int, position: bytes) -> SectionScan:
            return SectionScan(self.reads.access(partition)[1], key, position)

        return await PartitionList(self.reads, scan).answer(request, self.reads.home_of(str(key)))
