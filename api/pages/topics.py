"""The topics: what Kafka's users may read and write, rendered from the AsyncAPI document."""

import json
from functools import cache
from typing import Any, Final

from flask import Blueprint, Response, make_response, render_template

from api.pages.schema_fields import field_rows, type_link, type_words
from connect.contract.asyncapi import document

topics = Blueprint("topics", __name__)

DIRECTIONS: Final = {"receive": "you write it", "send": "you read it"}
DAY_MS: Final = 24 * 3600 * 1000


@topics.get("/topics")
def show_topics() -> Response:
    """All topics with their messages and examples, and the types in them."""
    return make_response(render_template("topics.html", topics=_topics(), types=_types(), version=_version()))


def _version() -> str:
    version: str = document()["info"]["version"]
    return version


@cache
def _topics() -> list[dict[str, Any]]:
    actions = {each["channel"]["$ref"].rpartition("/")[2]: each["action"] for each in document()["operations"].values()}
    return [_topic(name, channel, actions[name]) for name, channel in document()["channels"].items()]


def _topic(name: str, channel: dict[str, Any], action: str) -> dict[str, Any]:
    messages = list(channel["messages"].values())
    key = messages[0]["bindings"]["kafka"]["key"]
    return {
        "id": name,
        "address": channel["address"],
        "summary": channel["description"],
        "direction": DIRECTIONS[action],
        "key": key.get("description", "none"),
        "kept": _kept(channel["bindings"]["kafka"]["topicConfiguration"]),
        "headers": type_link(messages[0].get("headers", {})),
        "parameters": {name: each.get("enum", ()) for name, each in channel.get("parameters", {}).items()},
        "messages": [_message(message) for message in messages],
    }


def _message(message: dict[str, Any]) -> dict[str, Any]:
    payload = message["payload"]
    return {
        "value": payload.get("description") or type_words(payload),
        "link": type_link(payload),
        "examples": [(each["name"], _text(each)) for each in message["examples"]],
    }


def _text(example: dict[str, Any]) -> str:
    shown = {part: each for part, each in example.items() if part in ("headers", "payload")}
    return json.dumps(shown, indent=2, ensure_ascii=False)


def _kept(config: dict[str, Any]) -> str:
    if "retention.ms" in config:
        return f"{config['retention.ms'] // DAY_MS} days"
    return "the newest record of each key" if config else "as its topic is configured"


@cache
def _types() -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "about": schema.get("description", ""),
            "fields": field_rows(schema),
            "values": schema.get("enum", ()),
        }
        for name, schema in document()["components"]["schemas"].items()
    ]
