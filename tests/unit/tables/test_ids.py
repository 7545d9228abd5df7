"""Name-based ids, the text of ids, and the codes of tickets: unguessable, unique, the same at every replay."""

from hashlib import blake2b
from itertools import product
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tables.ids import TicketCodes, id_bytes, name_based_id, text_of
from tests.unit.tables.ledger_driver import ADA, BOB, EVENT, OTHER_EVENT

KEY = b"k" * 32
BIGGEST_POSITION = 2**32 - 1


@given(st.uuids(), st.text())
def test_a_name_has_the_id_that_python_gives_it(space: UUID, name: str) -> None:
    assert name_based_id(space, name) == uuid5(space, name)


@given(st.uuids())
def test_an_id_is_written_as_python_writes_it(id_: UUID) -> None:
    assert text_of(id_) == str(id_)
    assert id_bytes(id_) == str(id_).encode()


@pytest.mark.parametrize("length", [0, 1, 31, 65])
def test_a_key_that_can_be_guessed_or_does_not_fit_is_refused_without_being_shown(length: int) -> None:
    with pytest.raises(ValueError, match=f"the ticket key has {length} bytes; it must have 32 to 64"):
        TicketCodes(b"k" * length)


@pytest.mark.parametrize("length", [32, 64])
def test_a_key_of_32_to_64_bytes_is_taken(length: int) -> None:
    assert TicketCodes(b"k" * length).code(EVENT, ADA, 0)


def test_a_code_is_24_digits_of_a_keyed_hash_of_event_purchase_and_position() -> None:
    second_block = EVENT.bytes + ADA.bytes + b"\x00\x00\x00\x01"
    digits = blake2b(second_block, key=KEY, digest_size=60).hexdigest()
    assert TicketCodes(KEY).code(EVENT, ADA, 7) == digits[48:72]


@pytest.mark.parametrize(("first", "count"), [(0, 1), (0, 5), (3, 4), (4, 13), (5, 5), (9, 0)])
def test_the_codes_of_a_line_are_those_of_its_tickets(first: int, count: int) -> None:
    codes = TicketCodes(KEY)
    each = tuple(codes.code(EVENT, ADA, position) for position in range(first, first + count))
    assert codes.codes(EVENT, ADA, first, count) == each


def test_codes_of_different_tickets_differ() -> None:
    codes = TicketCodes(KEY)
    tickets = list(product([EVENT, OTHER_EVENT], [ADA, BOB], [*range(1_000), BIGGEST_POSITION]))
    assert len({codes.code(*ticket) for ticket in tickets}) == len(tickets)


def test_codes_of_another_key_are_others() -> None:
    assert TicketCodes(KEY).code(EVENT, ADA, 0) != TicketCodes(KEY + b"k").code(EVENT, ADA, 0)
    assert TicketCodes(KEY).code(EVENT, ADA, 0) != TicketCodes(b"l" * 32).code(EVENT, ADA, 0)


def test_codes_do_not_depend_on_what_was_made_before() -> None:
    busy = TicketCodes(KEY)
    for position in range(10):
        busy.code(EVENT, BOB, position)
    assert busy.code(EVENT, ADA, 3) == TicketCodes(KEY).code(EVENT, ADA, 3)
