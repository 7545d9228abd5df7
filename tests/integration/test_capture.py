"""New rows flow through all three connectors, also those written by hand in SQL."""

import asyncio
import json
import random
from contextlib import closing
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest

from connect.connectors.configuration import connectors
from connect.connectors.rest_client import ConnectClient
from connect.connectors.skipping import find_oversized_change, open_pending_changes, skip_change
from connect.errors import NotSkipped
from connect.polling import Polling
from connect.topics import ACCOUNT_ROWS, EVENT_ROWS, EVENT_STATUS
from streams.search.reindex import reindex
from streams.search.verify import FIX_ROW, differences
from tables.messages.row_changes import AccountRow, decode_row
from tests.eventually import eventually
from tests.pipeline import Pipeline
from tests.unit.upgrades.recording import recordings

BOUNDS = """
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
WHERE conrelid = 'event'::regclass AND conname IN (
    'event_ends_at_bound', 'event_starts_at_bound', 'event_tags_bound', 'event_time_zone_bound'
)
"""
ACCOUNT = "INSERT INTO account (id, first_name, last_name, email) VALUES (%s, 'By', 'Hand', %s)"
EVENT = """
INSERT INTO event (id, organizer_id, title, description, status, starts_at, ends_at, time_zone)
VALUES (%s, %s, %s, %s, 'ACTIVE', now() + interval '1 day', now() + interval '2 days', 'Europe/Vienna')
"""


LARGE = """
UPDATE event SET tags = ARRAY[(SELECT string_agg(gen_random_uuid()::text, ' ') FROM generate_series(1, 60000))]
WHERE id = %s
"""


def values(pipeline: Pipeline, topic: str, key: str) -> list[Any]:
    return [json.loads(one.value) for one in pipeline.records(topic) if one.key == key.encode() and one.value]


def new_event(pipeline: Pipeline, title: str = "By hand", description: str = "", event: str = "") -> str:
    account, event = str(uuid4()), event or str(uuid4())
    pipeline.rows(ACCOUNT, account, f"{uuid4().hex}@hand.example")
    pipeline.rows(EVENT, event, account, title, description)
    return event


def test_an_account_row_flows_with_nothing_but_what_a_mail_needs(pipeline: Pipeline) -> None:
    account = pipeline.account(phone="+43 1 5550199", birthDate="1985-04-12")

    [row] = eventually(lambda: values(pipeline, ACCOUNT_ROWS, account), within=20, pause=0.3)

    columns = {"id", "first_name", "last_name", "email", "locale", "revision"}
    assert {name for name in row if not name.startswith("__")} == columns


def test_an_event_row_written_by_hand_flows_and_is_found(pipeline: Pipeline) -> None:
    title = f"Handmade {uuid4().hex[:8]}"
    event = new_event(pipeline, title)

    [row] = eventually(lambda: values(pipeline, EVENT_ROWS, event), within=20, pause=0.3)

    assert (row["title"], row["__op"], row["__deleted"]) == (title, "c", "false")
    assert row["__lsn"] > 0
    eventually(lambda: event in pipeline.found(title), within=20)


def test_an_outbox_row_of_another_type_passes_by_and_the_next_announcement_arrives(pipeline: Pipeline) -> None:
    pipeline.rows("ALTER TABLE event_outbox DROP CONSTRAINT event_outbox_aggregate_type_bound")
    try:
        for kind in ("other", "a b/c", ""):
            insert = "INSERT INTO event_outbox VALUES (gen_random_uuid(), %s, gen_random_uuid(), 'x', 1, '{}')"
            pipeline.rows(insert, kind)
    finally:
        pipeline.rows("DELETE FROM event_outbox WHERE aggregate_type <> 'event_status'")
        rule = "CHECK (aggregate_type = 'event_status')"
        pipeline.rows(f"ALTER TABLE event_outbox ADD CONSTRAINT event_outbox_aggregate_type_bound {rule}")
    event, _ = pipeline.event(3)
    eventually(lambda: values(pipeline, EVENT_STATUS, event), within=20, pause=0.3)


