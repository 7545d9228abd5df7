"""Rows that no constraint would let in: read one by one, each is told or left out, and all others are as they were."""

import asyncio
import logging
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from pydantic import SecretStr

from api.adapters.ledger.worker_views import WorkerViews
from api.adapters.postgres.accounts import AccountRows
from api.adapters.postgres.attendance import AttendanceRows
from api.adapters.postgres.database import Database
from api.adapters.postgres.events import EventRows
from api.adapters.postgres.holders import HolderRows
from api.adapters.sales import PurchaseRows
from api.ports.events import Listing
from api.problems import Refused
from api.schemas.event import EventQuery
from api.schemas.pagination import page
from ops import holding
from ops.restored import NotReady, raise_versions
from settings import Settings
from streams.search.postgres_snapshot import SourceRow, connect, event_rows
from streams.search.verify import FIX_ROW, difference
from tests.integration.write_model.conftest import Scratch
from tests.integration.write_model.test_rows import NO_WORKER, NOW, bought, new_account, new_event, new_ticket

# By column, what PostgreSQL's type takes; whether the API tells such a row, and whether the index does.
ODD: list[tuple[str, str, bool, bool]] = [
    ("ends_at", "'9999-12-31T23:59:59.999999Z'", False, False),
    ("ends_at", "'infinity'", False, False),
    ("starts_at", "'-infinity'", False, False),
    ("starts_at", "'0044-03-15 12:00Z BC'", False, False),
    ("ends_at", "'294276-12-31 23:59Z'", False, False),
    ("created_at", "'infinity'", False, True),
    ("updated_at", "'-infinity'", False, True),
    ("time_zone", "'Mars/Phobos'", False, False),
    ("time_zone", "'America'", False, False),
    ("time_zone", "'../../etc/passwd'", False, False),
    ("tags", "ARRAY['a', NULL]", False, False),
    ("tags", "ARRAY[['a'], ['b']]", False, False),
    ("tags", "ARRAY[repeat('x', 2000000)]", True, False),
    ("title", "repeat('ﷺ', 100000)", True, True),
    ("latitude", "'NaN', longitude = 1", True, False),
    ("latitude", "'Infinity', longitude = 1", True, False),
    ("status", "'ODD'", False, True),
    ("offers", """'[{"id": 1}]'""", True, False),
    ("stock", "'[]'", True, False),
]


