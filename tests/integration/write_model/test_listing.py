"""The row of an event tells all that a search shows of it, whoever writes, in whatever order."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from tests.eventually import eventually
from tests.integration.write_model.conftest import Scratch

ACCOUNT = "INSERT INTO account (id, first_name, last_name, email) VALUES (%s, 'Ada', 'Byron', %s)"
EVENT = """
INSERT INTO event (id, organizer_id, title, starts_at, ends_at, time_zone)
VALUES (%s, %s, 'Night', now(), now() + interval '1 hour', 'UTC')
"""
TYPE = """
INSERT INTO ticket_type (id, event_id, name, price, currency, quantity, position)
VALUES (%s, %s, %s, 12.50, 'EUR', 10, %s)
"""


@pytest.fixture
def account(scratch: Scratch) -> UUID:
    account = uuid4()
    scratch.rows(ACCOUNT, account, f"{account}@buyer.example")
    return account


@pytest.fixture
def event(scratch: Scratch, account: UUID) -> UUID:
    event = uuid4()
    scratch.rows(EVENT, event, account)
    return event


def offers(scratch: Scratch, event: UUID) -> list[dict[str, Any]]:
    [(found,)] = scratch.rows("SELECT offers FROM event WHERE id = %s", event)
    return list(found)


def organizer(scratch: Scratch, event: UUID) -> str:
    [(name,)] = scratch.rows("SELECT organizer_name FROM event WHERE id = %s", event)
    return str(name)


def wait_for_a_lock(scratch: Scratch) -> None:
    query = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    eventually(lambda: scratch.rows(query), within=10)


def test_ticket_types_stand_in_the_row_in_their_order_as_they_are_now(scratch: Scratch, event: UUID) -> None:
    late, early = uuid4(), uuid4()
    scratch.rows(TYPE, late, event, "Late", 2)
    scratch.rows(TYPE, early, event, "Early", 1)
    scratch.rows("UPDATE ticket_type SET quantity = 7 WHERE id = %s", late)

    whole = {"currency": "EUR", "price": "12.50"}
    assert offers(scratch, event) == [
        {"id": str(early), "name": "Early", "quantity": 10, **whole},
        {"id": str(late), "name": "Late", "quantity": 7, **whole},
    ]
    scratch.rows("DELETE FROM ticket_type WHERE id = %s", early)
    assert [each["name"] for each in offers(scratch, event)] == ["Late"]


def test_a_ticket_type_that_moves_leaves_one_event_for_the_other(scratch: Scratch, event: UUID, account: UUID) -> None:
    other, kind = uuid4(), uuid4()
    scratch.rows(EVENT, other, account)
    scratch.rows(TYPE, kind, event, "Stalls", 0)
    scratch.rows("UPDATE ticket_type SET event_id = %s WHERE id = %s", other, kind)
    assert (offers(scratch, event), [each["name"] for each in offers(scratch, other)]) == ([], ["Stalls"])


def test_two_who_add_types_at_the_same_time_both_stand_in_the_row(scratch: Scratch, event: UUID) -> None:
    with psycopg.connect(scratch.url) as first, ThreadPoolExecutor(1) as pool:
        first.execute(TYPE.encode(), (uuid4(), event, "First", 0))
        first.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what the commit would do
        second = pool.submit(scratch.rows, TYPE, uuid4(), event, "Second", 1)
        wait_for_a_lock(scratch)
        first.commit()
        second.result(10)
    assert [each["name"] for each in offers(scratch, event)] == ["First", "Second"]


def test_an_event_with_many_types_is_written_once_more_and_not_once_for_each(scratch: Scratch, account: UUID) -> None:
    event = uuid4()
    with psycopg.connect(scratch.url) as connection:
        connection.execute(EVENT.encode(), (event, account))
        for number in range(20):
            connection.execute(TYPE.encode(), (uuid4(), event, f"Block {number}", number))
    assert len(offers(scratch, event)) == 20
    query = "SELECT n_tup_upd FROM pg_stat_user_tables WHERE relname = 'event'"
    eventually(lambda: scratch.rows(query) == [(1,)], within=10)


def test_an_event_knows_its_organizers_name_and_learns_a_new_one(scratch: Scratch, event: UUID, account: UUID) -> None:
    assert organizer(scratch, event) == "Ada Byron"
    scratch.rows("UPDATE account SET last_name = 'Lovelace' WHERE id = %s", account)
    assert organizer(scratch, event) == "Ada Lovelace"
    other = uuid4()
    scratch.rows(ACCOUNT, other, f"{other}@buyer.example")
    scratch.rows("UPDATE event SET organizer_id = %s WHERE id = %s", other, event)
    assert organizer(scratch, event) == "Ada Byron"


def test_an_event_made_while_its_organizer_is_renamed_gets_the_new_name(scratch: Scratch, account: UUID) -> None:
    event = uuid4()
    with psycopg.connect(scratch.url) as renaming, ThreadPoolExecutor(1) as pool:
        renaming.execute("UPDATE account SET last_name = 'Lovelace' WHERE id = %s", (account,))
        made = pool.submit(scratch.rows, EVENT, event, account)
        wait_for_a_lock(scratch)
        renaming.commit()
        made.result(10)
    assert organizer(scratch, event) == "Ada Lovelace"


def test_an_organizer_renamed_while_an_event_is_made_renames_it_too(scratch: Scratch, account: UUID) -> None:
    event = uuid4()
    with psycopg.connect(scratch.url) as making, ThreadPoolExecutor(1) as pool:
        making.execute(EVENT.encode(), (event, account))
        renamed = pool.submit(scratch.rows, "UPDATE account SET last_name = 'Lovelace' WHERE id = %s", account)
        wait_for_a_lock(scratch)
        making.commit()
        renamed.result(10)
    assert organizer(scratch, event) == "Ada Lovelace"


def test_an_event_is_deleted_with_its_types(scratch: Scratch, event: UUID) -> None:
    scratch.rows(TYPE, uuid4(), event, "Stalls", 0)
    scratch.rows("DELETE FROM event WHERE id = %s", event)
    assert scratch.rows("SELECT count(*) FROM event") == [(0,)]


def test_sale_periods_stand_in_the_row_in_milliseconds(scratch: Scratch, event: UUID) -> None:
    kind = uuid4()
    scratch.rows(TYPE, kind, event, "Stalls", 0)
    scratch.rows("UPDATE ticket_type SET sale_starts_at = '2030-01-01 00:00:00.5Z' WHERE id = %s", kind)
    [offer] = offers(scratch, event)
    assert (offer["sale_starts_ms"], "sale_ends_ms" in offer) == (1_893_456_000_500, False)
