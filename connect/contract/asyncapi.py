"""The AsyncAPI 3.0 document of the topics.

Its schemas use only words that mean the same in JSON Schema 2020-12 and in AsyncAPI's own dialect, so that every tool
reads them.
"""

from functools import cache
from typing import Any, Final

from connect.contract.channels import CHANNELS, JSON, Channel, Direction
from connect.contract.examples import examples_of
from connect.contract.schemas import Schema, schemas_of
from connect.topics import all_topics

Node = dict[str, Any]

# Of the contract: raised with each release that adds something (docs/contract.md).
VERSION: Final = "1.0.0"
REFERENCE: Final = "#/components/schemas/{name}"
BINDING: Final = {"bindingVersion": "0.5.0"}
ACTIONS: Final = {Direction.INPUT: "receive", Direction.OUTPUT: "send"}
ABOUT: Final = (
    "Kafka's topics, seen from Turnstile: it receives what others write and sends what they read. "
    "Values are JSON; readers ignore fields that they don't know."
)


@cache
def document() -> Node:
    """The document, self-contained."""
    types = [kind for channel in CHANNELS for kind in (*channel.messages.values(), channel.headers) if kind is not None]
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Turnstile", "version": VERSION, "description": ABOUT},
        "defaultContentType": JSON,
        "channels": {channel.id: _channel(channel) for channel in CHANNELS},
        "operations": {f"{ACTIONS[channel.direction]}.{channel.id}": _operation(channel) for channel in CHANNELS},
        "components": {"schemas": schemas_of(types, REFERENCE)[1]},
    }


def _channel(channel: Channel) -> Node:
    parameters = channel.parameters.items()
    found = {
        "address": channel.address,
        "description": channel.summary,
        "messages": {name: _message(channel, name, kind) for name, kind in channel.messages.items()},
        "parameters": {name: {"enum": list(values)} if values else {} for name, values in parameters},
        "bindings": {"kafka": {"topicConfiguration": _configuration(channel)} | BINDING},
    }
    return {name: part for name, part in found.items() if part}


def _operation(channel: Channel) -> Node:
    return {
        "action": ACTIONS[channel.direction],
        "channel": {"$ref": f"#/channels/{channel.id}"},
        "summary": channel.summary,
    }


def _message(channel: Channel, name: str, kind: Any) -> Node:
    message: Node = {
        "name": name,
        "contentType": channel.content_type,
        "payload": _schema(kind),
        "bindings": {"kafka": {"key": _schema(channel.key)} | BINDING},
    }
    if channel.headers is not None:
        message["headers"] = _schema(channel.headers)
    return message | {"examples": _examples(name, kind, examples_of(channel.headers))}


def _examples(name: str, kind: Any, headers: list[Node]) -> list[Node]:
    """An example of the message for each of its type, all with the same headers."""
    shown = {"headers": headers[0]} if headers else {}
    payloads = [{"name": each.get("kind", name), "payload": each} for each in examples_of(kind)]
    return [each | shown for each in payloads or [{"name": name}]]


def _schema(kind: Any) -> Schema:
    return schemas_of([kind], REFERENCE)[0][0]


def _configuration(channel: Channel) -> Node:
    """What AsyncAPI has words for, of the configuration of the channel's topics."""
    config = next((topic.config for topic in all_topics() if channel.is_address_of(topic.name)), {})
    found: Node = {name: int(config[name]) for name in ("retention.ms", "max.message.bytes") if name in config}
    return found | {"cleanup.policy": [config["cleanup.policy"]]} if config else found
