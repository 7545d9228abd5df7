"""A replication slot is dropped: that is noticed and named, and a new snapshot and index repair it."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from threading import Event, Thread
from time import sleep
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest

from connect.connectors.configuration import connectors
from connect.connectors.probe import open_probe
from connect.connectors.rest_client import ConnectClient
from connect.connectors.resync import resync
from connect.connectors.slots import check_slots
from connect.errors import SlotLost
from connect.topics import EVENT_ROWS
from stack.postgres import SUPERUSER, Postgres
from streams.search.reindex import reindex
from streams.search.verify import differences
from tests.eventually import eventually
from tests.integration.test_capture import new_event, values
from tests.pipeline import Pipeline

NAME, SLOT = "turnstile-event", "turnstile_event"
SLOT_IS_MADE = "SELECT confirmed_flush_lsn IS NOT NULL FROM pg_replication_slots WHERE slot_name = %s"


def check(pipeline: Pipeline) -> None:
    worker = ConnectClient(pipeline.settings.connect_url)
    try:
        with open_probe(pipeline.settings) as (database, _):
            check_slots(database, worker, connectors(pipeline.settings))
    finally:
        worker.close()


def drop(pipeline: Pipeline) -> None:
    """Drop the slot as soon as nobody reads it."""
    server = Postgres(pipeline.stack.settings)
    with psycopg.connect(server.url(SUPERUSER, "turnstile"), autocommit=True) as connection:

        def dropped() -> bool:
            query = "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = %s"
            try:
                return connection.execute(query, (SLOT,)).rowcount == 1
            except psycopg.errors.ObjectInUse:
                return False

        eventually(dropped, within=20)


@contextmanager
def stopped(pipeline: Pipeline) -> Iterator[None]:
    address = f"{pipeline.settings.connect_url}/connectors/{NAME}"
    httpx.put(f"{address}/stop", trust_env=False).raise_for_status()
    yield
    httpx.put(f"{address}/resume", trust_env=False).raise_for_status()


def test_a_dropped_slot_is_named_and_repaired(pipeline: Pipeline) -> None:
    before, after = f"Before {uuid4().hex[:8]}", f"After {uuid4().hex[:8]}"
    changed, deleted = new_event(pipeline, before), new_event(pipeline, before)
    eventually(lambda: {changed, deleted} <= set(pipeline.found(before)), within=20)
    check(pipeline)
    with stopped(pipeline):
        drop(pipeline)
        pipeline.rows("UPDATE event SET title = %s WHERE id = %s", after, changed)
        pipeline.rows("DELETE FROM event WHERE id = %s", deleted)

    with pytest.raises(SlotLost, match=f"{NAME}: replication slot {SLOT} is gone"):
        check(pipeline)

    assert resync(pipeline.settings) == [NAME]
    eventually(lambda: changed in pipeline.found(after), within=30)
    assert differences_of(pipeline) == {deleted: "is found, though PostgreSQL has no such event"}
    asyncio.run(reindex(pipeline.settings, lambda _: None))
    assert differences_of(pipeline) == {}
    check(pipeline)


def test_a_change_that_goes_on_across_the_moment_of_the_snapshot_is_not_lost(pipeline: Pipeline) -> None:
    """PostgreSQL makes a slot in steps, each of which waits for the transactions that are open at its beginning.

    A change that was made before the last step and committed after it is not in the snapshot.
    """
    title = f"Across {uuid4().hex[:8]}"
    event = event_before_a_lost_slot(pipeline, title)
    first = opened(pipeline)
    made: list[list[str]] = []
    starting_over = Thread(target=lambda: made.append(resync(pipeline.settings)))
    starting_over.start()
    eventually(lambda: waits_for(pipeline, first), within=60)
    second = opened(pipeline)
    first.commit()
    eventually(lambda: waits_for(pipeline, second), within=20)
    change, slot_is_made = opened(pipeline), Event()

    def go_on() -> None:
        change.execute("UPDATE event SET title = %s WHERE id = %s", (f"After {title}", event))
        slot_is_made.wait(60)
        change.commit()

    going_on = Thread(target=go_on)
    going_on.start()
    sleep(1)  # so that it is before the last step, unless it has to wait
    second.commit()
    eventually(lambda: pipeline.rows(SLOT_IS_MADE, SLOT) == [(True,)], within=20)
    slot_is_made.set()
    for thread in (going_on, starting_over):
        thread.join(90)
    assert made == [[NAME]]
    for connection in (first, second, change):
        connection.close()
    eventually(lambda: event in pipeline.found(f"After {title}"), within=20)
    assert differences_of(pipeline) == {}


def test_a_snapshot_that_kafka_connect_takes_by_itself_loses_no_change(pipeline: Pipeline) -> None:
    """As after it was killed during one: the slot is there, the offsets are not, and nobody waits."""
    title = f"Again {uuid4().hex[:8]}"
    event, *busy = (new_event(pipeline, f"Before {title}") for _ in range(9))
    eventually(lambda: {event, *busy} <= set(pipeline.found(title)), within=20)
    done, change = Event(), opened(pipeline)

    def write() -> None:
        number = 0
        while not done.is_set():
            number += 1
            pipeline.rows("UPDATE event SET title = %s WHERE id = %s", f"{number} {title}", busy[number % len(busy)])

    writer = Thread(target=write)
    writer.start()
    try:
        with stopped(pipeline), closing(ConnectClient(pipeline.settings.connect_url)) as worker:
            eventually(lambda: worker.delete_offsets(NAME), within=20)
            change.execute("UPDATE event SET title = %s WHERE id = %s", (f"After {title}", event))
        eventually(lambda: "r" in [each["__op"] for each in values(pipeline, EVENT_ROWS, event)], within=60)
        change.commit()
        eventually(lambda: event in pipeline.found(f"After {title}"), within=20)
    finally:
        done.set()
        writer.join()
        change.close()
    assert differences_of(pipeline) == {}


def test_a_writer_that_locks_its_row_first_does_not_hold_up_the_slot(pipeline: Pipeline) -> None:
    """SELECT … FOR UPDATE takes a transaction id, for whose end the slot would wait, and the UPDATE for the slot."""
    title = f"Locked {uuid4().hex[:8]}"
    event = event_before_a_lost_slot(pipeline, title)
    first = opened(pipeline)
    with ThreadPoolExecutor() as threads:
        made = threads.submit(resync, pipeline.settings)
        eventually(lambda: waits_for(pipeline, first), within=60)
        changed = threads.submit(change_locked, pipeline, event, f"After {title}")
        sleep(1)  # so that it has its row's lock, unless it has to wait
        first.commit()
        assert made.result(60) == [NAME]
        changed.result(20)
    first.close()
    eventually(lambda: event in pipeline.found(f"After {title}"), within=20)
    assert differences_of(pipeline) == {}


def event_before_a_lost_slot(pipeline: Pipeline, title: str) -> str:
    """An event that is found by this title, and whose connector has lost its slot since."""
    event = new_event(pipeline, f"Before {title}")
    eventually(lambda: event in pipeline.found(title), within=20)
    with stopped(pipeline):
        drop(pipeline)
    return event


def change_locked(pipeline: Pipeline, event: str, title: str) -> None:
    """Change an event as the API does."""
    with psycopg.connect(pipeline.stack.environment["TURNSTILE_DATABASE_URL"]) as connection:
        connection.execute("SELECT 1 FROM event WHERE id = %s FOR UPDATE", (event,))
        connection.execute("UPDATE event SET title = %s WHERE id = %s", (title, event))


def opened(pipeline: Pipeline) -> psycopg.Connection[Any]:
    """A connection with a transaction that has an id."""
    connection = psycopg.connect(pipeline.stack.environment["TURNSTILE_DATABASE_URL"])
    connection.execute("SELECT pg_current_xact_id()")
    return connection


def waits_for(pipeline: Pipeline, connection: psycopg.Connection[Any]) -> bool:
    """Whether somebody waits for the end of the connection's transaction."""
    query = "SELECT 1 FROM pg_locks AS held JOIN pg_locks AS wanted USING (locktype, transactionid)"
    more = "WHERE locktype = 'transactionid' AND held.granted AND held.pid = %s AND NOT wanted.granted"
    return bool(pipeline.rows(f"{query} {more}", connection.info.backend_pid))


def differences_of(pipeline: Pipeline) -> dict[str, str]:
    return {key: each.text for key, each in asyncio.run(differences(pipeline.settings, 10)).items()}
