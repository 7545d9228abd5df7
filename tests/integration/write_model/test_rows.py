"""Accounts, events and ticket types in a real database, each change with its outbox row."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import psycopg
import pytest
from psycopg.types.json import Jsonb

from api.adapters.catalogue_check import CatalogueRows
from api.adapters.ledger.worker_views import WorkerViews
from api.adapters.postgres.accounts import AccountRows
from api.adapters.postgres.database import Database
from api.adapters.postgres.events import EventRows
from api.adapters.postgres.seatings import SeatingRows
from api.adapters.sales import PurchaseRows
from api.ports.events import Listing
from api.problems import Refused, Unavailable
from api.roles import Role
from api.schemas.account import Account
from api.schemas.event import Event
from api.schemas.fields import Money
from api.schemas.ticket import TicketType
from settings import Settings
from tables.messages.announcements import Announced
from tables.messages.commands import DefineEvent
from tables.messages.statuses import EventStatus
from tests.integration.write_model.conftest import Scratch

NOW = datetime(2030, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
NO_WORKER = Settings(ticket_key="k" * 32, worker_url="http://127.0.0.1:9")


def new_account(**more: Any) -> Account:
    fields: dict[str, Any] = {"id": uuid4(), "first_name": "Ada", "last_name": "Byron", "locale": "en", "version": 1}
    fields |= {"roles": [Role.BUYER]}
    fields |= {"email": f"{uuid4().hex}@buyer.example", "created_at": NOW, "updated_at": NOW}
    return Account(**fields | more)


def new_event(organizer: UUID, **more: Any) -> Event:
    fields: dict[str, Any] = {"id": uuid4(), "organizer_id": organizer, "title": "Über Nacht: 100 % 'live' \\ %s"}
    fields |= {"starts_at": NOW, "ends_at": NOW + timedelta(hours=2), "time_zone": "Europe/Vienna"}
    fields |= {"status": EventStatus.ACTIVE, "created_at": NOW, "updated_at": NOW}
    return Event(**fields | more)


def new_ticket(event: UUID, name: str = "Stalls", **more: Any) -> TicketType:
    price = Money(amount="1.250", currency="KWD")
    fields: dict[str, Any] = {"id": uuid4(), "event_id": event, "name": name, "price": price, "quantity": 10}
    return TicketType(**fields | {"created_at": NOW, "updated_at": NOW} | more)


@pytest.fixture
def organizer(database: Database) -> UUID:
    return AccountRows(database).add(new_account()).id


def announced(scratch: Scratch, event: UUID) -> list[DefineEvent]:
    query = "SELECT payload FROM event_outbox WHERE aggregate_id = %s ORDER BY version"
    rows = [row[0] | {"kind": "define-event"} for row in scratch.rows(query, event)]
    return [msgspec.convert(row, DefineEvent) for row in rows]


def retitled(title: str) -> Any:
    return lambda listing: replace(listing, event=listing.event.model_copy(update={"title": title}))


def test_an_account_is_read_as_it_was_written(database: Database) -> None:
    accounts = AccountRows(database)
    account = new_account(phone="+43 1 5550199", birth_date="1985-12-10")
    accounts.add(account)
    assert accounts.get(account.id) == account
    assert accounts.get(uuid4()) is None


def test_an_address_or_an_id_is_taken_once(database: Database) -> None:
    accounts = AccountRows(database)
    account = accounts.add(new_account(email="ada@buyer.example"))
    with pytest.raises(Refused) as refused:
        accounts.add(new_account(email="ADA@buyer.example"))
    assert refused.value.kind == "email-taken"
    with pytest.raises(Refused) as refused:
        accounts.add(new_account(id=account.id))
    assert refused.value.kind == "already-exists"


def test_an_event_is_read_as_it_was_written(database: Database, organizer: UUID) -> None:
    events = EventRows(database)
    more = {"tags": ["a,b", '"q"', "{}"], "latitude": 48.2, "longitude": 16.37, "country": "AT", "capacity": 5}
    event = new_event(organizer, description="x" * 20_000, **more)
    tickets = (new_ticket(event.id, "Balcony", position=0), new_ticket(event.id, position=1))
    events.add(Listing(event, tickets))
    assert events.get(event.id) == event
    assert events.name(event.id) == event.title
    assert events.tickets(event.id) == tickets
    assert events.ticket(tickets[0].id) == tickets[0]
    assert events.event_of(tickets[0].id) == event


def test_what_is_unknown_is_none(database: Database) -> None:
    events = EventRows(database)
    assert events.get(uuid4()) is None
    assert events.name(uuid4()) is None
    assert events.tickets(uuid4()) is None
    assert events.ticket(uuid4()) is None
    assert events.event_of(uuid4()) is None
    assert events.change(uuid4(), lambda listing: listing) is None


def test_every_change_is_announced_whole_under_the_next_version(
    scratch: Scratch, database: Database, organizer: UUID
) -> None:
    events = EventRows(database)
    event = new_event(organizer)
    events.add(Listing(event))
    told = announced(scratch, event.id)
    events.change(event.id, lambda listing: replace(listing, tickets=(new_ticket(event.id),)))
    told += announced(scratch, event.id)
    events.change(event.id, retitled("Other"))
    told += announced(scratch, event.id)
    # The outbox keeps the newest alone: it says all that the others said.
    assert [one.version for one in told] == [1, 2, 3]
    assert [len(one.definition.ticket_types) for one in told] == [0, 1, 1]
    assert (told[2].definition.title, str(told[2].definition.ticket_types[0].price)) == ("Other", "1.250")
    stored = events.get(event.id)
    assert stored is not None
    assert stored.version == 3


def test_a_change_that_is_refused_leaves_no_trace(scratch: Scratch, database: Database, organizer: UUID) -> None:
    events = EventRows(database)
    event = new_event(organizer)
    events.add(Listing(event))

    def refuse(_: Listing) -> Listing:
        raise Refused("transition-refused")

    with pytest.raises(Refused):
        events.change(event.id, refuse)
    assert events.get(event.id) == event
    assert len(announced(scratch, event.id)) == 1


def test_changes_at_the_same_time_are_all_made_one_after_the_other(
    scratch: Scratch, database: Database, organizer: UUID
) -> None:
    events = EventRows(database)
    event = new_event(organizer)
    events.add(Listing(event))
    with ThreadPoolExecutor(10) as crowd:
        list(crowd.map(lambda number: events.change(event.id, retitled(f"Title {number}")), range(30)))
    [told] = announced(scratch, event.id)
    stored = events.get(event.id)
    assert stored is not None
    assert (told.version, told.definition.title) == (31, stored.title)


def bought_by_sql(scratch: Scratch, event: UUID, status: str) -> None:
    query = (
        "INSERT INTO purchase (id, event_id, account_id, status, ledger_offset, at, made_at) "
        "VALUES (%s, %s, %s, %s, 1, now(), now())"
    )
    scratch.rows(query, uuid4(), event, uuid4(), status)


def test_an_event_deleted_by_sql_is_announced_a_last_time_as_cancelled(
    scratch: Scratch, database: Database, organizer: UUID
) -> None:
    events = EventRows(database)
    event = new_event(organizer)
    events.add(Listing(event))
    changed = events.change(event.id, lambda listing: replace(listing, tickets=(new_ticket(event.id),)))
    bought_by_sql(scratch, event.id, "rejected")
    [before] = announced(scratch, event.id)
    scratch.rows("DELETE FROM event WHERE id = %s", event.id)
    [last] = announced(scratch, event.id)
    assert changed is not None
    assert (before.version, last.version) == (changed.event.version, changed.event.version + 1)
    assert before.definition is not None
    assert last.definition == msgspec.structs.replace(before.definition, status=EventStatus.CANCELED)
    with pytest.raises(Refused, match="there was an event"):
        events.add(Listing(event))


def test_an_event_deleted_by_the_api_is_announced_once(scratch: Scratch, database: Database, organizer: UUID) -> None:
    events = EventRows(database)
    event = new_event(organizer)
    events.add(Listing(event))
    assert events.delete(event.id, retitled("gone"))
    assert [each.version for each in announced(scratch, event.id)] == [event.version + 1]


def test_an_event_with_purchases_is_not_deleted_by_sql(scratch: Scratch, database: Database, organizer: UUID) -> None:
    events = EventRows(database)
    event = new_event(organizer)
    events.add(Listing(event))
    bought_by_sql(scratch, event.id, "refunded")
    with pytest.raises(psycopg.errors.RestrictViolation, match="has purchases: cancel it instead"):
        scratch.rows("DELETE FROM event WHERE id = %s", event.id)
    assert [each.version for each in announced(scratch, event.id)] == [event.version]


def test_an_event_that_was_never_announced_is_deleted_without_a_word(scratch: Scratch, organizer: UUID) -> None:
    event = uuid4()
    query = (
        "INSERT INTO event (id, organizer_id, title, starts_at, ends_at, time_zone) VALUES (%s, %s, 'x', %s, %s, 'UTC')"
    )
    scratch.rows(query, event, organizer, NOW, NOW + timedelta(hours=1))
    scratch.rows("DELETE FROM event WHERE id = %s", event)
    assert announced(scratch, event) == []


def test_ids_and_organizers_are_checked_and_nothing_is_announced(
    scratch: Scratch, database: Database, organizer: UUID
) -> None:
    events = EventRows(database)
    first = new_event(organizer)
    ticket = new_ticket(first.id)
    events.add(Listing(first, (ticket,)))
    other = new_event(organizer)
    for listing, kind in (
        (Listing(first), "already-exists"),
        (Listing(new_event(uuid4())), "unknown-account"),
        (Listing(other, (new_ticket(other.id, id=ticket.id),)), "already-exists"),
    ):
        with pytest.raises(Refused) as refused:
            events.add(listing)
        assert refused.value.kind == kind
    assert scratch.rows("SELECT count(*) FROM event_outbox") == [(1,)]
    assert scratch.rows("SELECT count(*) FROM event") == [(1,)]


def test_the_register_knows_accounts_events_and_ticket_types_also_new_ones(database: Database, organizer: UUID) -> None:
    told: list[Announced] = []

    async def announce(event: Announced) -> None:
        told.append(event)

    events = EventRows(database)
    catalogue = CatalogueRows(database, events.listing, SeatingRows(database).pieces, announce)
    event = new_event(organizer)
    first, second = new_ticket(event.id), new_ticket(event.id)
    events.add(Listing(event, (first,)))
    asyncio.run(catalogue.check_account(organizer))
    asyncio.run(catalogue.check_event(event.id, [first.id]))
    with pytest.raises(Refused) as refused:
        asyncio.run(catalogue.check_account(uuid4()))
    assert (refused.value.kind, refused.value.faults[0].pointer) == ("unknown-account", "/accountId")
    for wanted, kinds, refusal, pointer in (
        (uuid4(), [first.id], "unknown-event", "/eventId"),
        (event.id, [first.id, second.id], "unknown-ticket-type", "/lines/1/ticketTypeId"),
    ):
        with pytest.raises(Refused) as refused:
            asyncio.run(catalogue.check_event(wanted, kinds))
        assert (refused.value.kind, refused.value.faults[0].pointer) == (refusal, pointer)
    events.change(event.id, lambda listing: replace(listing, tickets=(first, second)))
    asyncio.run(catalogue.check_event(event.id, [first.id, second.id]))
    assert [(one.version, len(one.definition.ticket_types)) for one in told if isinstance(one, DefineEvent)] == [
        (1, 1),
        (2, 2),
    ]


def test_a_purchase_is_read_from_the_projection(scratch: Scratch, database: Database) -> None:
    event, bought, refused, account = uuid4(), uuid4(), uuid4(), uuid4()
    line = {"ticketTypeId": str(uuid4()), "name": "Stalls", "quantity": 2, "price": "10.00", "codes": ["A", "B"]}
    insert = "INSERT INTO purchase VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, NULL, 7, %s, %s)"
    scratch.rows(insert, bought, event, account, "confirmed", None, Jsonb({}), Jsonb([line]), 20, "EUR", NOW, NOW)
    figures = Jsonb({"available": 0})
    scratch.rows(insert, refused, event, account, "rejected", "sold-out", figures, Jsonb([]), 0, None, NOW, NOW)
    nobody = WorkerViews(NO_WORKER)
    sales, own = PurchaseRows(database, database, nobody), account.__eq__
    found = sales.find(event, bought, own)
    assert found is not None
    assert found.model_dump(mode="json", by_alias=True, exclude_none=True) == {
        "id": f"{event}.{bought}",
        "eventId": str(event),
        "accountId": str(account),
        "status": "confirmed",
        "lines": [
            {**line, "price": {"amount": "10.00", "currency": "EUR"}},
        ],
        "total": {"amount": "20.00", "currency": "EUR"},
        "decidedAt": "2030-01-02T03:04:05.678901Z",
    }
    found = sales.find(event, refused, own)
    assert found is not None
    assert (found.status, found.reason, found.figures) == ("rejected", "sold-out", {"available": 0})
    for stranger in (bought, uuid4()):
        with pytest.raises(Unavailable):
            sales.find(event, stranger, lambda other: other != account)
    nobody.close()


def bought(scratch: Scratch, account: UUID, event: UUID, made_at: datetime, status: str = "confirmed") -> UUID:
    purchase = uuid4()
    kind = "00000000-0000-4000-8000-000000000001"
    line = {"ticketTypeId": kind, "name": "=Stalls", "quantity": 2, "price": "10.50", "codes": []}
    scratch.rows(
        "INSERT INTO purchase VALUES (%s, %s, %s, %s, NULL, '{}', %s, 21, 'EUR', NULL, 7, %s, %s)",
        *(purchase, event, account, status, Jsonb([line]), made_at, made_at),
    )
    return purchase


def test_pages_of_purchases_neither_skip_nor_repeat_one_while_others_come(scratch: Scratch, database: Database) -> None:
    account, event = uuid4(), uuid4()
    nobody = WorkerViews(NO_WORKER)
    sales = PurchaseRows(database, database, nobody)
    # Several of one moment, so that the time alone does not tell where a page ended.
    old = [bought(scratch, account, event, NOW + timedelta(seconds=number // 4)) for number in range(10)]
    seen: list[str] = []
    cursor = None
    for number in range(10):
        page = sales.of_account(account, 3, cursor) if number % 2 else sales.of_event(event, 3, cursor)
        seen += [item.id for item in page.items]
        bought(scratch, account, event, NOW + timedelta(hours=1))
        scratch.rows("UPDATE purchase SET at = now(), status = 'cancelled' WHERE id = %s", old[number])
        cursor = page.next
        if cursor is None:
            break
    assert sorted(seen) == sorted(f"{event}.{purchase}" for purchase in old)
    with pytest.raises(Refused):
        sales.of_account(account, 3, "nonsense")
    nobody.close()


def test_the_sales_of_an_event_add_up_and_come_as_a_table(scratch: Scratch, database: Database) -> None:
    account, event = uuid4(), uuid4()
    nobody = WorkerViews(NO_WORKER)
    sales = PurchaseRows(database, database, nobody)
    for status in ("confirmed", "confirmed", "held", "cancelled"):
        bought(scratch, account, event, NOW, status)
    bought(scratch, account, uuid4(), NOW)
    [kind] = sales.of_event(event, 1, None).ticket_types or []
    assert (kind.sold, kind.held, kind.revenue.amount) == (4, 2, "42.00")
    head, *rows = sales.table_of_event(event)
    assert list(head)[:3] == ["purchase", "account", "status"]
    assert len(rows) == 4
    assert {row[5] for row in rows} == {"=Stalls"}
    nobody.close()


def test_a_server_that_is_gone_is_unavailable(scratch: Scratch) -> None:
    database = Database(psycopg.conninfo.make_conninfo(scratch.url, port=9))
    database.open()
    with pytest.raises(Unavailable):
        database.probe()
    database.close()


def test_a_server_that_became_read_only_is_unavailable_until_it_can_be_written_to(
    scratch: Scratch, database: Database
) -> None:
    """As after a failover: a connection that was made meanwhile stays read-only, and is replaced once it was used."""
    read_only = f"ALTER DATABASE {scratch.name} SET default_transaction_read_only"

    def write() -> bool:
        with suppress(Unavailable), database.transaction() as connection:
            connection.execute("UPDATE event SET title = title")
            return True
        return False

    with psycopg.connect(scratch.superuser_url, autocommit=True) as connection:
        connection.execute(f"{read_only} = on".encode())
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()",
            [scratch.name],
        )
        assert not write()
        connection.execute("SET default_transaction_read_only = off")
        connection.execute(f"{read_only} = off".encode())
    assert any(write() for _ in range(16))  # as many as there are connections at most
