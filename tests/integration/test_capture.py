"""New rows flow through all three connectors, also those written by hand in SQL."""

import json
from typing import Any
from uuid import uuid4

from connect.topics import ACCOUNT_ROWS, EVENT_ROWS, EVENT_STATUS
from tests.eventually import eventually
from tests.pipeline import Pipeline
from tests.unit.upgrades.recording import recordings

ACCOUNT = "INSERT INTO account (id, first_name, last_name, email) VALUES (%s, 'By', 'Hand', %s)"
EVENT = """
INSERT INTO event (id, organizer_id, title, description, status, starts_at, ends_at, time_zone)
VALUES (%s, %s, %s, %s, 'ACTIVE', now() + interval '1 day', now() + interval '2 days', 'Europe/Vienna')
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

    assert {name for name in row if not name.startswith("__")} == {"id", "first_name", "last_name", "email", "locale"}


def test_an_event_row_written_by_hand_flows_and_is_found(pipeline: Pipeline) -> None:
    title = f"Handmade {uuid4().hex[:8]}"
    event = new_event(pipeline, title)

    [row] = eventually(lambda: values(pipeline, EVENT_ROWS, event), within=20, pause=0.3)

    assert (row["title"], row["__op"], row["__deleted"]) == (title, "c", "false")
    assert row["__lsn"] > 0
    eventually(lambda: event in pipeline.found(title), within=20)


def test_a_long_description_stays_when_another_column_changes(pipeline: Pipeline) -> None:
    text = " ".join(uuid4().hex for _ in range(600))
    event = new_event(pipeline, description=text)

    pipeline.rows("UPDATE event SET venue = 'Elsewhere' WHERE id = %s", event)

    rows = eventually(lambda: len(r := values(pipeline, EVENT_ROWS, event)) == 2 and r, within=20, pause=0.3)
    assert (rows[1]["venue"], rows[1]["description"]) == ("Elsewhere", text)


def test_a_deleted_event_is_found_no_more(pipeline: Pipeline) -> None:
    title = f"Gone {uuid4().hex[:8]}"
    event = new_event(pipeline, title)
    eventually(lambda: event in pipeline.found(title), within=20)

    pipeline.rows("DELETE FROM event WHERE id = %s", event)

    eventually(lambda: event not in pipeline.found(title), within=20)
    [*_, last] = values(pipeline, EVENT_ROWS, event)
    assert last["__deleted"] == "true"


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
