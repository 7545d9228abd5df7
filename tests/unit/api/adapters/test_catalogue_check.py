"""Who may buy what, and that the ledger is told before it is asked."""

import asyncio
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest

from api.adapters.catalogue_check import REMEMBERED_S, RETRY_AFTER_S, CatalogueRows
from api.organizing.changes import new_listing, with_ticket
from api.ports.events import Listing, PlanInForce
from api.problems import Refused, Unavailable
from api.schemas.event import NewEvent
from api.schemas.fields import Price
from api.schemas.ticket import NewTicketType
from tables.messages.announcements import Announced
from tables.messages.commands import DefineEvent
from tables.messages.sections import DefineSection, PlanRow, PlanSeat
from tables.messages.statuses import EventStatus
from tests.unit.api.fakes.clock import NOW


def listing() -> Listing:
    body: dict[str, Any] = {
        "title": "Winterreise",
        "startsAt": "2030-05-17T20:00:00+02:00",
        "endsAt": "2030-05-17T22:30:00+02:00",
        "timeZone": "Europe/Vienna",
        "status": "ACTIVE",
    }
    return with_type(new_listing(NewEvent.model_validate(body), uuid4(), uuid4, NOW))


def with_type(before: Listing) -> Listing:
    ticket = NewTicketType(name="Stalls", quantity=10, price=Price(amount="10.00", currency="EUR"))
    after = with_ticket(before, ticket, uuid4(), NOW)
    version = before.event.version + 1
    return replace(after, event=after.event.model_copy(update={"version": version}))


@dataclass
class World:
    """One event in a database that may be down, and what the log was told."""

    current: Listing = field(default_factory=listing)
    told: list[Announced] = field(default_factory=list)
    reads: int = 0
    down: bool = False
    log_down: bool = False
    now: float = 0.0
    on_read: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        database: Any = self
        self.catalogue = CatalogueRows(database, self.listing, self.pieces, self._announce, lambda: self.now)

    def listing(self, event: UUID) -> Listing | None:
        self.reads += 1
        if self.down:
            raise Unavailable("postgres")
        found = self.current if event == self.current.event.id else None
        self.on_read()
        return found

    def change(self) -> None:
        self.on_read = lambda: None
        self.current = with_type(self.current)
        self.catalogue.forget(self.current.event.id)

    def pieces(self, event: UUID, plan: int) -> list[DefineSection]:
        row = PlanRow("1", [PlanSeat("1", 0, 0, 0)])
        types = [self.current.tickets[0].id]
        piece = DefineSection(event=event, plan=plan, sections=1, number=0, section="A", categories=types, rows=[row])
        return [piece]

    async def _announce(self, event: Announced) -> None:
        if self.log_down:
            raise Unavailable("kafka")
        self.told.append(event)

    def check(self, *types: UUID) -> None:
        self.check_event(self.current.event.id, list(types or [self.current.tickets[0].id]))

    def check_event(self, event: UUID, types: list[UUID]) -> None:
        asyncio.run(self.catalogue.check_event(event, types))


def test_the_log_is_told_of_an_event_before_its_first_purchase_and_once() -> None:
    world = World()
    for _ in range(3):
        world.check()
    [told] = world.told
    assert isinstance(told, DefineEvent)
    assert (told.event, told.version) == (world.current.event.id, world.current.event.version)
    assert [ticket.id for ticket in told.definition.ticket_types] == [ticket.id for ticket in world.current.tickets]
    assert world.reads == 1
    assert not world.catalogue._reading  # nothing is kept of who waited


def test_a_ticket_type_that_came_later_is_told_before_it_is_sold() -> None:
    world = World()
    world.check()
    known = {ticket.id for ticket in world.current.tickets}
    world.current = with_type(world.current)
    world.check(*({ticket.id for ticket in world.current.tickets} - known))
    assert [told.version for told in world.told if isinstance(told, DefineEvent)] == [
        world.current.event.version - 1,
        world.current.event.version,
    ]


def test_the_pieces_of_a_plan_are_told_once_and_before_the_definition_that_names_it() -> None:
    world = World()
    for version in (7, 7, 9):
        world.current = with_type(replace(world.current, plan=PlanInForce(version, frozenset())))
        world.catalogue.forget(world.current.event.id)
        world.check()
    told = [each.plan if isinstance(each, DefineSection) else each.definition.plan for each in world.told]
    assert told == [7, 7, 7, 9, 9]
    assert [isinstance(each, DefineSection) for each in world.told] == [True, False, False, True, False]


def test_a_change_made_here_is_told_before_the_next_purchase() -> None:
    world = World()
    world.check()
    world.current = with_type(world.current)
    world.catalogue.forget(world.current.event.id)
    world.check()
    assert len(world.told) == 2


@pytest.mark.parametrize("is_known", [True, False])
def test_a_change_that_is_made_while_the_event_is_read_is_told_before_the_next_purchase(*, is_known: bool) -> None:
    world = World()
    if is_known:
        world.check()
    world.now += REMEMBERED_S
    world.on_read = world.change
    world.check()
    world.check()
    assert [told.version for told in world.told if isinstance(told, DefineEvent)] == [2, 3]
    world.check()
    assert world.reads == 2 + is_known


