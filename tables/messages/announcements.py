"""The announcements of the outbox: an event's whole definition, which becomes a define-event command."""

from tables.errors import MalformedRecord
from tables.messages.commands import COMMAND_MAX_BYTES, DefineEvent, EventAnnouncement, encode_command
from tables.messages.decoding import json_decoder

decode_announcement = json_decoder(EventAnnouncement)


def definition_of(value: bytes | None) -> DefineEvent:
    """The event that an outbox record defines. Raises MalformedRecord, which names the wrong field."""
    announced = decode_announcement(value)
    return DefineEvent(announced.event, announced.version, announced.definition)


def command_of(value: bytes | None) -> tuple[DefineEvent, bytes]:
    """The command that an outbox record becomes, and its encoding.

    Raises MalformedRecord, also where the command would be too large for the ledger to read.
    """
    command = definition_of(value)
    encoded = encode_command(command)
    if len(encoded) > COMMAND_MAX_BYTES:
        raise MalformedRecord(
            f"the event has {len(encoded)} bytes as a command, which is more than {COMMAND_MAX_BYTES}"
        )
    return command, encoded
