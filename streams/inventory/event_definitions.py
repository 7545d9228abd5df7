"""The agent that tells the ledger about events: an outbox record becomes a define-event command."""

from connect.topics import COMMANDS, EVENT_STATUS
from streams.runtime.app import App
from streams.runtime.failures import decode_batch
from streams.runtime.kafka_types import Message, Record
from streams.runtime.produce import append_keyed, send_to_dead_letters
from streams.runtime.record_context import trace_headers
from tables.ids import id_bytes
from tables.messages.announcements import command_of

CONSUMER = "catalogue"
BATCH_MAX_RECORDS = 500


class EventDefinitionsAgent:
    """Turns the records of ``outbox.event.event_status`` into commands on the ledger's log."""

    def __init__(self, app: App) -> None:
        self.app = app
        app.add_agent(EVENT_STATUS, self._handle, name=CONSUMER, batch_max_records=BATCH_MAX_RECORDS)

    async def _handle(self, messages: list[Message]) -> None:
        decoded, dead_letters = decode_batch(messages, command_of)
        commands = [
            Record(id_bytes(command.event), encoded, trace_headers(message)) for message, (command, encoded) in decoded
        ]
        await append_keyed(self.app, COMMANDS, commands)
        await send_to_dead_letters(self.app, CONSUMER, dead_letters)
