"""The agent that writes ``ticket-purchases`` from ``ticket-purchase``: each purchase's state, for others' sinks."""

from collections.abc import Iterator
from typing import Final

from connect.topics import OUTCOMES, PURCHASE_UPSERTS
from streams.projections.outcomes import read_outcomes
from streams.runtime.agents import by_partition, in_parallel
from streams.runtime.app import App
from streams.runtime.kafka_types import Message, Record
from streams.runtime.produce import append
from tables.messages.purchase_upserts import encode_upsert, upsert_key, upsert_of

NAME: Final = "upserts"
BATCH_MAX_RECORDS: Final = 1_000


class UpsertsAgent:
    """Writes each state to the partition number of its outcome, so that those of a purchase stay in order."""

    def __init__(self, app: App) -> None:
        self.app = app
        app.add_agent(OUTCOMES, self._handle, name=NAME, batch_max_records=BATCH_MAX_RECORDS)

    async def _handle(self, messages: list[Message]) -> None:
        await in_parallel(
            append(self.app, PURCHASE_UPSERTS, partition, list(records_of(batch)))
            for partition, batch in by_partition(messages).items()
        )


def records_of(messages: list[Message]) -> Iterator[Record]:
    """The records of the outcomes that tell a state. Of malformed ones agent ``sales`` makes dead letters."""
    for _, outcome in read_outcomes(messages):
        upsert = upsert_of(outcome)
        if upsert is not None:
            yield Record(upsert_key(upsert.payload), encode_upsert(upsert))