def test_odd_rows_are_dead_letters_that_name_the_column_and_stop_no_worker(pipeline: Pipeline) -> None:
    """Rows as they were before the bounds; each is followed by a good one that arrives."""
    pids = pipeline.stack.pids
    bounds = pipeline.rows(BOUNDS)
    odd = {
        "ends_at": "ends_at = '9999-12-31T23:59:59.999999Z'",
        "starts_at": "starts_at = '-infinity'",
        "tags": "tags = ARRAY['a', NULL]",
        "time_zone": "time_zone = 'Mars/Phobos'",
    }
    for name, _ in bounds:
        pipeline.rows(f"ALTER TABLE event DROP CONSTRAINT {name}")
    events = {}
    try:
        for column, change in odd.items():
            events[column] = new_event(pipeline, "Odd")
            pipeline.rows(f"UPDATE event SET {change} WHERE id = %s", events[column])  # noqa: S608
            title = f"Good {uuid4().hex[:8]}"
            good = new_event(pipeline, title)
            eventually(lambda title=title, good=good: good in pipeline.found(title), within=20)  # type: ignore[misc]
            assert pipeline.http.get(f"/events/{events[column]}").status_code == httpx.codes.NOT_FOUND
            assert good in [item["id"] for item in pipeline.http.get("/events").json()["items"]]
        said: list[str] = []
        done = asyncio.run(reindex(pipeline.settings, said.append))
        assert done.left_out.keys() == set(events.values())
        wrong = asyncio.run(differences(pipeline.settings, 20))
        assert {key: each.repair for key, each in wrong.items()} == dict.fromkeys(events.values(), FIX_ROW)
    finally:
        pipeline.rows("DELETE FROM event WHERE id = ANY(%s)", list(events.values()))
        for name, rule in bounds:
            pipeline.rows(f"ALTER TABLE event ADD CONSTRAINT {name} {rule}")

    def told() -> dict[str, str]:
        letters = {one.key: dict(one.headers)["dlq-error"].decode() for one in pipeline.dead_letters("indexer")}
        return {column: letters.get(event.encode(), "") for column, event in events.items()}

    eventually(lambda: all(column in text for column, text in told().items()), within=20, pause=0.3)
    assert {name: pid for name, pid in pipeline.stack.pids.items() if name in pids} == pids


def test_a_connector_gets_past_odd_rows_that_are_too_large_for_a_record_and_loses_no_other(pipeline: Pipeline) -> None:
    [bound] = [rule for name, rule in pipeline.rows(BOUNDS) if name == "event_tags_bound"]
    connector = next(it for it in connectors(pipeline.settings) if it.name == "turnstile-event")
    titles = [f"{place} {uuid4().hex[:8]}" for place in ("Before", "Too large", "Behind", "Later")]
    pipeline.rows("ALTER TABLE event DROP CONSTRAINT event_tags_bound")
    with closing(ConnectClient(pipeline.settings.connect_url)) as worker:
        with pytest.raises(NotSkipped, match="has not failed"):
            find_oversized_change(worker, connector, lambda _: iter(()))
        large = one_transaction(pipeline, titles[:3])
        # The tag, stored out of line, is not in the log a second time, but the record of this change has it, too.
        pipeline.rows("UPDATE event SET venue = 'Elsewhere' WHERE id = %s", large)
        later = new_event(pipeline, titles[3])
        for _ in range(2):
            eventually(lambda: worker.state(connector.name).failed, within=60)
            with open_pending_changes(pipeline.settings) as waiting:
                found = find_oversized_change(worker, connector, waiting)
            assert (found.change.table, found.change.key) == ("public.event", large)
            skip_change(worker, connector, found.change, Polling(60))
            eventually(lambda: not worker.state(connector.name).failed, within=30)
        eventually(lambda: later in pipeline.found(titles[3]), within=60)
    # The one that became too large is found as it was before that.
    assert [bool(pipeline.found(title)) for title in titles] == [True, True, True, True]
    mended = f"Mended {uuid4().hex[:8]}"
    pipeline.rows("UPDATE event SET tags = '{}', title = %s WHERE id = %s", mended, large)
    pipeline.rows(f"ALTER TABLE event ADD CONSTRAINT event_tags_bound {bound}")
    eventually(lambda: large in pipeline.found(mended), within=30)


def one_transaction(pipeline: Pipeline, titles: list[str]) -> str:
    """Three events, of which the second is too large; its id."""
    account, ids = str(uuid4()), [str(uuid4()) for _ in titles]
    pipeline.rows(ACCOUNT, account, f"{uuid4().hex}@hand.example")
    with psycopg.connect(pipeline.stack.environment["TURNSTILE_DATABASE_URL"]) as connection:
        for number, (event, title) in enumerate(zip(ids, titles, strict=True)):
            connection.execute(EVENT, (event, account, title, ""))
            if number == 1:
                # Words of their own: what can be packed would fit.
                connection.execute(LARGE, (event,))
    return ids[1]


def test_a_long_description_stays_when_another_column_changes(pipeline: Pipeline) -> None:
    text = " ".join(uuid4().hex for _ in range(600))
    event = new_event(pipeline, description=text)

    pipeline.rows("UPDATE event SET venue = 'Elsewhere' WHERE id = %s", event)

    rows = eventually(lambda: len(r := values(pipeline, EVENT_ROWS, event)) == 2 and r, within=20, pause=0.3)
    assert (rows[1]["venue"], rows[1]["description"]) == ("Elsewhere", text)


def test_a_long_address_stays_when_another_column_changes(pipeline: Pipeline) -> None:
    """All columns at their limit, in characters of four bytes that can't be packed."""
    chosen = random.Random(1)
    first, last, address = ("".join(chr(chosen.randrange(0x20000, 0x2A000)) for _ in range(n)) for n in (100, 100, 249))
    account, email = str(uuid4()), f"{address}@a.at"
    insert = "INSERT INTO account (id, first_name, last_name, email, phone) VALUES (%s, %s, %s, %s, %s)"
    pipeline.rows(insert, account, first, last, email, "1" * 32)

    pipeline.rows("UPDATE account SET locale = 'de' WHERE id = %s", account)

    rows = eventually(lambda: len(r := values(pipeline, ACCOUNT_ROWS, account)) == 2 and r, within=20, pause=0.3)
    assert [(row["locale"], row["email"]) for row in rows] == [("en", email), ("de", email)]


