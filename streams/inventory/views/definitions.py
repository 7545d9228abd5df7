"""The view of the definitions by which events sell, for the comparison with PostgreSQL (promise 9)."""

from functools import partial
from typing import Final
from uuid import UUID

from streams.runtime.app import App
from streams.runtime.partition_reads import PartitionReads
from streams.runtime.web import Request, Response, add_page
from streams.runtime.web_parameters import path_id, path_partition
from streams.runtime.web_problems import RequestProblem
from tables.ledger.inventory import definition_of
from tables.ledger.records import decode_event, event_key
from tables.messages.commands import DefineEvent

DEFINITIONS_MAX_EVENTS: Final = 50


class DefinitionViews:
    """Some events of one partition."""

    def __init__(self, app: App, reads: PartitionReads) -> None:
        self.reads = reads
        add_page(app, "/api/definitions/{partition}/{events}/", "definitions", self.definitions)

    async def definitions(self, request: Request, partition: str, events: str) -> Response:
        """Version and definition of those events that are known; ``events`` are ids as hex digits, with commas."""
        number = path_partition(partition, self.reads.partitions)
        wanted = [path_id(text, "event") for text in events.split(",", DEFINITIONS_MAX_EVENTS)]
        if len(wanted) > DEFINITIONS_MAX_EVENTS:
            raise RequestProblem("not-found", f"at most {DEFINITIONS_MAX_EVENTS} events at once")
        return await self.reads.answer(request, number, partial(self._definitions, number, wanted))

    def _definitions(self, partition: int, events: list[UUID]) -> list[DefineEvent]:
        found = ((event, self.reads.table.read(partition, event_key(event))) for event in events)
        return [definition_of(event, decode_event(value)) for event, value in found if value is not None]
