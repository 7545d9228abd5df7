"""The long id of a purchase tells only what this installation has sealed, and not for ever."""

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest

from api.auth.tokens import Tokens
from api.purchasing.acceptance import VALID_S, accepted_account, accepted_id
from api.schemas.purchase import parse_public_id, public_id
from tables.messages.commands import Buy, TicketLine
from tests.unit.api.fakes.clock import NOW

TOKENS = Tokens(["k" * 32], 60)
COMMAND = Buy(uuid4(), uuid4(), uuid4(), [TicketLine(uuid4(), 1)])
LONG = accepted_id(TOKENS, COMMAND, NOW)


def part(number: int, text: str) -> str:
    """The long id with another part."""
    parts = LONG.split(".")
    return ".".join([*parts[:number], text, *parts[number + 1 :]])


def test_it_tells_the_account_and_is_an_id_of_the_purchase() -> None:
    assert accepted_account(TOKENS, LONG, NOW) == COMMAND.account
    assert parse_public_id(LONG) == (COMMAND.event, COMMAND.purchase)


def test_a_key_that_was_replaced_is_still_known() -> None:
    assert accepted_account(Tokens(["new" * 12, "k" * 32], 60), LONG, NOW) == COMMAND.account
    assert accepted_account(Tokens(["new" * 12], 60), LONG, NOW) is None


def test_it_ends_when_the_log_may_have_lost_the_command() -> None:
    assert accepted_account(TOKENS, LONG, NOW + timedelta(seconds=VALID_S - 1)) == COMMAND.account
    assert accepted_account(TOKENS, LONG, NOW + timedelta(seconds=VALID_S)) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda: public_id(COMMAND.event, COMMAND.purchase),
        *[lambda number=number: part(number, str(uuid4())) for number in range(3)],
        lambda: part(3, str(2**40)),
        lambda: part(4, ""),
        lambda: part(4, TOKENS.seal(LONG.rpartition(".")[0])),
        lambda: part(4, "ü"),
        lambda: f"{LONG}.",
        lambda: "",
    ],
)
def test_what_was_not_sealed_tells_nothing(change: Callable[[], str]) -> None:
    assert accepted_account(TOKENS, change(), NOW) is None


@pytest.mark.parametrize("text", ["", ".", "..", f".{uuid4()}", f"{uuid4()}..{uuid4()}", f"{uuid4()}.{uuid4().hex}.x"])
def test_what_does_not_begin_with_two_ids_is_none(text: str) -> None:
    assert parse_public_id(text) is None


@pytest.mark.parametrize("tail", [".", ".x", ".\r\nX: y", ".\U0001f600", f".{uuid4()}.1", f".{uuid4()}.1.\n", "\n"])
def test_what_follows_the_two_ids_is_of_a_long_one_or_it_is_none(tail: str) -> None:
    assert parse_public_id(public_id(COMMAND.event, COMMAND.purchase) + tail) is None
