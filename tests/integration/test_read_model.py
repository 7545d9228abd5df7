"""The search index equals PostgreSQL, whatever is repeated, reordered, lost or built anew."""

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest
from elasticsearch import Elasticsearch

from connect.partitioning import partition_of
from connect.topics import EVENT_ROWS, RECORD_MAX_BYTES
from streams.search.reindex import AlreadyRunning, reindex
from streams.search.verify import differences
from tests.eventually import eventually
from tests.integration.test_capture import new_event
from tests.pipeline import PARTITIONS, Pipeline

ALIAS = "events"
Json = dict[str, Any]


@pytest.fixture
def elasticsearch(pipeline: Pipeline) -> Iterator[Elasticsearch]:
    client = Elasticsearch(pipeline.elasticsearch)
    yield client
    client.close()


def rebuild(pipeline: Pipeline) -> list[str]:
    said: list[str] = []
    asyncio.run(reindex(pipeline.settings, said.append))
    return said


def wrong(pipeline: Pipeline, within: float = 20) -> dict[str, str]:
    return {key: each.text for key, each in asyncio.run(differences(pipeline.settings, within)).items()}


def search(pipeline: Pipeline, **parameters: Any) -> Json:
    answer = pipeline.http.get("/events/search", params=parameters)
    assert answer.status_code == httpx.codes.OK, answer.text
    found: Json = answer.json()
    return found


def changes(pipeline: Pipeline, event: str) -> list[Any]:
    return [one for one in pipeline.records(EVENT_ROWS) if one.key == event.encode() and one.value]


def produce(pipeline: Pipeline, event: str, value: bytes) -> None:
    home = partition_of(event.encode(), PARTITIONS)
    pipeline.producer.send(EVENT_ROWS, key=event.encode(), value=value, partition=home).get(30)


def caught_up(pipeline: Pipeline) -> None:
    """The indexer has read all that the topic holds: in each partition an event made now is found."""
    title = f"Marker {uuid4().hex}"
    made = [new_event(pipeline, title, event=at_home_in(partition)) for partition in range(PARTITIONS)]
    eventually(lambda: set(pipeline.found(title)) >= set(made), within=30)


def at_home_in(partition: int) -> str:
    """An id whose records go to the partition."""
    return next(
        event for event in iter(lambda: str(uuid4()), "") if partition_of(event.encode(), PARTITIONS) == partition
    )


def test_an_event_is_found_with_all_that_a_search_shows(pipeline: Pipeline) -> None:
    title = f"Soirée {uuid4().hex[:8]}"
    event = pipeline.new_event(title=title, tags=["Jazz"], city="Köln", latitude=50.94, longitude=6.96)
    kind = pipeline.ticket_type(event, 20)

    def shown() -> Json | None:
        items = search(pipeline, q=title.upper().replace("É", "E"), city="KOLN")["items"]
        return items[0] if items and items[0].get("ticketTypes") else None

    item = eventually(shown, within=20)
    assert item["title"] == title
    assert item["organizer"] == "Ada Byron"
    assert item["priceFrom"] == {"amount": "10.50", "currency": "EUR"}
    assert item["availability"] == "available"
    assert item["ticketTypes"] == [
        {
            "id": kind,
            "name": "Standing",
            "price": {"amount": "10.50", "currency": "EUR"},
            "quantity": 20,
            "available": 20,
        }
    ]
    assert item["startsLocal"][:10] <= item["endsLocal"][:10]
    assert item["highlights"]["title"].startswith("<em>Soirée</em>")


def test_what_is_left_follows_what_is_sold(pipeline: Pipeline) -> None:
    event, [kind] = pipeline.event(4)
    title = pipeline.title(event)
    assert pipeline.buy(event, kind, 3, pipeline.account()).status_code == httpx.codes.CREATED

    def left() -> tuple[int, str] | None:
        items = [each for each in search(pipeline, q=title)["items"] if each["id"] == event]
        return (items[0]["ticketTypes"][0]["available"], items[0]["availability"]) if items else None

    eventually(lambda: left() == (1, "available"), within=20)
    assert pipeline.buy(event, kind, 1, pipeline.account()).status_code == httpx.codes.CREATED
    eventually(lambda: left() == (0, "sold_out"), within=20)
    assert event not in [each["id"] for each in search(pipeline, q=title, availability="available")["items"]]


def test_availability_knows_the_capacity_and_when_the_sale_begins(pipeline: Pipeline) -> None:
    event, [kind, _] = pipeline.event(3, 3, capacity=2)
    assert pipeline.buy(event, kind, 2, pipeline.account()).status_code == httpx.codes.CREATED
    early = pipeline.new_event()
    pipeline.ticket_type(early, 3, saleStartsAt=(datetime.now(UTC) + timedelta(days=1)).isoformat())

    def found(event: str, word: str) -> bool:
        page = search(pipeline, q=pipeline.title(event), availability=word)
        is_counted = page["facets"]["availability"] == [{"value": word, "count": 1}]
        return is_counted and [item["availability"] for item in page["items"]] == [word]

    eventually(lambda: found(event, "sold_out"), within=20)
    eventually(lambda: found(early, "not_on_sale_yet"), within=20)


