"""Every message has an example that its schema allows and that our own decoder reads."""

import json
import re
from typing import Any, Final

import msgspec
import pytest

from connect.contract.channels import CHANNELS, Channel, Direction
from connect.contract.examples import examples, examples_of
from tables.messages.outcomes import Outcome, OutcomeKind
from tests.unit.connect.contract.validation import decoder_of, errors

JSON_CHANNELS: Final = [channel for channel in CHANNELS if channel.content_type == "application/json"]
RECEIVED: Final = [channel for channel in JSON_CHANNELS if channel.direction is Direction.INPUT]
PARTS: Final = [
    pytest.param(channel, kind, id=f"{channel.id}-{name}")
    for channel in JSON_CHANNELS
    for name, kind in channel.messages.items()
]


@pytest.mark.parametrize(("channel", "kind"), PARTS)
def test_each_message_has_an_example_that_is_valid_and_is_decoded(channel: Channel, kind: Any) -> None:
    found = [each for each in examples() if type(each) is kind]
    assert found
    for example in found:
        value = msgspec.json.encode(example)
        assert errors(f"{channel.id}.value", json.loads(value)) == []
        decoded = decoder_of(channel)(value)
        # Of a row of an event, the columns that are JSON are decoded, too.
        assert (decoded[0] if isinstance(decoded, tuple) else decoded) == example


@pytest.mark.parametrize("channel", RECEIVED, ids=lambda each: each.id)
def test_a_whole_number_may_be_written_as_a_float_which_the_schema_takes_for_an_integer(channel: Channel) -> None:
    for example in examples():
        if type(example) in channel.messages.values():
            value = re.sub(rb"([:[,])(\d+)(?=[,\]}])", rb"\1\2.0", msgspec.json.encode(example))
            assert errors(f"{channel.id}.value", json.loads(value)) == []
            assert decoder_of(channel)(value) == example


@pytest.mark.parametrize("channel", [channel for channel in CHANNELS if channel.headers], ids=lambda each: each.id)
def test_headers_have_an_example_that_is_valid(channel: Channel) -> None:
    found = examples_of(channel.headers)
    assert found
    for example in found:
        assert errors(f"{channel.id}.headers", example) == []


def test_every_example_is_of_a_message_of_the_contract() -> None:
    described = {kind for channel in CHANNELS for kind in (*channel.messages.values(), channel.headers)}
    assert {type(example) for example in examples()} <= described


def test_the_outcomes_show_what_happens_most() -> None:
    kinds = {outcome["kind"] for outcome in examples_of(Outcome)}
    assert kinds == {*OutcomeKind} - {OutcomeKind.REFUNDED}


@pytest.mark.parametrize("topic", ["ticket-commands", "ticket-purchase", "notification-jobs"])
def test_a_key_is_the_text_of_an_id(topic: str) -> None:
    assert errors(f"{topic}.key", "5e3d7a1c-0f3b-4c58-9a57-7d2f6c1b8e10") == []
    assert errors(f"{topic}.key", "5e3d7a1c")
