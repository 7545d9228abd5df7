"""The outcome that is written from parts has the bytes of the one that is built."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tables.ledger.ledger import Ledger
from tables.messages.commands import Buy, Command, DefineEvent, EventDefinition, TicketLine, TicketTypeDefinition
from tables.messages.outcomes import encode_outcome
from tables.messages.payment_modes import PaymentMode
from tables.messages.sections import BestAvailable, PlanRow, PlanSeat
from tables.seating.plan import HallSection, pieces_of
from tests.unit.tables.ledger_driver import (
    ADA,
    EVENT,
    FLOOR,
    NOW,
    STAND,
    definition,
    ledger_on,
    lines,
    purchase_id,
    ticket_type,
)
from tests.unit.tables.random_logs import random_log

prices = st.decimals(0, 9_999_999_999, places=4) | st.sampled_from(
    [Decimal(text) for text in ("0", "0E-4", "1E+3", "5.0")]
)
labels = st.text(st.characters(exclude_characters="-", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=7)
kinds = st.builds(
    ticket_type,
    st.uuids(),
    quantity=st.integers(50, 10_000_000),
    name=st.text(),
    price=prices,
    currency=st.text(min_size=3, max_size=3),
)
events = st.builds(definition, kinds, title=st.text(), venue=st.text(), city=st.text(), time_zone=st.text())
times = st.integers(0, 253_402_300_799_999)

CommandLog = list[tuple[int, int, Command]]


def outcomes(ledger: Ledger, log: Iterable[tuple[int, int, Command]]) -> list[bytes]:
    return [encode_outcome(each) for entry in log for each in ledger.apply(*entry).outcomes]


def written(ledger: Ledger, log: Iterable[tuple[int, int, Command]]) -> list[bytes]:
    return [each.value for entry in log for each in ledger.apply_encoded(*entry).outcomes]


def is_plain(ledger: Ledger, event: UUID = EVENT) -> bool:
    """Whether parts were used, which are made only then."""
    inventory = ledger.inventory(event)
    return inventory is not None and inventory.texts is not None


@given(events, st.uuids(), st.uuids(), st.uuids(), st.integers(1, 50), st.integers(1, 2**62), times)
def test_every_purchase_of_one_type_is_written_as_it_is_built(
    event: EventDefinition, key: UUID, purchase: UUID, account: UUID, quantity: int, offset: int, at: int
) -> None:
    buy = Buy(key, purchase, account, lines([(event.ticket_types[0].id, quantity)]))
    log: CommandLog = [(0, at, DefineEvent(key, 1, event)), (offset, at, buy)]
    ledger = ledger_on({})
    assert written(ledger, log) == outcomes(ledger_on({}), log)
    assert is_plain(ledger, key)


@given(events, st.uuids(), st.uuids(), st.uuids(), st.integers(1, 2**62), times)
def test_every_rejection_is_written_as_it_is_built(
    event: EventDefinition, key: UUID, purchase: UUID, account: UUID, offset: int, at: int
) -> None:
    kind = event.ticket_types[0]
    buy = Buy(key, purchase, account, lines([(kind.id, kind.quantity + 1)]))
    log: CommandLog = [(0, at, DefineEvent(key, 1, event)), (offset, at, buy)]
    ledger = ledger_on({})
    assert written(ledger, log) == outcomes(ledger_on({}), log)
    assert is_plain(ledger, key)


@given(st.lists(labels, min_size=2, max_size=5, unique=True), labels, st.booleans())
def test_orders_of_seats_are_written_as_they_are_built(seats: list[str], section: str, by_name: bool) -> None:
    row = PlanRow(section, [PlanSeat(label, 0, 0, 0) for label in seats])
    pieces = pieces_of(EVENT, 1, [HallSection(name=section, categories=[FLOOR], rows=[row])])
    line = TicketLine(FLOOR, 2, best=BestAvailable())
    if by_name:
        line = TicketLine(FLOOR, 2, (f"{section}-{section}-{seats[1]}", f"{section}-{section}-{seats[0]}"))
    log: CommandLog = [(0, NOW, piece) for piece in pieces]
    log += [
        (1, NOW, DefineEvent(EVENT, 1, definition(ticket_type(), plan=1))),
        (2, NOW, Buy(EVENT, purchase_id(1), ADA, [line])),
        (3, NOW, Buy(EVENT, purchase_id(2), ADA, [line])),
    ]
    ledger = ledger_on({})
    assert written(ledger, log) == outcomes(ledger_on({}), log)
    assert is_plain(ledger)


def test_a_new_definition_shows_in_the_next_outcome() -> None:
    first, second = ticket_type(), ticket_type(name="renamed", price=Decimal("5.00"), quantity=20)
    log: CommandLog = []
    for version, kind in enumerate([first, second, first], start=1):
        log.append((len(log), NOW, DefineEvent(EVENT, version, replace(definition(kind), title=f"title {version}"))))
        log.append((len(log), NOW, Buy(EVENT, purchase_id(version), ADA, lines([(FLOOR, 1)]))))
    assert written(ledger_on({}), log) == outcomes(ledger_on({}), log)


@pytest.mark.parametrize(
    ("wanted", "changes"),
    [([(FLOOR, 1), (STAND, 1)], {}), ([(FLOOR, 1)], {"payment": PaymentMode.ONLINE})],
    ids=["two types", "a hold"],
)
def test_what_is_not_plain_is_built(wanted: list[tuple[UUID, int]], changes: dict[str, Any]) -> None:
    types: list[TicketTypeDefinition] = [ticket_type(), ticket_type(STAND)]
    buy = Buy(EVENT, purchase_id(1), ADA, lines(wanted))
    log: CommandLog = [(0, NOW, DefineEvent(EVENT, 1, definition(*types, **changes))), (1, NOW, buy)]
    ledger = ledger_on({})
    assert written(ledger, log) == outcomes(ledger_on({}), log)
    assert not is_plain(ledger)


@pytest.mark.parametrize("seed", range(12))
def test_a_log_and_its_repetition_have_the_same_outcomes(seed: int) -> None:
    log = random_log(seed, 150)
    built, wrote = ledger_on({}), ledger_on({})
    assert written(wrote, log) == outcomes(built, log)
    assert written(wrote, log[70:]) == outcomes(built, log[70:])