def drop_constraints(scratch: Scratch, names: str) -> None:
    query = """
    SELECT conrelid::regclass::text, conname FROM pg_constraint
    WHERE contype = 'c' AND connamespace = 'public'::regnamespace AND conname LIKE %s
    """
    found = scratch.rows(query, names)
    scratch.rows("; ".join(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"' for table, name in found))


@pytest.fixture
def open_to_all(scratch: Scratch) -> Scratch:
    """The write model without its constraints and triggers, as an operator may have left it."""
    drop_constraints(scratch, "%")
    tables = ("account", "event", "ticket_type", "event_outbox")
    scratch.rows("; ".join(f"ALTER TABLE {table} DISABLE TRIGGER USER" for table in tables))
    return scratch


def put(scratch: Scratch, table: str, column: str, value: str, key: UUID) -> None:
    scratch.rows(f"UPDATE {table} SET {column} = {value} WHERE id = %s", key)  # noqa: S608


def odd_event(scratch: Scratch, events: EventRows, organizer: UUID, column: str, value: str) -> UUID:
    event = new_event(organizer)
    events.add(Listing(event))
    put(scratch, "event", column, value, event.id)
    return event.id


def can_be_changed(events: EventRows, event: UUID) -> bool:
    """Whether an event is read for a change. One that the ledger would find too large is, and has to become smaller."""
    try:
        return events.change(event, lambda listing: listing) is not None
    except Refused as refusal:
        return refusal.faults[0].pointer == "/ticketTypes"


def test_the_api_tells_every_other_event(
    open_to_all: Scratch, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    events, organizer = EventRows(database), AccountRows(database).add(new_account()).id
    good, told = [], []
    with caplog.at_level(logging.WARNING):
        for column, value, is_told, _ in ODD:
            odd = odd_event(open_to_all, events, organizer, column, value)
            good.append(new_event(organizer))
            events.add(Listing(good[-1]))
            assert (events.get(odd) is not None, events.listing(odd) is not None) == (is_told, is_told), (column, value)
            assert can_be_changed(events, odd) == is_told
            lines = [line for line in caplog.messages if f"row {odd} of event can't be shown" in line]
            assert is_told or column in lines[0]
            told += [odd] if is_told else []
    choice: dict[str, Any] = {"organizer": organizer, "status": None, "drafts_of": None, "all_drafts": True}
    seen: list[UUID] = []
    cursor = None
    while True:
        items, cursor = page(
            EventQuery(limit=3, cursor=cursor), lambda limit, after: events.list(limit, after, **choice)
        )
        seen += [item.id for item in items]
        if cursor is None:
            break
    assert sorted(seen) == sorted([*told, *(event.id for event in good)])


def test_an_event_is_told_without_a_ticket_type_that_cannot_be_told_and_is_not_announced_without_it(
    open_to_all: Scratch, database: Database
) -> None:
    events, organizer = EventRows(database), AccountRows(database).add(new_account()).id
    for column, value in (("sale_ends_at", "'infinity'"), ("price", "'NaN'"), ("created_at", "'infinity'")):
        event = new_event(organizer)
        good, odd = new_ticket(event.id, "Good", position=1), new_ticket(event.id, "Odd", position=0)
        events.add(Listing(event, (odd, good)))
        put(open_to_all, "ticket_type", column, value, odd.id)
        assert events.tickets(event.id) == (good,)
        assert events.ticket(odd.id) is None
        assert events.get(event.id) == event
        assert events.change(event.id, lambda listing: listing) is None


def test_accounts_and_purchases_are_told_but_for_odd_ones(open_to_all: Scratch, database: Database) -> None:
    accounts, event, buyer = AccountRows(database), uuid4(), uuid4()
    nobody = WorkerViews(NO_WORKER)
    sales = PurchaseRows(database, database, nobody)
    good = [accounts.add(new_account()).id for _ in range(3)]
    for column, value in (("birth_date", "'infinity'"), ("created_at", "'-infinity'"), ("roles", "ARRAY[NULL]")):
        odd = accounts.add(new_account()).id
        put(open_to_all, "account", column, value, odd)
        assert accounts.get(odd) is None
    assert {each.id for each in accounts.list(50, None) if hasattr(each, "email")} == set(good)
    kept = [str(bought(open_to_all, buyer, event, NOW)) for _ in range(3)]
    for column, value in (
        ("deadline", "'infinity'"),
        ("made_at", "'infinity'"),
        ("total", "'NaN'"),
        ("lines", "'5'"),
        ("lines", """'[{"name": "x"}]'"""),
        ("figures", f"""'{{"x": {"9" * 5_000}}}'"""),
        ("at", "'4713-01-01 BC'"),
    ):
        odd = bought(open_to_all, buyer, event, NOW)
        put(open_to_all, "purchase", column, value, odd)
    items = sales.of_account(buyer, 50, None).items
    assert sorted(item.id for item in items) == sorted(f"{event}.{purchase}" for purchase in kept)
    nobody.close()


# By column, what makes a purchase one that nothing can be reckoned with.
SPOILED: list[tuple[str, str]] = [
    ("lines", "'5'"),
    ("lines", "'{}'"),
    ("lines", "'null'"),
    ("lines", "'[5]'"),
    ("lines", "'[[]]'"),
    ("lines", """'[{"name": "x"}]'"""),
    ("lines", "jsonb_set(lines, '{0,ticketTypeId}', '\"none\"')"),
    ("lines", "jsonb_set(lines, '{0,ticketTypeId}', '7')"),
    ("lines", "jsonb_set(lines, '{0,name}', 'null')"),
    ("lines", "jsonb_set(lines, '{0,quantity}', '\"two\"')"),
    ("lines", "jsonb_set(lines, '{0,quantity}', '1.5')"),
    ("lines", "jsonb_set(lines, '{0,quantity}', '1e30')"),
    ("lines", "jsonb_set(lines, '{0,quantity}', '-1')"),
    ("lines", "jsonb_set(lines, '{0,price}', '\"NaN\"')"),
    ("lines", "jsonb_set(lines, '{0,price}', '\"much\"')"),
    ("lines", "jsonb_set(lines, '{0,price}', '10.5')"),
    ("lines", "lines || '[7]'"),
    ("currency", "NULL"),
    ("currency", "'eur'"),
]


@pytest.mark.parametrize(("column", "value"), SPOILED)
def test_sums_and_tables_pass_over_a_purchase_that_cannot_be_added_up(
    open_to_all: Scratch, database: Database, caplog: pytest.LogCaptureFixture, column: str, value: str
) -> None:
    event, nobody = uuid4(), WorkerViews(NO_WORKER)
    sales, attendance = PurchaseRows(database, database, nobody), AttendanceRows(database, database)
    bought(open_to_all, uuid4(), event, NOW)
    odd = bought(open_to_all, uuid4(), event, NOW)
    open_to_all.rows("UPDATE purchase SET paid_worth = total")
    put(open_to_all, "purchase", column, value, odd)
    with caplog.at_level(logging.WARNING):
        told = sales.of_event(event, 1, None)
    [kind], [paid] = told.ticket_types or [], told.payments or []
    assert (paid.sold.amount, paid.sold.currency) == ("21.00" if column == "currency" else "42.00", "EUR")
    assert (kind.sold, kind.revenue.amount) == (2, "21.00")
    assert any(f"row {odd} of purchase can't be shown" in line for line in caplog.messages)
    assert sorted(str(row[6]) for row in list(sales.table_of_event(event))[1:]) == ["0", "2"]
    assert [row[3] for row in list(attendance.attendees(event))[1:]] == [2]
    curve = attendance.curve(event)
    assert curve is not None
    assert [steps[-1][1] for steps in curve.types.values()] == [2]
    nobody.close()


def test_holds_are_counted_past_one_that_cannot_be_added_up(open_to_all: Scratch, database: Database) -> None:
    account, event, holders = uuid4(), uuid4(), HolderRows(database)
    held = [bought(open_to_all, account, event, NOW, "held") for _ in SPOILED[:2]]
    for purchase in held:
        put(open_to_all, "purchase", "deadline", "now() + interval '1 hour'", purchase)
    asyncio.run(holders.held(account))  # it counts from an account's second hold on
    now = Settings(database_url=SecretStr(open_to_all.url), ticket_key=SecretStr("k" * 32))
    for column, value in SPOILED:
        open_to_all.rows(
            "UPDATE purchase SET lines = good.lines, currency = 'EUR' FROM purchase good WHERE good.id = %s", held[0]
        )
        put(open_to_all, "purchase", column, value, held[1])
        assert asyncio.run(holders.held(account)) == 2
        assert [(each.holds, each.tickets) for each in holding.holders(now, event, 5)] == [(1, 2)]


@pytest.mark.parametrize("moment", ["'infinity'", "'-infinity'", "'294276-12-31 23:59Z'", "'4713-01-01 BC'"])
def test_a_curve_begins_and_ends_with_times_that_can_be_told(
    open_to_all: Scratch, database: Database, moment: str
) -> None:
    event, attendance = uuid4(), AttendanceRows(database, database)
    bought(open_to_all, uuid4(), event, NOW)
    put(open_to_all, "purchase", "made_at", moment, bought(open_to_all, uuid4(), event, NOW))
    curve = attendance.curve(event)
    assert curve is not None
    assert (curve.begins, curve.ends) == (NOW, NOW)
    assert len(list(attendance.attendees(event))) == 3


async def source_rows(url: str) -> list[SourceRow]:
    settings: Any = SimpleNamespace(database_url=SecretStr(url))
    connection = await connect(settings)
    try:
        return [row async for row in event_rows(connection)]
    finally:
        await connection.close()


def test_what_the_index_is_built_from_is_read_to_its_end(open_to_all: Scratch, database: Database) -> None:
    events, organizer = EventRows(database), AccountRows(database).add(new_account()).id
    odd = {odd_event(open_to_all, events, organizer, column, value): row for row in ODD for column, value, *_ in [row]}
    rows = {UUID(row.id): row for row in asyncio.run(source_rows(open_to_all.url))}
    assert rows.keys() == odd.keys()
    for key, (column, value, _, is_indexed) in odd.items():
        found = difference(rows[key], None)
        assert found is not None
        assert (found.repair != FIX_ROW) == is_indexed, (column, value, found)
        assert is_indexed or column in found.text or "which is more than 524288" in found.text


def test_after_a_restore_an_odd_row_is_named_by_what_it_breaks(scratch: Scratch, database: Database) -> None:
    events, organizer = EventRows(database), AccountRows(database).add(new_account()).id
    drop_constraints(scratch, "event_tags_bound")
    odd_event(scratch, events, organizer, "tags", "ARRAY['a', NULL]")
    scratch.rows("ALTER TABLE event ADD CONSTRAINT event_tags_bound CHECK (tags_are_told(tags)) NOT VALID")
    before = scratch.rows("SELECT id, version FROM event")
    with psycopg.connect(scratch.url, autocommit=True) as connection:
        with pytest.raises(NotReady, match="rows of event break event_tags_bound"):
            raise_versions(connection)
        assert scratch.rows("SELECT id, version FROM event") == before
        scratch.rows("UPDATE event SET tags = '{}'")
        assert raise_versions(connection) == 1


def test_after_a_restore_every_captured_row_has_a_revision_that_nobody_knows(
    scratch: Scratch, database: Database
) -> None:
    """The consumers know those of the changes that the backup lacks."""
    organizer = AccountRows(database).add(new_account()).id
    EventRows(database).add(Listing(new_event(organizer)))
    [(known,)] = scratch.rows("SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint")
    for table in ("event", "account"):
        scratch.rows(f"ALTER TABLE {table} DISABLE TRIGGER revision_is_raised")
        scratch.rows(f"UPDATE {table} SET revision = (2::numeric ^ 60)::bigint")  # noqa: S608 - of another server
        scratch.rows(f"ALTER TABLE {table} ENABLE TRIGGER revision_is_raised")
    with psycopg.connect(scratch.url, autocommit=True) as connection:
        raise_versions(connection)
    [(now_at,)] = scratch.rows("SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint")
    for table in ("event", "account"):
        [(lowest, highest)] = scratch.rows(f"SELECT min(revision), max(revision) FROM {table}")  # noqa: S608
        assert known <= lowest <= highest < now_at


@pytest.mark.parametrize("payload", ["'5'", "'[1]'", "'null'"])
def test_after_a_restore_an_announcement_that_is_none_is_named_by_its_event(
    open_to_all: Scratch, database: Database, payload: str
) -> None:
    events, organizer = EventRows(database), AccountRows(database).add(new_account()).id
    good, odd = new_event(organizer), new_event(organizer)
    for event in (good, odd):
        events.add(Listing(event))
    open_to_all.rows(f"UPDATE event_outbox SET payload = {payload} WHERE aggregate_id = %s", odd.id)  # noqa: S608
    before = open_to_all.rows("SELECT id, version FROM event ORDER BY id")
    with psycopg.connect(open_to_all.url, autocommit=True) as connection:
        with pytest.raises(NotReady, match=f"the announcements of these events are not objects.*: {odd.id}$"):
            raise_versions(connection)
        assert open_to_all.rows("SELECT id, version FROM event ORDER BY id") == before


def test_a_change_of_a_row_that_breaks_a_constraint_is_refused_by_its_name(
    scratch: Scratch, database: Database
) -> None:
    events, organizer = EventRows(database), AccountRows(database).add(new_account()).id
    drop_constraints(scratch, "event_tags_bound")
    odd = odd_event(scratch, events, organizer, "tags", "ARRAY[repeat('x', 60)]")
    scratch.rows("ALTER TABLE event ADD CONSTRAINT event_tags_bound CHECK (tags_are_told(tags)) NOT VALID")
    with pytest.raises(Refused) as refused:
        events.change(odd, lambda listing: listing)
    assert (refused.value.kind, refused.value.detail) == ("invalid-input", "event_tags_bound does not hold")
