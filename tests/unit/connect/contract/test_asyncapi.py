"""The AsyncAPI document, and that the stored documents are what the code says."""

import re
from collections.abc import Iterator
from typing import Any

from connect.contract.asyncapi import document
from connect.contract.channels import CHANNELS, Direction
from tests.unit.connect.contract.test_schemas import nodes


def references() -> Iterator[str]:
    for node in nodes(document()):
        if isinstance(name := node.get("$ref"), str):
            yield name


def test_every_reference_leads_somewhere() -> None:
    assert len(set(references())) > len(CHANNELS)
    for name in set(references()):
        node: Any = document()
        for part in name.removeprefix("#/").split("/"):
            node = node[part]


def test_every_name_is_one_that_the_specification_allows() -> None:
    names = [*document()["channels"], *document()["operations"], *document()["components"]["schemas"]]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+", name) for name in names)


def test_turnstile_receives_what_others_write_and_sends_what_they_read() -> None:
    operations = {each["channel"]["$ref"]: each["action"] for each in document()["operations"].values()}
    wanted = {Direction.INPUT: "receive", Direction.OUTPUT: "send"}
    assert operations == {f"#/channels/{each.id}": wanted[each.direction] for each in CHANNELS}


def test_each_kind_of_command_is_a_message_with_an_example() -> None:
    messages = document()["channels"]["ticket-commands"]["messages"]
    assert {"Buy", "Hold", "Confirm", "Cancel", "Expire"} <= set(messages)
    for message in messages.values():
        assert message["examples"][0]["payload"]["kind"]
        assert message["bindings"]["kafka"]["key"]["format"] == "uuid"


def test_a_topics_configuration_is_that_of_provisioning() -> None:
    binding = document()["channels"]["ticket-commands"]["bindings"]["kafka"]
    assert binding["topicConfiguration"] == {"cleanup.policy": ["delete"], "retention.ms": 14 * 24 * 3600 * 1000}


def test_parameters_name_the_parts_of_an_address() -> None:
    for channel in document()["channels"].values():
        assert set(channel.get("parameters", ())) == set(re.findall(r"\{(\w+)\}", channel["address"]))