def test_a_draft_is_never_found(pipeline: Pipeline) -> None:
    title = f"Secret {uuid4().hex[:8]}"
    draft = pipeline.new_event(title=title, status="DRAFT")
    caught_up(pipeline)
    assert draft not in pipeline.found(title)
    suggested = pipeline.http.get("/events/suggest", params={"q": title}).json()["items"]
    assert draft not in [each.get("id") for each in suggested]


def test_changes_that_come_again_or_out_of_order_leave_the_index_right(pipeline: Pipeline) -> None:
    first, second = f"First {uuid4().hex[:8]}", f"Second {uuid4().hex[:8]}"
    event = new_event(pipeline, first)
    pipeline.rows("UPDATE event SET title = %s WHERE id = %s", second, event)
    older, newer = eventually(lambda: len(found := changes(pipeline, event)) == 2 and found, within=20, pause=0.3)

    for value in (newer.value, older.value, older.value):
        produce(pipeline, event, value)
    caught_up(pipeline)

    assert event in pipeline.found(second)
    assert event not in pipeline.found(first)


def test_a_late_update_does_not_bring_a_deleted_event_back(pipeline: Pipeline) -> None:
    title = f"Ghost {uuid4().hex[:8]}"
    event = new_event(pipeline, title)
    [made] = eventually(lambda: changes(pipeline, event), within=20, pause=0.3)
    pipeline.rows("DELETE FROM event WHERE id = %s", event)
    eventually(lambda: len(changes(pipeline, event)) == 2, within=20, pause=0.3)

    produce(pipeline, event, made.value)
    caught_up(pipeline)

    assert event not in pipeline.found(title)


def test_everything_that_the_topic_ever_held_may_come_again(pipeline: Pipeline) -> None:
    for record in list(pipeline.records(EVENT_ROWS)):
        # One that came packed may be larger than a producer sends.
        if record.value and len(record.key or b"") + len(record.value) < RECORD_MAX_BYTES // 2:
            pipeline.producer.send(EVENT_ROWS, key=record.key, value=record.value, partition=record.partition)
    pipeline.producer.flush()
    caught_up(pipeline)
    assert wrong(pipeline) == {}


def test_a_record_that_cannot_be_indexed_is_a_dead_letter_and_holds_up_no_other(pipeline: Pipeline) -> None:
    event = str(uuid4())
    # Below the place that the index was built from nothing is looked at.
    [(position,)] = pipeline.rows("SELECT (pg_current_wal_lsn() - '0/0')::bigint")
    poison = {"id": event, "title": "x", "time_zone": "Mars/Olympus", "status": "ACTIVE", "__lsn": position}
    produce(pipeline, event, json.dumps(poison).encode())
    caught_up(pipeline)

    def letters() -> list[bytes]:
        return [dict(one.headers)["dlq-error"] for one in pipeline.dead_letters("indexer") if one.key == event.encode()]

    eventually(lambda: len(letters()) >= 1, within=20, pause=0.3)
    assert [b"time_zone" in error for error in letters()] == [True]


def test_the_verifier_names_what_differs(pipeline: Pipeline, elasticsearch: Elasticsearch) -> None:
    changed, gone = new_event(pipeline, "Changed behind our back"), new_event(pipeline, "Gone behind our back")
    caught_up(pipeline)
    assert wrong(pipeline) == {}
    ghost = str(UUID(int=0))
    source = elasticsearch.get(index=ALIAS, id=changed)["_source"]
    elasticsearch.index(index=ALIAS, id=ghost, document=source | {"id": ghost})
    elasticsearch.index(index=ALIAS, id=changed, document=source | {"city": "Elsewhere"})
    elasticsearch.delete(index=ALIAS, id=gone)
    elasticsearch.indices.refresh(index=ALIAS)

    assert wrong(pipeline, within=0) == {
        changed: "differs in city",
        gone: "is missing",
        ghost: "is found, though PostgreSQL has no such event",
    }
    rebuild(pipeline)
    assert wrong(pipeline) == {}


def test_a_lost_index_is_built_anew_while_changes_go_on_and_lacks_nothing(
    pipeline: Pipeline, elasticsearch: Elasticsearch
) -> None:
    kept, deleted = new_event(pipeline, "Kept"), new_event(pipeline, "Deleted")
    caught_up(pipeline)
    [before] = elasticsearch.indices.get_alias(name=ALIAS)
    elasticsearch.indices.delete(index=before)
    done = threading.Event()

    def write() -> None:
        number = 0
        while not done.is_set():
            number += 1
            new_event(pipeline, f"Meanwhile {number}")
            pipeline.rows("UPDATE event SET title = %s WHERE id = %s", f"Kept {number}", kept)
            time.sleep(0.02)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        caught_up(pipeline)
        pipeline.rows("DELETE FROM event WHERE id = %s", deleted)
        said = rebuild(pipeline)
        rebuild(pipeline)
    finally:
        done.set()
        writer.join()

    assert "is in use" in said[-1]
    assert wrong(pipeline) == {}
    [after] = elasticsearch.indices.get_alias(name=ALIAS)
    assert list(elasticsearch.indices.get(index=f"{ALIAS}-*")) == [after]
    assert elasticsearch.indices.get_mapping(index=ALIAS)[after]["mappings"]["dynamic"] == "strict"


