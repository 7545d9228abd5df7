"""Ticket codes: not to be guessed, unique, and the same at every replay."""

from base64 import b32encode
from hashlib import blake2b
from itertools import product

import pytest

from tables.codes import TicketCodes
from tests.unit.tables.office import ADA, BOB, EVENT, OTHER_EVENT

KEY = b"k" * 32
BIGGEST_POSITION = 2**32 - 1


@pytest.mark.parametrize("length", [0, 1, 31, 65])
def test_a_key_that_can_be_guessed_or_does_not_fit_is_refused_without_being_shown(length: int) -> None:
    with pytest.raises(ValueError, match=f"the ticket key has {length} bytes; it must have 32 to 64"):
        TicketCodes(b"k" * length)


@pytest.mark.parametrize("length", [32, 64])
def test_a_key_of_32_to_64_bytes_is_taken(length: int) -> None:
    assert TicketCodes(b"k" * length).code(EVENT, ADA, 0)


def test_a_code_is_a_keyed_hash_of_event_purchase_and_position_in_24_letters_and_digits() -> None:
    content = EVENT.bytes + ADA.bytes + b"\x00\x00\x00\x07"
    expected = b32encode(blake2b(content, key=KEY, digest_size=15).digest()).decode()
    assert TicketCodes(KEY).code(EVENT, ADA, 7) == expected
    assert len(expected) == 24
    assert expected.isalnum()


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
