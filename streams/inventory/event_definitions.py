"""The agent that tells the ledger of events: outbox rows become define-event commands."""

import msgspec

from connect.topics import COMMANDS, EVENT_STATUS
from streams.runtime.agents import add_agent
from streams.runtime.app import App
from streams.runtime.dead_letters import bury, sort_out
from streams.runtime.kafka_types import Message
from streams.runtime.partitioning import partition_of
from streams.runtime.produce import Record
from streams.runtime.retry import append
from streams.runtime.tracing import headers_from
from tables.errors import MalformedRecord
from tables.messages.commands import COMMAND_MAX_BYTES, DefineEvent, encode_command
from tables.messages.decoding import decode_json

CONSUMER = "catalogue"
MOST = 500

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_definition = msgspec.json.Decoder(DefineEvent)


def definition_of(value: bytes | None) -> DefineEvent:
    """The event that an outbox record defines. Raises MalformedRecord naming the wrong field."""
    fields = decode_json(_fields, value, MalformedRecord)
    fields["kind"] = msgspec.Raw(b'"define-event"')
    return decode_json(_definition, msgspec.json.encode(fields), MalformedRecord)


def command_of(value: bytes | None) -> tuple[DefineEvent, bytes]:
    """The command for the log that an outbox record leads to, and its value. Raises MalformedRecord.

    A command that the ledger would not read for its size is none.
    """
    command = definition_of(value)
    encoded = encode_command(command)
    if len(encoded) > COMMAND_MAX_BYTES:
        raise MalformedRecord(
            f"the event has {len(encoded)} bytes as a command, which is more than {COMMAND_MAX_BYTES}"
        )
    return command, encoded


class CatalogueAgent:
    """Turns the records of ``outbox.event.event_status`` into commands of the log."""

    def __init__(self, app: App) -> None:
        self.app = app
        add_agent(app, EVENT_STATUS, self._handle, name=CONSUMER, batch_max_records=MOST)

    async def _handle(self, messages: list[Message]) -> None:
        commands: dict[int, list[Record]] = {}
        readable, letters = sort_out(messages, command_of)
        for message, (command, encoded) in readable:
            key = str(command.event).encode()
            home = partition_of(key, self.app.settings.partitions)
            commands.setdefault(home, []).append(Record(key, encoded, headers_from(message)))
        for home, records in commands.items():
            await append(self.app, COMMANDS, home, records)
        await bury(self.app, CONSUMER, letters)
