"""The channel of a topic, our decoder of its values, and validation by its schemas, formats too."""

from functools import cache
from typing import Any, Final

import jsonschema_rs

from connect.contract.channels import CHANNELS, Channel
from connect.contract.schemas import bundle
from connect.topics import EVENT_STATUS, OPERATOR_ACTIONS
from tables.messages.announcements import announced
from tables.messages.commands import DefineEvent, EventAnnouncement
from tables.messages.operator_actions import decode_action
from tests.unit.upgrades.formats import MESSAGES, Decode


def _announcement(value: bytes | None) -> Any:
    found = announced(value)
    if isinstance(found, DefineEvent):
        return EventAnnouncement(found.event, found.version, found.definition)
    return found


DECODERS: Final[dict[str, Decode]] = MESSAGES | {
    OPERATOR_ACTIONS: decode_action,
    EVENT_STATUS: _announcement,
}


def channel_of(topic: str) -> Channel:
    """The channel that describes the topic."""
    return next(channel for channel in CHANNELS if channel.is_address_of(topic))


def decoder_of(channel: Channel) -> Decode:
    """Our decoder of the values of its topics."""
    return next(decode for topic, decode in DECODERS.items() if channel.is_address_of(topic))


@cache
def validator(part: str) -> jsonschema_rs.Draft202012Validator:
    """The validator of a part such as ``ticket-commands.value``."""
    schema = bundle() | {"$ref": f"#/$defs/{part}"}
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True)


def errors(part: str, value: Any) -> list[str]:
    """What is wrong with it."""
    return [f"{error.instance_path}: {error.message}" for error in validator(part).iter_errors(value)]
