"""Migrations on a real server: once each, whole or not at all, whoever else is at it."""

import json
import logging
import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from shutil import copy
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.types.json import Jsonb
from yoyo import read_migrations

from migrations.apply import FOLDER, LOCK_KEY, apply_steps, migration_lock, open_backend, read_steps
from migrations.errors import EditedMigration, LockTimeout, WrongEncoding
from stack.postgres import CAPTURE
from tables.messages.encoding import VALUE_MAX_BYTES
from tables.text.time_zones import zone_names
from tests.integration.write_model.conftest import Scratch
from tests.integration.write_model.test_listing import wait_for_a_lock
from tests.integration.write_model.test_payments import PAYMENT

TABLES = {"account", "event", "ticket_type", "event_outbox", "heartbeat", "purchase", "notification"}


def tables(scratch: Scratch) -> set[str]:
    return {row[0] for row in scratch.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}


def write(folder: Path, name: str, forward: str, back: str = "SELECT 1;") -> None:
    (folder / f"{name}.sql").write_text(forward)
    (folder / f"{name}.rollback.sql").write_text(back)


def apply_steps_before(name: str, scratch: Scratch, folder: Path) -> None:
    for path in FOLDER.glob("*.sql"):
        if path.name < name:
            copy(path, folder)
    apply_steps(scratch.url, CAPTURE, folder)


def test_an_empty_database_gets_every_step_and_the_next_run_does_nothing(empty: Scratch) -> None:
    assert apply_steps(empty.url, CAPTURE) == [step.id for step in read_steps(FOLDER)]
    assert tables(empty) >= TABLES
    assert apply_steps(empty.url, CAPTURE) == []


def test_starts_at_the_same_time_apply_each_step_once(empty: Scratch) -> None:
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        applied = pool.starmap(apply_steps, [(empty.url, CAPTURE)] * 3)
    assert sorted(step for run in applied for step in run) == [step.id for step in read_steps(FOLDER)]


def test_an_edited_step_is_named_and_nothing_is_applied(empty: Scratch, tmp_path: Path) -> None:
    write(tmp_path, "0001_first", "CREATE TABLE first (id int);")
    apply_steps(empty.url, CAPTURE, tmp_path)
    write(tmp_path, "0001_first", "CREATE TABLE first (id bigint);")
    write(tmp_path, "0002_second", "CREATE TABLE second (id int);")
    with pytest.raises(EditedMigration, match=r"0001_first\.sql"):
        apply_steps(empty.url, CAPTURE, tmp_path)
    assert "second" not in tables(empty)


def test_a_step_that_fails_leaves_nothing_and_can_be_mended(empty: Scratch, tmp_path: Path) -> None:
    write(tmp_path, "0001_half", "CREATE TABLE half (id int);\nCREATE TABLE half (id int);")
    with pytest.raises(psycopg.errors.DuplicateTable):
        apply_steps(empty.url, CAPTURE, tmp_path)
    assert "half" not in tables(empty)
    write(tmp_path, "0001_half", "CREATE TABLE half (id int);")
    assert apply_steps(empty.url, CAPTURE, tmp_path) == ["0001_half"]


