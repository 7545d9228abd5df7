"""The announcements of the outbox, which become commands: an event's whole definition, and the pieces of its plan."""

from typing import Final

from msgspec import Struct

from tables.errors import MalformedRecord
from tables.messages.commands import COMMAND_MAX_BYTES, DefineEvent, EventAnnouncement, encode_command
from tables.messages.decoding import json_decoder
from tables.messages.sections import DefineSection

Announced = DefineEvent | DefineSection

decode_announcement: Final = json_decoder(EventAnnouncement)
_decode_section: Final = json_decoder(DefineSection)


class _AnyAnnouncement(Struct, frozen=True):
    kind: str = ""


_kind: Final = json_decoder(_AnyAnnouncement)
_SECTION: Final = "define-section"


def definition_of(value: bytes | None) -> DefineEvent:
    """The event that an outbox record defines. Raises MalformedRecord, which names the wrong field."""
    announced = decode_announcement(value)
    return DefineEvent(announced.event, announced.version, announced.definition)


def announced(value: bytes | None) -> Announced:
    """The command that an outbox record becomes. Raises MalformedRecord, which names the wrong field."""
    return _decode_section(value) if _kind(value).kind == _SECTION else definition_of(value)


def command_of(value: bytes | None) -> tuple[Announced, bytes]:
    """The command that an outbox record becomes, and its encoding.

    Raises MalformedRecord, also where the command would be too large for the ledger to read.
    """
    command = announced(value)
    encoded = encode_command(command)
    if len(encoded) > COMMAND_MAX_BYTES:
        raise MalformedRecord(
            f"the event has {len(encoded)} bytes as a command, which is more than {COMMAND_MAX_BYTES}"
        )
    return command, encoded