def test_a_change_of_another_event_while_an_event_is_read_does_not_make_it_wait_for_postgresql() -> None:
    world = World()
    world.on_read = lambda: world.catalogue.forget(uuid4())
    world.check()
    world.check()
    assert world.reads == 1
    world.now, world.down = REMEMBERED_S, True
    world.check()


def test_an_event_has_one_reader_though_some_wait_for_a_read_that_failed() -> None:
    world, reading, most = World(), 0, 0
    read = world.listing

    async def slow(command: Announced) -> None:
        nonlocal reading, most
        reading += 1
        most = max(most, reading)
        await asyncio.sleep(0.01)
        reading -= 1

    database: Any = world

    async def all_of_them() -> None:
        catalogue = CatalogueRows(database, refuse_once, world.pieces, slow)
        check = partial(catalogue.check_event, world.current.event.id, [])
        first = [asyncio.create_task(check()) for _ in range(3)]
        await asyncio.wait(first[:1])
        await asyncio.gather(*first, *(check() for _ in range(3)), return_exceptions=True)

    def refuse_once(event: UUID) -> Listing | None:
        found = read(event)
        return None if world.reads == 1 else found

    asyncio.run(all_of_them())
    assert (most, world.reads) == (1, 2)


def test_an_event_that_has_not_changed_is_not_told_again() -> None:
    world = World()
    world.check()
    world.now += REMEMBERED_S
    world.check()
    assert (world.reads, len(world.told)) == (2, 1)


def test_what_could_not_be_told_is_not_sold() -> None:
    world = World(log_down=True)
    with pytest.raises(Unavailable):
        world.check()
    world.log_down = False
    world.now += RETRY_AFTER_S
    world.check()
    assert len(world.told) == 1


def test_who_comes_right_after_one_that_could_not_tell_the_log_does_not_wait_for_it_again() -> None:
    world = World(log_down=True)
    for _ in range(3):
        with pytest.raises(Unavailable) as unavailable:
            world.check()
        assert unavailable.value.server == "kafka"
    assert world.reads == 1


def test_a_sale_goes_on_while_postgresql_is_away_and_a_new_one_waits_for_it() -> None:
    world = World()
    world.check()
    world.down = True
    world.now += 10 * REMEMBERED_S
    world.check()
    with pytest.raises(Unavailable):
        world.check_event(uuid4(), [uuid4()])


def test_a_draft_is_refused_as_an_event_that_never_was_and_sold_once_it_is_published() -> None:
    world = World()
    published, reads = world.current, []
    draft = published.event.model_copy(update={"status": EventStatus.DRAFT})
    world.current = replace(published, event=draft)
    refusals = []
    for event in (draft.id, uuid4()):
        with pytest.raises(Refused) as refused:
            world.check_event(event, [published.tickets[0].id])
        refusals.append((refused.value.kind, refused.value.faults))
        reads.append(world.reads)
    assert refusals[0] == refusals[1]
    assert (reads, world.told) == ([1, 2], [])
    world.current = published
    world.check()
    assert len(world.told) == 1


def test_unknown_events_and_ticket_types_are_refused_untold() -> None:
    world = World()
    with pytest.raises(Refused) as refused:
        world.check_event(uuid4(), [uuid4()])
    assert refused.value.kind == "unknown-event"
    world.check()
    with pytest.raises(Refused) as refused:
        world.check(world.current.tickets[0].id, uuid4())
    assert [fault.pointer for fault in refused.value.faults] == ["/lines/1/ticketTypeId"]


def test_a_crowd_for_an_event_reads_it_once() -> None:
    world = World()
    event, types = world.current.event.id, [world.current.tickets[0].id]

    async def crowd() -> None:
        await asyncio.gather(*(world.catalogue.check_event(event, types) for _ in range(20)))

    asyncio.run(crowd())
    assert (world.reads, len(world.told)) == (1, 1)


class AccountTable:
    """The accounts that there are, and those that were looked for."""

    def __init__(self, *accounts: UUID) -> None:
        self.accounts = set(accounts)
        self.asked: list[UUID] = []

    def one(self, _: str, id: UUID) -> object:  # noqa: A002 (as the query calls it)
        self.asked.append(id)
        return {} if id in self.accounts else None


def test_an_account_that_there_is_is_looked_for_once_a_minute_and_others_each_time() -> None:
    async def scenario() -> None:
        world, known, unknown = World(), uuid4(), uuid4()
        table: Any = AccountTable(known)
        catalogue = CatalogueRows(table, world.listing, world.pieces, world._announce, lambda: world.now)
        for account in (known, known, unknown, unknown):
            with pytest.raises(Refused) if account is unknown else nullcontext():
                await catalogue.check_account(account)
        assert table.asked == [known, unknown, unknown]
        table.accounts.clear()
        world.now = REMEMBERED_S
        with pytest.raises(Refused, match="no such account"):
            await catalogue.check_account(known)

    asyncio.run(scenario())