def test_rows_that_the_bounds_would_refuse_are_named_and_stay_as_they_are(
    empty: Scratch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    apply_steps_before("0014", empty, tmp_path)
    odd, good = odd_event(empty, "tags = ARRAY['a', NULL], ends_at = 'infinity'"), odd_event(empty, "title = 'Good'")
    empty.rows("INSERT INTO event_outbox VALUES (%s, 'other', %s, 'x', 1, '{}')", odd, odd)

    with caplog.at_level(logging.WARNING):
        assert apply_steps(empty.url, CAPTURE) == [step.id for step in read_steps(FOLDER) if step.id >= "0014"]

    told = [line for line in caplog.messages if "mend them" in line]
    names = ("event_ends_at_bound", "event_outbox_aggregate_type_bound", "event_tags_bound")
    assert [name in line and str(odd) in line for name, line in zip(names, sorted(told, key=bound), strict=True)] == [
        True,
        True,
        True,
    ]
    assert not any(str(good) in line for line in caplog.messages)
    assert empty.rows("SELECT tags, ends_at::text FROM event WHERE id = %s", odd) == [(["a", None], "infinity")]
    query = "SELECT conname FROM pg_constraint WHERE contype = 'c' AND NOT convalidated ORDER BY conname"
    assert tuple(name for (name,) in empty.rows(query)) == names


def bound(line: str) -> str:
    return line.partition("break ")[2]


def odd_event(scratch: Scratch, change: str) -> UUID:
    event = uuid4()
    scratch.rows("INSERT INTO account (id, first_name, last_name, email) VALUES (%s, 'A', 'B', %s)", event, str(event))
    scratch.rows(
        "INSERT INTO event (id, organizer_id, title, starts_at, ends_at, time_zone) "
        "VALUES (%s, %s, 'Old', now(), now() + interval '1 hour', 'Europe/Vienna')",
        *(event, event),
    )
    scratch.rows(f"UPDATE event SET {change} WHERE id = %s", event)  # noqa: S608
    return event


def announced(scratch: Scratch, event: UUID) -> list[tuple[Any, ...]]:
    return scratch.rows("SELECT version, payload FROM event_outbox WHERE aggregate_id = %s", event)


def test_events_that_were_announced_without_an_end_are_announced_once_more(empty: Scratch, tmp_path: Path) -> None:
    apply_steps_before("0020", empty, tmp_path)
    old, ended, over = (odd_event(empty, change) for change in ("version = 7", "version = 8", "status = 'DONE'"))
    end = "2030-07-01T20:00:00Z"
    for event, types in (
        (
            old,
            [
                {"id": "a"},
                {"id": "b", "saleEndsAt": "2031-01-01T00:00:00Z"},
                {"id": "c", "saleEndsAt": "2030-06-01Z"},
                {"id": "d", "saleEndsAt": "soon"},
            ],
        ),
        (ended, [{"id": "d", "saleEndsAt": end}]),
        (over, [{"id": "e"}]),
    ):
        empty.rows("UPDATE event SET starts_at = '2030-07-01', ends_at = %s WHERE id = %s", end, event)
        payload = {"event": str(event), "version": 7, "definition": {"endsAt": end, "ticketTypes": types}}
        query = "INSERT INTO event_outbox (id, aggregate_id, event_type, version, payload) VALUES (%s, %s, 'x', 7, %s)"
        empty.rows(query, uuid4(), event, Jsonb(payload))

    assert apply_steps(empty.url, CAPTURE) == [step.id for step in read_steps(FOLDER) if step.id >= "0020"]
    [(version, payload)] = announced(empty, old)
    assert (version, payload["version"]) == (8, 8)
    assert empty.rows("SELECT version FROM event WHERE id = %s", old) == [(8,)]
    assert [each["saleEndsAt"] for each in payload["definition"]["ticketTypes"]] == [end, end, "2030-06-01Z", end]
    assert [found for event in (ended, over) for found, _ in announced(empty, event)] == [7, 7]


@pytest.mark.parametrize(
    "change",
    [
        "ends_at = '9999-12-31T23:59:59.999999Z'",
        "ends_at = 'infinity'",
        "starts_at = '-infinity'",
        "created_at = 'infinity'",
        "updated_at = '1969-12-31 23:59Z'",
        "time_zone = 'Mars/Phobos'",
        "time_zone = '../etc/passwd'",
        "time_zone = 'America'",
        "time_zone = 'CEST'",
        "time_zone = 'UTC+3'",
        "time_zone = 'Europe/Foo+3'",
        "time_zone = 'europe/vienna'",
        "time_zone = 'localtime'",
        "tags = ARRAY['a', NULL]",
        "tags = ARRAY['']",
        "tags = ARRAY[['a'], ['b']]",
        "tags = ARRAY[repeat('x', 2000000)]",
        "tags = array_fill('x'::text, ARRAY[21])",
        "latitude = 'NaN', longitude = 1",
        "latitude = 'Infinity', longitude = 1",
        "organizer_name = repeat('x', 2000000)",
        "offers = to_jsonb(repeat('x', 2000000))",
        "offers = jsonb_build_array(repeat('x', 2000000))",
        "stock = '[]'",
        "stock = jsonb_build_object('x', repeat('x', 2000000))",
        "version = 9223372036854775807",
    ],
)
def test_a_row_that_no_part_can_tell_is_refused(scratch: Scratch, change: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        odd_event(scratch, change)


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("event_outbox", "(gen_random_uuid(), 'other', gen_random_uuid(), 'x', 1, '{}')"),
        ("event_outbox", "(gen_random_uuid(), 'event_status', gen_random_uuid(), 'x', 1, '5')"),
        ("event_outbox", "(gen_random_uuid(), 'event_status', gen_random_uuid(), repeat('x', 2000000), 1, '{}')"),
        (
            "event_outbox",
            """(gen_random_uuid(), 'event_status', gen_random_uuid(), 'x', 1, to_jsonb(ARRAY[repeat('x', 2000000)]))""",
        ),
        ("heartbeat", "(repeat('x', 2000), now())"),
        ("heartbeat", "('x', 'infinity')"),
        ("revocation", "(gen_random_uuid(), 1, 'infinity')"),
    ],
)
def test_an_odd_row_of_another_table_is_refused(scratch: Scratch, table: str, columns: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        scratch.rows(f"INSERT INTO {table} VALUES {columns}")  # noqa: S608


def test_every_zone_of_the_api_is_one_of_postgresql(scratch: Scratch) -> None:
    names = sorted(zone_names())
    assert scratch.rows("SELECT name FROM unnest(%s::text[]) AS name WHERE NOT is_time_zone(name)", names) == []


def test_a_zone_that_is_younger_than_the_list_is_one_and_no_other_word_is(scratch: Scratch) -> None:
    """Where PostgreSQL knows it by this name; here by a view that stands before its own."""
    scratch.rows("CREATE VIEW public.pg_timezone_names AS SELECT 'America/New_Town'::text AS name")
    query = (
        "SELECT name FROM unnest(ARRAY['America/New_Town', 'America/Other', 'CEST', 'UTC+3']) AS name "
        "WHERE is_time_zone(name)"
    )
    scratch.rows(f"ALTER DATABASE {scratch.name} SET search_path = public, pg_catalog")
    assert scratch.rows(query) == [("America/New_Town",)]


POSITION = "SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint"


def test_the_revision_of_a_row_lies_between_the_positions_of_its_changes(scratch: Scratch) -> None:
    """So it is above all of its earlier ones in the log, and not above its own."""
    event = odd_event(scratch, "title = 'New'")
    for table, column in (("event", "title"), ("account", "first_name")):
        for number in range(3):
            [(before,)] = scratch.rows(POSITION)
            scratch.rows(f"UPDATE {table} SET {column} = %s, revision = 0 WHERE id = %s", str(number), event)  # noqa: S608
            [(after,)] = scratch.rows(POSITION)
            [(revision,)] = scratch.rows(f"SELECT revision FROM {table} WHERE id = %s", event)  # noqa: S608
            assert before <= revision < after


def test_a_change_that_waited_for_another_has_the_later_revision(scratch: Scratch) -> None:
    event = odd_event(scratch, "title = 'New'")
    with psycopg.connect(scratch.url) as first, ThreadPoolExecutor(1) as pool:
        first.execute("UPDATE event SET title = 'First' WHERE id = %s", (event,))
        second = pool.submit(scratch.rows, "UPDATE event SET title = 'Second' WHERE id = %s RETURNING revision", event)
        wait_for_a_lock(scratch)
        first.execute("UPDATE event SET title = 'Third' WHERE id = %s", (event,))
        [(before,)] = first.execute("SELECT revision FROM event WHERE id = %s", (event,)).fetchall()
        first.commit()
        [(after,)] = second.result(10)
    assert before < after


def test_a_row_keeps_its_order_where_positions_begin_anew(scratch: Scratch) -> None:
    event = odd_event(scratch, "title = 'New'")
    scratch.rows("ALTER TABLE event DISABLE TRIGGER revision_is_raised")
    scratch.rows("UPDATE event SET revision = (2::numeric ^ 62)::bigint WHERE id = %s", event)
    scratch.rows("ALTER TABLE event ENABLE TRIGGER revision_is_raised")
    scratch.rows("UPDATE event SET title = 'Newer' WHERE id = %s", event)
    assert scratch.rows("SELECT revision FROM event WHERE id = %s", event) == [(2**62 + 1,)]


def test_rows_from_before_revisions_have_the_position_of_the_step(empty: Scratch, tmp_path: Path) -> None:
    apply_steps_before("0035", empty, tmp_path)
    event = odd_event(empty, "title = 'New'")
    [(before,)] = empty.rows(POSITION)
    apply_steps(empty.url, CAPTURE)
    [(after,)] = empty.rows(POSITION)
    for table in ("event", "account"):
        [(revision,)] = empty.rows(f"SELECT revision FROM {table} WHERE id = %s", event)  # noqa: S608
        assert before <= revision < after


def test_an_event_with_a_zone_that_was_once_allowed_is_named_and_stays(
    empty: Scratch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    apply_steps_before("0032", empty, tmp_path)
    event = odd_event(empty, "time_zone = 'CEST'")
    with caplog.at_level(logging.WARNING):
        apply_steps(empty.url, CAPTURE)
    assert [str(event) in record.getMessage() for record in caplog.records if "zone" in record.getMessage()] == [True]
    assert empty.rows("SELECT time_zone FROM event WHERE id = %s", event) == [("CEST",)]
    with pytest.raises(psycopg.errors.CheckViolation):
        empty.rows("UPDATE event SET title = 'New' WHERE id = %s", event)
    empty.rows("UPDATE event SET time_zone = 'Europe/Vienna' WHERE id = %s", event)


def test_events_with_amounts_that_were_once_allowed_are_named_and_their_rows_stay(
    empty: Scratch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    apply_steps_before("0036", empty, tmp_path)
    event = uuid4()
    empty.rows(PAYMENT, event, uuid4(), UUID(int=1), "captured", "pay-1")
    empty.rows("UPDATE payment SET fee = 'NaN'")
    with caplog.at_level(logging.WARNING):
        apply_steps(empty.url, CAPTURE)
    assert [str(event) in line for line in caplog.messages if "payment_fee_bound" in line] == [True]
    query = "SELECT conname FROM pg_constraint WHERE contype = 'c' AND NOT convalidated"
    assert empty.rows(query) == [("payment_fee_bound",)]


def test_an_event_with_all_at_its_limit_fits_a_record_with_room_to_spare(scratch: Scratch) -> None:
    """In characters that JSON writes with six bytes each. Kafka takes a MiB."""
    event = odd_event(
        scratch, "title = repeat(chr(1), 200), description = repeat(chr(1), 20000), venue = repeat(chr(1), 200)"
    )
    scratch.rows(
        "UPDATE event SET city = repeat(chr(1), 100), organizer_name = repeat(chr(1), 201) WHERE id = %s", event
    )
    scratch.rows("UPDATE event SET tags = array_fill(repeat(chr(1), 50), ARRAY[20]) WHERE id = %s", event)
    scratch.rows(
        "INSERT INTO ticket_type "
        "(id, event_id, name, price, currency, quantity, sale_starts_at, sale_ends_at, position) "
        "SELECT gen_random_uuid(), %s, repeat(chr(1), 200), 9999999999.9999, 'EUR', 10000000, "
        "'2099-12-31', '9998-12-31', number "
        "FROM generate_series(1, 200) AS number",
        event,
    )
    stock = {str(UUID(int=number)): [2**62, 10_000_000, 10_000_000] for number in range(580)}
    scratch.rows("UPDATE event SET stock = %s WHERE id = %s", Jsonb(stock), event)
    [(row, offers, stock_text)] = scratch.rows(
        "SELECT to_jsonb(event) - 'offers' - 'stock', offers::text, stock::text FROM event WHERE id = %s", event
    )
    record = json.dumps(row | {"offers": offers, "stock": stock_text}, ensure_ascii=False).encode()
    assert 400_000 < len(record) < VALUE_MAX_BYTES, len(record)


def test_a_lock_row_that_a_killed_run_left_behind_stops_nobody(scratch: Scratch) -> None:
    scratch.rows("INSERT INTO yoyo_lock (locked, ctime, pid) VALUES (1, now(), 1)")
    assert apply_steps(scratch.url, CAPTURE) == []


def test_a_run_that_waits_too_long_says_so(empty: Scratch) -> None:
    with psycopg.connect(empty.url, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s)", (LOCK_KEY,))
        with pytest.raises(LockTimeout), migration_lock(empty.url, timeout=0.2, interval=0.05):
            pytest.fail("the lock was taken twice")


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_a_database_that_stores_names_as_something_else_is_refused_while_it_is_new(
    empty: Scratch, tmp_path: Path, caplog: pytest.LogCaptureFixture, encoding: str
) -> None:
    name = f"{empty.name}_odd"
    with psycopg.connect(empty.superuser_url, autocommit=True) as connection:
        kind = f"ENCODING '{encoding}' LOCALE_PROVIDER libc LOCALE 'C'"
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 {kind}".encode())
        try:
            url = urlsplit(empty.superuser_url)._replace(path=f"/{name}", query="client_encoding=UTF8").geturl()
            write(tmp_path, "0001_first", "CREATE TABLE first (id int);")
            told = f"is {encoding}: make one with ENCODING 'UTF8'"
            with pytest.raises(WrongEncoding, match=told):
                apply_steps(url, CAPTURE, tmp_path)
            with pytest.MonkeyPatch.context() as patched:
                patched.setattr("migrations.apply._check_encoding", lambda connection: None)
                assert apply_steps(url, CAPTURE, tmp_path) == ["0001_first"]
            assert apply_steps(url, CAPTURE, tmp_path) == []
            assert [told in line for line in caplog.messages if "encoding" in line] == [True]
        finally:
            connection.execute(f"DROP DATABASE {name}".encode())


def test_every_step_can_be_undone(scratch: Scratch) -> None:
    with open_backend(scratch.url, CAPTURE) as backend:
        for migration in backend.to_rollback(read_migrations(str(FOLDER))):
            backend.rollback_one(migration)
    assert not tables(scratch) & TABLES
    assert scratch.rows("SELECT pubname FROM pg_publication") == []


def test_replica_identities_are_as_chosen(scratch: Scratch) -> None:
    query = "SELECT relname, relreplident FROM pg_class WHERE relname = ANY(%s)"
    found = {str(name): identity for name, identity in scratch.rows(query, sorted(TABLES))}
    assert {name for name, identity in found.items() if identity in ("f", b"f")} == {"event"}


def test_a_deletion_tells_the_last_revision_of_an_account(scratch: Scratch) -> None:
    index = "SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = 'account'::regclass AND indisreplident"
    assert scratch.rows(index) == [("account_identity",)]
    columns = "SELECT attname FROM pg_attribute WHERE attrelid = 'account_identity'::regclass ORDER BY attnum"
    assert scratch.rows(columns) == [("id",), ("revision",)]


@pytest.mark.parametrize("table", ["event", "account"])
def test_no_captured_row_goes_by_truncate_which_nobody_would_be_told(scratch: Scratch, table: str) -> None:
    with pytest.raises(psycopg.errors.RaiseException, match=f"TRUNCATE of {table} is not captured: DELETE its rows"):
        scratch.rows(f"TRUNCATE {table} CASCADE")


@pytest.mark.parametrize(
    "allowed",
    [
        "SELECT id, first_name, last_name, email, locale FROM account",
        "SELECT * FROM event",
        "SELECT * FROM event_outbox",
        "INSERT INTO heartbeat VALUES ('x', now()) ON CONFLICT (connector) DO UPDATE SET at = now()",
    ],
)
def test_capture_reads_what_it_publishes(scratch: Scratch, allowed: str) -> None:
    scratch.rows_as_capture(allowed)


@pytest.mark.parametrize(
    "forbidden",
    [
        "SELECT phone FROM account",
        "SELECT birth_date FROM account",
        "SELECT * FROM account",
        "SELECT * FROM ticket_type",
        "SELECT * FROM purchase",
        "DELETE FROM heartbeat",
        "UPDATE event SET title = 'x'",
        "DELETE FROM event_outbox",
        "CREATE TABLE mine (id int)",
    ],
)
def test_capture_does_nothing_else(scratch: Scratch, forbidden: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        scratch.rows_as_capture(forbidden)
