"""The schemas are valid, describe what was ever written, and allow nothing that our decoders refuse."""

import copy
import json
import re
from collections.abc import Iterator
from typing import Any, Final

import jsonschema_rs
import pytest

from connect.contract.channels import CHANNELS, Channel, Direction
from connect.contract.examples import examples_of
from connect.contract.schemas import DIALECT, bundle
from tables.errors import MalformedRecord
from tests.unit.connect.contract.validation import channel_of, decoder_of, errors, validator
from tests.unit.upgrades.recording import Recording, recordings

INPUTS: Final = [
    pytest.param(channel, example, id=f"{channel.id}-{name}-{number}")
    for channel in CHANNELS
    if channel.direction is Direction.INPUT
    for name, kind in channel.messages.items()
    for number, example in enumerate(examples_of(kind))
]
WRONG: Final[tuple[Any, ...]] = (
    None,
    True,
    "",
    "x",
    "\0",
    -1,
    1.5,
    10**9,
    2**63,
    "-1",
    "1E2",
    "2030-05-17T18:00:00",
    [],
    {},
    ["x"],
)


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
    for each in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from nodes(each)


def test_the_document_is_valid_json_schema() -> None:
    assert bundle()["$schema"] == DIALECT == "https://json-schema.org/draft/2020-12/schema"
    jsonschema_rs.Draft202012Validator(bundle())
    assert jsonschema_rs.meta.is_valid(bundle())


def test_every_reference_leads_somewhere() -> None:
    for node in nodes(bundle()):
        if isinstance(name := node.get("$ref"), str):
            assert name.removeprefix("#/$defs/") in bundle()["$defs"]


def test_it_says_only_what_every_tool_understands() -> None:
    for node in nodes(bundle()):
        assert "discriminator" not in node
        if isinstance(format_ := node.get("format"), str):
            assert format_ in ("uuid", "date-time")
        if isinstance(pattern := node.get("pattern"), str):
            assert not re.search(r"\\[ZAz]|\(\?", pattern)  # not in ECMA 262
        if isinstance(text := node.get("description"), str):
            assert "``" not in text
            assert "\n    " not in text


def test_every_text_that_is_a_number_or_a_time_says_its_form() -> None:
    definitions = bundle()["$defs"]
    for name, field in (("OutcomeLine", "price"), ("MoneyAmount", "amount"), ("TicketTypeDefinition", "price")):
        assert "pattern" in definitions[name]["properties"][field]
    for name, field in (("Outcome", "at"), ("EventFacts", "startsAt"), ("Job", "at"), ("Delivery", "at")):
        assert definitions[name]["properties"][field]["format"] == "date-time"


@pytest.mark.parametrize("recording", recordings(), ids=lambda each: each.folder.name)
def test_all_that_was_ever_recorded_is_valid(recording: Recording) -> None:
    for topic, value in recording.messages():
        assert errors(f"{channel_of(topic).id}.value", json.loads(value)) == [], value


def places(node: Any) -> Iterator[tuple[str | int, ...]]:
    """The path of every value in a JSON document."""
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for name, each in inner:
        yield (name,)
        for path in places(each):
            yield (name, *path)


def mutated(example: Any) -> Iterator[Any]:
    """The example with one value left out or wrong."""
    for *path, last in places(example):
        for value in (..., *WRONG):
            changed = copy.deepcopy(example)
            parent = changed
            for name in path:
                parent = parent[name]
            if value is ...:
                del parent[last]
            else:
                parent[last] = value
            yield changed


def is_read(channel: Channel, value: Any) -> bool:
    """Whether our decoder takes the value."""
    try:
        decoder_of(channel)(json.dumps(value).encode())
    except MalformedRecord:
        return False
    return True


def is_cancel_without_request(value: Any) -> bool:
    """Whether it lacks what a schema can't ask for: the request's id, if only some lines are cancelled."""
    return value.get("kind") == "cancel" and bool(value.get("lines")) and value.get("request") is None


@pytest.mark.parametrize(("channel", "example"), INPUTS)
def test_what_a_schema_of_an_input_allows_our_decoder_reads(channel: Channel, example: Any) -> None:
    refused = [value for value in mutated(example) if not is_read(channel, value)]
    assert refused
    allowed = [value for value in refused if validator(f"{channel.id}.value").is_valid(value)]
    assert [value for value in allowed if not is_cancel_without_request(value)] == []


def test_fields_of_a_version_to_come_are_allowed() -> None:
    for channel in CHANNELS:
        for kind in channel.messages.values():
            for example in examples_of(kind):
                assert errors(f"{channel.id}.value", example | {"ofTheFuture": {"any": [1]}}) == []
