"""The announcements of the outbox, which become commands: an event's whole definition, and the pieces of its plan."""

import re
from typing import Final

from msgspec import Struct

from tables.errors import MalformedRecord
from tables.messages.commands import (
    COMMAND_MAX_BYTES,
    DefineEvent,
    EventAnnouncement,
    EventDefinition,
    encode_command,
)
from tables.messages.encoding import json_decoder
from tables.messages.outcomes import check_time
from tables.messages.sections import DefineSection

Announced = DefineEvent | DefineSection

decode_announcement: Final = json_decoder(EventAnnouncement)
_decode_section: Final = json_decoder(DefineSection)


class _AnyAnnouncement(Struct, frozen=True):
    kind: str = ""


_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_kind: Final = json_decoder(_AnyAnnouncement)
_SECTION: Final = "define-section"


def definition_of(value: bytes | None) -> DefineEvent:
    """The event that an outbox record defines. Raises MalformedRecord, which names the wrong field."""
    announced = decode_announcement(value)
    _check_told(announced.definition)
    return DefineEvent(announced.event, announced.version, announced.definition)


def _check_told(definition: EventDefinition) -> None:
    """Raise MalformedRecord for what no consumer can read in an outcome: nobody would learn of a sale."""
    check_time(definition.starts_at, "definition.startsAt")
    check_time(definition.ends_at, "definition.endsAt")
    for number, ticket_type in enumerate(definition.ticket_types):
        if not _CURRENCY.fullmatch(ticket_type.currency):
            raise MalformedRecord(f"Expected three capital letters - at `$.definition.ticketTypes[{number}].currency`")


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