def test_a_column_that_an_operator_adds_is_not_captured_and_spoils_no_row(pipeline: Pipeline) -> None:
    """JSON has no NaN: a record with one can't be read at all."""
    event = new_event(pipeline)
    pipeline.rows("ALTER TABLE event ADD COLUMN rating double precision")
    try:
        title = f"Rated {uuid4().hex[:8]}"
        pipeline.rows("UPDATE event SET rating = 'NaN', title = %s WHERE id = %s", title, event)
        eventually(lambda: event in pipeline.found(title), within=20)
    finally:
        pipeline.rows("ALTER TABLE event DROP COLUMN rating")


def test_a_message_in_the_log_stops_no_connector(pipeline: Pipeline) -> None:
    """Whoever may connect may write one; its topic is not there."""
    for transactional in ("true", "false"):
        pipeline.rows(f"SELECT pg_logical_emit_message({transactional}, 'anybody', 'anything')")
        event, _ = pipeline.event(3)
        row = pipeline.http.get(f"/events/{event}").json()
        for topic, key in ((EVENT_ROWS, event), (ACCOUNT_ROWS, row["organizerId"]), (EVENT_STATUS, event)):
            eventually(lambda topic=topic, key=key: values(pipeline, topic, key), within=20, pause=0.3)  # type: ignore[misc]


def test_a_deleted_event_is_found_no_more(pipeline: Pipeline) -> None:
    title = f"Gone {uuid4().hex[:8]}"
    event = new_event(pipeline, title)
    eventually(lambda: event in pipeline.found(title), within=20)

    pipeline.rows("DELETE FROM event WHERE id = %s", event)

    eventually(lambda: event not in pipeline.found(title), within=20)
    [*_, last] = values(pipeline, EVENT_ROWS, event)
    assert last["__deleted"] == "true"


def test_a_deleted_account_is_later_than_its_last_state_wherever_the_log_is(pipeline: Pipeline) -> None:
    """After a restore to a server whose positions begin anew, a row's revision is above them."""
    account = str(uuid4())
    [(ahead,)] = pipeline.rows("SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint + (64 << 20)")
    pipeline.rows("ALTER TABLE account DISABLE TRIGGER revision_is_raised")
    try:
        insert = "INSERT INTO account (id, first_name, last_name, email, revision) VALUES (%s, 'By', 'Hand', %s, %s)"
        pipeline.rows(insert, account, f"{uuid4().hex}@hand.example", ahead)
    finally:
        pipeline.rows("ALTER TABLE account ENABLE TRIGGER revision_is_raised")
    pipeline.rows("UPDATE account SET locale = 'de' WHERE id = %s", account)
    pipeline.rows("DELETE FROM account WHERE id = %s", account)

    sent = eventually(lambda: len(r := values(pipeline, ACCOUNT_ROWS, account)) == 3 and r, within=20, pause=0.3)

    rows = [decode_row(json.dumps(value).encode(), AccountRow) for value in sent]
    assert [(row.is_delete, row.version) for row in rows] == [(False, ahead), (False, ahead + 1), (True, ahead + 2)]
    assert (sent[-1]["first_name"], sent[-1]["email"]) == ("", "")


def test_an_outbox_row_flows_with_the_whole_definition(pipeline: Pipeline) -> None:
    event, [kind] = pipeline.event(7)

    rows = eventually(lambda: len(r := values(pipeline, EVENT_STATUS, event)) == 2 and r, within=20, pause=0.3)

    assert [row["version"] for row in rows] == [1, 2]
    [ticket] = rows[1]["definition"]["ticketTypes"]
    assert (ticket["id"], ticket["quantity"], ticket["price"]) == (kind, 7, "10.50")
    own = [dict(one.headers) for one in pipeline.records(EVENT_STATUS) if one.key == event.encode()]
    assert len({headers["id"] for headers in own}) == 2


def test_rows_look_as_they_were_recorded(pipeline: Pipeline) -> None:
    """What upgrades are tried with is what the connectors really send."""
    event, account = pipeline.new_event(), pipeline.account()
    recorded = {topic: json.loads(value) for topic, value in recordings()[-1].messages()}
    for topic, key in ((EVENT_ROWS, event), (ACCOUNT_ROWS, account)):
        sent = eventually(lambda topic=topic, key=key: values(pipeline, topic, key), within=20, pause=0.3)  # type: ignore[misc]
        assert sent[0].keys() == recorded[topic].keys()
        kinds = {name: type(value) for name, value in sent[0].items() if value is not None}
        assert {name: type(recorded[topic][name]) for name in kinds if recorded[topic][name] is not None} == {
            name: kind for name, kind in kinds.items() if recorded[topic][name] is not None
        }
