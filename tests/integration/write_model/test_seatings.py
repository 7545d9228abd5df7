"""Seating plans in a real database: their pieces, what they refuse, and which seats are taken."""

import asyncio
from base64 import b64decode
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from psycopg.types.json import Jsonb

from api.adapters.catalogue_check import CatalogueRows
from api.adapters.ledger.worker_views import WorkerViews
from api.adapters.postgres.accounts import AccountRows
from api.adapters.postgres.database import Database
from api.adapters.postgres.events import EventRows
from api.adapters.postgres.seatings import PLANS_MAX, SeatingRows
from api.adapters.sales import PurchaseRows
from api.adapters.seat_occupancy import SeatOccupancy
from api.organizing.seating import check_plan, check_taken
from api.organizing.seating_generator import generated
from api.ports.events import Listing
from api.ports.seating import SeatingNow
from api.problems import Refused
from api.schemas.seating import SeatingGenerator
from connect.observe.definitions import read_these
from streams.gate.events import NEWEST, PIECES
from streams.projections.purchases import UPSERT, purchase_row
from tables.messages.announcements import Announced, announced
from tables.messages.commands import DefineEvent
from tables.messages.encoding import encode_json
from tables.messages.outcomes import MoneyAmount, Outcome, OutcomeKind, OutcomeLine
from tables.messages.sections import DefineSection
from tables.messages.statuses import PurchaseStatus
from tests.integration.write_model.conftest import Scratch
from tests.integration.write_model.test_rows import NO_WORKER, NOW, new_account, new_event, new_ticket


@pytest.fixture
def listing(database: Database) -> Listing:
    """An event with a ticket type."""
    event = new_event(AccountRows(database).add(new_account()).id)
    listing = Listing(event, (new_ticket(event.id),))
    EventRows(database).add(listing)
    return listing


def test_no_section_has_a_name_with_a_character_that_no_text_can_have(database: Database, listing: Listing) -> None:
    seatings, event = SeatingRows(database), listing.event.id
    seatings.change(event, lambda _: rectangle(listing))
    assert seatings.section(event, "A") is not None
    assert (seatings.section(event, "A\0"), seatings.section(event, "\0")) == (None, None)


@pytest.mark.parametrize("odd", ['{"a": 1e400}', r'{"a": "\ud800"}', "[" * 2_000 + "]" * 2_000, "[]"])
def test_a_section_that_nobody_can_read_is_no_plan_until_another_one_is_put(
    scratch: Scratch, database: Database, listing: Listing, odd: str
) -> None:
    seatings, event = SeatingRows(database), listing.event.id
    sections = [*rectangle(listing), *rectangle(listing, name="B")]
    seatings.change(event, lambda _: sections)
    scratch.rows("UPDATE seating_section SET section = %s WHERE event_id = %s AND name = 'A'", odd, event)
    assert (seatings.plan(event), seatings.section(event, "A"), seatings.pieces(event, 2)) == (None, None, [])
    assert seatings.section(event, "B") is not None
    assert seatings.change(event, lambda _: sections) is not None
    assert seatings.plan(event) is not None


def rectangle(listing: Listing, rows: int = 2, seats: int = 5, **more: Any) -> list[dict[str, Any]]:
    section = {"name": "A", "category": str(listing.tickets[0].id), "rows": rows, "seatsPerRow": seats}
    return generated(SeatingGenerator.model_validate({"sections": [section | more]}))


def outbox(scratch: Scratch, event: UUID) -> list[tuple[int, int]]:
    return scratch.rows("SELECT version, part FROM event_outbox WHERE aggregate_id = %s ORDER BY 1, 2", event)


def buy(scratch: Scratch, event: UUID, offset: int, *seats: str, status: str = "confirmed") -> UUID:
    purchase, line = uuid4(), {"ticketTypeId": str(uuid4()), "quantity": len(seats), "seats": list(seats)}
    scratch.rows(
        "INSERT INTO purchase (id, event_id, account_id, status, lines, ledger_offset, at, made_at) "
        "VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        *(purchase, event, uuid4(), status, Jsonb([line]), offset, NOW, NOW),
    )
    return purchase


def test_a_plan_and_its_pieces_come_with_the_next_version_and_stay_while_it_is_in_force(
    scratch: Scratch, database: Database, listing: Listing
) -> None:
    seatings, events, event = SeatingRows(database), EventRows(database), listing.event.id
    sections = [*rectangle(listing), *rectangle(listing, name="B")]
    after = seatings.change(event, lambda _: sections)
    assert after is not None
    assert (after.event.version, after.plan and after.plan.version) == (2, 2)
    pieces = [version for version, part in outbox(scratch, event) if part > 0]
    assert pieces == [2, 2]
    events.change(event, lambda before: before)
    assert outbox(scratch, event) == [*((2, part) for part in range(1, len(pieces) + 1)), (3, 0)]
    found = seatings.plan(event)
    assert found is not None
    assert (found.version, found.sections) == (2, sections)
    seatings.change(event, lambda _: rectangle(listing))
    assert outbox(scratch, event) == [(4, 0), (4, 1)]
    seatings.change(event, lambda _: [])
    assert (outbox(scratch, event), seatings.plan(event)) == ([(5, 0)], None)
    assert scratch.rows("SELECT plans, version FROM seating WHERE event_id = %s", event) == [(2, None)]
    assert events.delete(event, lambda before: before)