def test_a_transaction_that_was_open_before_the_build_is_waited_for(pipeline: Pipeline) -> None:
    event = new_event(pipeline, "Before")
    caught_up(pipeline)
    building = threading.Thread(target=rebuild, args=(pipeline,))
    with psycopg.connect(pipeline.stack.environment["TURNSTILE_DATABASE_URL"]) as writing:
        writing.execute("UPDATE event SET title = 'After' WHERE id = %s", (event,))
        building.start()
        building.join(1)
        assert building.is_alive()
    building.join(30)
    assert not building.is_alive()
    assert wrong(pipeline) == {}


def test_an_index_is_built_by_one_at_a_time(pipeline: Pipeline) -> None:
    with psycopg.connect(pipeline.stack.environment["TURNSTILE_DATABASE_URL"]) as other:
        other.execute("SELECT pg_advisory_lock(%s)", (0x7475726E0002,))
        with pytest.raises(AlreadyRunning):
            rebuild(pipeline)


def test_pages_follow_each_other_without_repeat_or_gap(pipeline: Pipeline) -> None:
    word = f"paged{uuid4().hex[:8]}"
    made = {new_event(pipeline, f"{word} {number % 3}") for number in range(12)}
    eventually(lambda: len(pipeline.found(word)) == 12, within=20)
    for sort in ("relevance", "date", "-date"):
        seen: list[str] = []
        page = search(pipeline, q=word, limit=5, sort=sort)
        assert page["total"] == 12
        while True:
            seen += [item["id"] for item in page["items"]]
            if "next" not in page:
                break
            page = search(pipeline, q=word, limit=5, sort=sort, cursor=page["next"])
        assert sorted(seen) == sorted(made)


def test_a_page_follows_the_one_before_though_others_changed_the_index_meanwhile(pipeline: Pipeline) -> None:
    word, other = f"paged{uuid4().hex[:8]}", f"other{uuid4().hex[:8]}"
    made = {new_event(pipeline, f"{word} {number}") for number in range(6)}
    eventually(lambda: len(pipeline.found(word)) == 6, within=20)
    page = search(pipeline, q=word, limit=2)
    seen = [item["id"] for item in page["items"]]

    # They make the word rarer, which must not raise the scores of the events that are still to come.
    others = {new_event(pipeline, f"{other} {number}") for number in range(20)}
    eventually(lambda: set(pipeline.found(other)) >= others, within=20)
    page = search(pipeline, q=word, limit=2, cursor=page["next"])
    seen += [item["id"] for item in page["items"]]
    # And more frequent, without being found.
    for number in range(20):
        pipeline.new_event(title=f"{word} {number}", status="DRAFT")
    last = new_event(pipeline, other := f"last{uuid4().hex[:8]}")
    eventually(lambda: pipeline.found(other) == [last], within=20)
    page = search(pipeline, q=word, limit=2, cursor=page["next"])
    seen += [item["id"] for item in page["items"]]

    assert sorted(seen) == sorted(made)
    assert "next" not in page


def test_filters_facets_and_orders_agree(pipeline: Pipeline) -> None:
    word = f"facet{uuid4().hex[:8]}"
    graz = pipeline.new_event(title=f"{word} one", city="Graz", tags=["Jazz"], latitude=47.07, longitude=15.44)
    wien = pipeline.new_event(title=f"{word} two", city="Wien", tags=["Jazz", "Brass"], latitude=48.21, longitude=16.37)
    pipeline.ticket_type(graz, 5, price={"amount": "30.00", "currency": "EUR"})
    pipeline.ticket_type(wien, 5, price={"amount": "20.00", "currency": "EUR"})
    eventually(lambda: len(search(pipeline, q=word, currency="EUR")["items"]) == 2, within=20)

    def ids(**parameters: Any) -> list[str]:
        return [item["id"] for item in search(pipeline, q=word, **parameters)["items"]]

    assert ids(tag="jazz", sort="price", currency="EUR") == [wien, graz]
    assert ids(sort="-price", currency="EUR") == [graz, wien]
    assert ids(tag="BRASS") == [wien]
    assert ids(maxPrice="25", currency="EUR") == [wien]
    assert ids(near="47.0,15.4", radius=30) == [graz]
    assert ids(near="47.0,15.4", radius=400, sort="distance") == [graz, wien]
    assert ids(status="CANCELED") == []
    assert ids(to="2020-01-01") == []
    facets = search(pipeline, q=word, city="wien")["facets"]
    assert {each["value"]: each["count"] for each in facets["city"]} == {"Graz": 1, "Wien": 1}
    assert {each["value"]: each["count"] for each in facets["tag"]} == {"Brass": 1, "Jazz": 1}
    suggested = pipeline.http.get("/events/suggest", params={"q": word[:-2]}).json()["items"]
    assert {each.get("id") for each in suggested} == {graz, wien}
