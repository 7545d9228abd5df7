"""How the agents of one role read the outcomes of the records that they share."""

from typing import Any

from faust.types import TP

from connect.topics import OUTCOMES
from streams.projections.outcomes import read_outcomes
from streams.runtime.kafka_types import Message, Record
from tables.messages.dead_letters import Origin, decode_info
from tables.messages.outcomes import encode_outcome
from tests.unit.streams.test_agents import outcome


def message(offset: int, value: bytes | None) -> Message:
    return Message(OUTCOMES, 0, offset, 1.0, (), b"k", value, TP(OUTCOMES, 0), 1)


def test_what_one_agent_has_decoded_the_next_need_not_decode() -> None:
    shared = message(1, encode_outcome(outcome()))
    first: Any = read_outcomes([shared])
    shared.value = b"{"
    assert read_outcomes([shared]) == first == [(shared, outcome())]


def test_a_malformed_one_is_left_out_and_a_dead_letter_where_that_is_asked_for() -> None:
    odd, good = message(1, b"{"), message(2, encode_outcome(outcome()))
    dead_letters: list[Record] = []
    assert read_outcomes([odd, good], dead_letters) == read_outcomes([odd, good]) == [(good, outcome())]
    [(info, _)] = [found for each in dead_letters if (found := decode_info(each.headers))]
    assert info.origin == Origin(OUTCOMES, 0, 1)