def test_the_ledger_is_told_the_pieces_before_the_definition_by_each_who_tells(
    scratch: Scratch, database: Database, listing: Listing
) -> None:
    seatings, event = SeatingRows(database), listing.event.id
    seatings.change(event, lambda _: rectangle(listing))
    EventRows(database).change(event, lambda before: before)
    told: list[Announced] = []

    async def announce(command: Announced) -> None:
        told.append(command)

    catalogue = CatalogueRows(database, EventRows(database).listing, seatings.pieces, announce)
    asyncio.run(catalogue.check_event(event, [listing.tickets[0].id]))
    read_by_gate = scratch.rows(PIECES, [event]) + scratch.rows(NEWEST, [event])
    by_gate = [announced(row[-1].encode()) for row in read_by_gate]
    assert [type(each) for each in by_gate] == [DefineSection, DefineEvent]
    assert by_gate == told
    with database.transaction() as connection:
        [said] = read_these(connection, [event]).values()
    assert isinstance(said, DefineEvent)
    assert (said.version, said.definition.plan) == (3, 2)


def test_a_change_that_is_refused_leaves_everything_as_it_was(
    scratch: Scratch, database: Database, listing: Listing
) -> None:
    seatings, event = SeatingRows(database), listing.event.id
    seatings.change(event, lambda _: rectangle(listing))
    buy(scratch, event, 5, "A-A-1")
    buy(scratch, event, 6, "A-B-5", status="cancelled")
    before = outbox(scratch, event)

    def shrink(now: SeatingNow) -> list[dict[str, Any]]:
        after = rectangle(listing, 1, 4, numberedFrom="right")
        check_plan(after, now.listing)
        check_taken(now.sections, after, now.taken)
        return after

    with pytest.raises(Refused) as refused:
        seatings.change(event, shrink)
    assert (refused.value.kind, refused.value.extra) == ("seats-taken", {"seats": ["A-A-1"]})
    assert outbox(scratch, event) == before
    found = seatings.plan(event)
    assert found is not None
    assert found.sections == rectangle(listing)
    scratch.rows("UPDATE seating SET plans = %s WHERE event_id = %s", PLANS_MAX, event)
    with pytest.raises(Refused, match="too many"):
        seatings.change(event, lambda _: rectangle(listing, 3))
    assert outbox(scratch, event) == before


def test_taken_seats_are_read_from_the_projection_and_then_what_has_changed(
    scratch: Scratch, database: Database, listing: Listing
) -> None:
    seatings, event = SeatingRows(database), listing.event.id
    assert seatings.changes(event, 0, -1) == (None, None, ())
    seatings.change(event, lambda _: rectangle(listing))
    first = buy(scratch, event, 5, "A-A-1", "A-B-5", status="held")
    buy(scratch, event, 6, "A-A-2", status="rejected")
    scratch.rows("UPDATE purchase SET lines = '[{\"seats\": [7, null]}]' WHERE ledger_offset = 6")
    seats = seatings.seats(event, -1)
    assert seats is not None
    [section] = seats.sections
    assert (seats.plan, seats.offset, section.free) == (2, 6, 8)
    assert int.from_bytes(b64decode(section.taken), "little") == 0b1000000001
    scratch.rows("UPDATE purchase SET status = 'expired', ledger_offset = 9 WHERE id = %s", first)
    changes = seatings.changes(event, 2, 7)
    assert (changes.new_plan, [(each.id, each.seats) for each in changes.purchases]) == (None, [(first, [])])


@pytest.mark.parametrize("is_looked_at_between", [True, False])
def test_a_seat_is_free_again_that_was_given_back_while_tickets_without_a_seat_are_kept(
    scratch: Scratch, database: Database, listing: Listing, is_looked_at_between: bool
) -> None:
    now = [0.0]
    seatings, event = SeatingRows(database), listing.event.id
    seatings._occupancy = SeatOccupancy(seatings.changes, lambda: now[0])
    seatings.change(event, lambda _: rectangle(listing))
    seat = OutcomeLine(uuid4(), "Stalls", 1, Decimal(10), seats=("A-A-1",))
    yard = OutcomeLine(uuid4(), "Yard", 1, Decimal(5))
    of: dict[str, Any] = {"event": event, "purchase": uuid4(), "account": uuid4(), "at": NOW}
    of |= {"total": MoneyAmount(Decimal(15), "EUR")}

    def project(offset: int, status: str, **more: Any) -> None:
        kind = OutcomeKind.CONFIRMED if offset == 5 else OutcomeKind.CANCELLED
        outcome = Outcome(kind=kind, offset=offset, status=PurchaseStatus(status), **of, **more)
        with database.transaction() as connection:
            connection.execute(UPSERT, [encode_json([purchase_row(outcome)]).decode()])

    def free() -> int:
        now[0] += 2
        seats = seatings.seats(event, -1)
        assert seats is not None
        return seats.sections[0].free

    project(5, "confirmed", lines=(seat, yard))
    assert free() == 9
    project(6, "confirmed", lines=(seat,), left=(yard,))
    if is_looked_at_between:
        assert free() == 10
    project(7, "cancelled", lines=(yard,))
    assert free() == 10
    [line] = PurchaseRows(database, database, WorkerViews(NO_WORKER)).of_event(event, 10, None).items[0].lines or []
    assert line.seats is None


def test_a_copy_of_the_event_with_another_title_keeps_the_plan(database: Database, listing: Listing) -> None:
    seatings, events, event = SeatingRows(database), EventRows(database), listing.event.id
    seatings.change(event, lambda _: rectangle(listing))
    titled = listing.event.model_copy(update={"title": "Other"})
    after = events.change(event, lambda before: replace(before, event=titled))
    assert after is not None
    assert after.plan is not None
    assert (after.event.version, after.plan.version) == (3, 2)
    assert after.plan.categories == {listing.tickets[0].id}
