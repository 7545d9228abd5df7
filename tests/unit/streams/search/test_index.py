"""Documents of rows, the order of changes, and what Elasticsearch's errors mean."""

import asyncio
import json
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest
from elasticsearch import ApiError, NotFoundError
from msgspec import convert

from streams.runtime.counters import Counters
from streams.search.index import (
    BULK_MAX_BYTES,
    TRANSIENT,
    IndexItem,
    NotIndexed,
    SearchIndex,
    UnexpectedAnswer,
    WrongMapping,
    refusals,
)
from streams.search.indexer import IndexerAgent, newest_of
from streams.search.mapping import VERSION, document, index_body
from streams.search.postgres_snapshot import COLUMNS
from tables.errors import MalformedRecord
from tables.messages.row_changes import EventRow, decode_event, decode_row

EVENT = UUID(int=1)
TYPES = [
    {"id": str(UUID(int=10)), "name": "Stalls", "price": "12.50", "currency": "EUR", "quantity": 100},
    {"id": str(UUID(int=11)), "name": "Circle", "price": "9.00", "currency": "EUR", "quantity": 50},
    {"id": str(UUID(int=12)), "name": "Far away", "price": "1", "currency": "USD", "quantity": 5},
]


def row(**more: Any) -> EventRow:
    columns: dict[str, Any] = {"id": str(EVENT), "title": "Mañana", "tags": ["Jazz"], "status": "ACTIVE", "__lsn": 5}
    columns |= {"starts_at": "2030-07-01T18:00:00.000000Z", "time_zone": "Europe/Vienna", "city": "Köln"}
    columns |= {"organizer_name": "Ada Byron", "offers": json.dumps(TYPES)}
    return decode_row(json.dumps(columns | more).encode(), EventRow)


def mapped(mapping: dict[str, Any], prefix: str = "") -> set[str]:
    """The names of a mapping's fields, with those inside of others."""
    names = set()
    for name, field in mapping.items():
        names |= {f"{prefix}{name}"} | mapped(field.get("properties", {}), f"{prefix}{name}.")
    return names


def test_an_index_has_the_words_that_queries_have() -> None:
    made = document(row(title="Node.js: snake_case", tags=["J.Lo"]))
    assert made["folded"]["title"] == made["keys"]["title"] == "node js snake case"
    assert made["folded"]["tags"] == ["j lo"]


def test_a_row_becomes_a_document_of_mapped_fields_only() -> None:
    made = document(row(latitude=48.2, longitude=16.4, something_new=1))

    assert made["folded"]["title"] == "manana"
    assert made["keys"] == {"title": "manana", "city": "koln", "tags": ["jazz"]}
    assert made["location"] == {"lat": 48.2, "lon": 16.4}
    nested = {f"{name}.{inner}" for name in ("folded", "keys", "priceFrom", "sale") for inner in made[name]}
    assert set(made) | nested <= mapped(index_body(0)["mappings"]["properties"])


def test_times_are_told_in_utc_and_as_the_clock_at_the_place_shows_them() -> None:
    made = document(row())
    assert (made["startsAt"], made["startsLocal"]) == ("2030-07-01T18:00:00Z", "2030-07-01T20:00:00")


def test_the_price_begins_at_the_cheapest_type_in_the_currency_of_the_first() -> None:
    assert document(row())["priceFrom"] == {"amount": "9.00", "currency": "EUR"}
    assert document(row(offers="[]"))["priceFrom"] is None


def test_a_document_says_when_there_are_tickets_by_what_is_out_and_the_events_end() -> None:
    out = {TYPES[0]["id"]: [7, 30, 60], TYPES[1]["id"]: [9, 0, 55]}
    end = {"ends_at": "2030-07-01T20:00:00.000000Z"}
    made = document(row(stock=json.dumps(out), **end))
    assert [each["available"] for each in made["ticketTypes"]] == [10, 0, 5]
    assert made["sale"] == {"available": [{"lt": 1_909_166_400_000}], "sale_over": [{"gte": 1_909_166_400_000}]}
    some: Any = end | {"stock": json.dumps(out), "offers": json.dumps(TYPES[:2])}
    assert set(document(row(capacity=150, **some))["sale"]) == {"low", "sale_over"}
    assert set(document(row(capacity=145, **some))["sale"]) == {"held", "sale_over"}


def test_a_deleted_row_becomes_a_marker() -> None:
    assert document(row(__deleted="true")) == {"id": str(EVENT), "deleted": True}


@pytest.mark.parametrize(
    "wrong", [{"offers": "[{}]"}, {"stock": "[]"}, {"time_zone": "Mars/Olympus"}, {"time_zone": "../etc"}]
)
def test_a_row_that_no_document_can_be_made_of_is_malformed(wrong: dict[str, str]) -> None:
    with pytest.raises(MalformedRecord):
        document(row(**wrong))


def test_the_rows_read_from_postgresql_have_every_column_that_a_document_needs() -> None:
    assert set(COLUMNS) == set(EventRow.__struct_fields__) - {"lsn", "deleted", "traceparent"}


def test_of_several_changes_of_a_row_the_one_furthest_in_the_log_counts() -> None:
    first, second, third = (row(__lsn=lsn, title=str(lsn)) for lsn in (5, 9, 7))
    message: Any = SimpleNamespace()

    newest = newest_of([(message, first), (message, second), (message, third)])

    assert newest == {str(EVENT): (message, second)}


def results(*items: dict[str, Any]) -> list[IndexItem]:
    return convert(list(items), list[IndexItem])


def test_an_older_version_is_no_refusal_a_bad_document_is() -> None:
    items = results(
        {"_id": "old", "status": 409, "error": {"type": "version_conflict", "reason": "older"}},
        {"_id": "bad", "status": 400, "error": {"type": "strict_dynamic_mapping", "reason": "field x"}},
        {"_id": "good", "status": 201},
    )

    assert {key: str(error) for key, error in refusals(items).items()} == {"bad": "strict_dynamic_mapping: field x"}


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (403, "cluster_block_exception"),
        (400, "index_closed_exception"),
        (404, "index_not_found_exception"),
        (408, "timeout"),
        (413, "circuit_breaking_exception"),
        (429, "busy"),
        (503, "unavailable_shards_exception"),
    ],
)
def test_what_is_not_about_the_document_is_asked_again(status: int, error: str) -> None:
    with pytest.raises(NotIndexed):
        refusals(results({"_id": "one", "status": status, "error": {"type": error, "reason": "later"}}))


class FakeApp:
    """As much of an application as a batch needs."""

    should_stop = False

    def __init__(self) -> None:
        self.counters = Counters()

    def add_agent(self, *_: Any, **__: Any) -> None: ...


class FakeClient:
    """An Elasticsearch with one index behind the alias."""

    def __init__(self, version: int, *numbers: int) -> None:
        self.indices = self
        self.numbers = numbers or (3,)
        self.version = version
        self.written: list[bytes] = []
        self.requests: list[int] = []
        self.takes_bytes, self.status = 1_000_000, 413
        self.refuses = b"refused by the mapping"

    async def get_mapping(self, *, index: str, filter_path: str) -> dict[str, Any]:
        assert filter_path == "*.mappings._meta,error"
        meta = {"version": self.version, "floor": 7}
        return {f"{index}-{number}": {"mappings": {"_meta": meta}} for number in self.numbers}

    async def bulk(self, *, operations: list[bytes], **_: Any) -> dict[str, Any]:
        if sum(map(len, operations)) > self.takes_bytes:
            raise ApiError("too large", cast("Any", SimpleNamespace(status=self.status)), "<html>")
        self.written += operations
        self.requests.append(len(operations) // 2)
        return {"items": [{"index": self._item(*pair)} for pair in zip(operations[::2], operations[1::2], strict=True)]}

    def _item(self, action: bytes, made: bytes) -> dict[str, Any]:
        if self.refuses in made:
            error = {"type": "document_parsing_exception", "reason": "no such field"}
            return {"_id": json.loads(action)["index"]["_id"], "status": 400, "error": error}
        return {"_id": json.loads(action)["index"]["_id"], "status": 201}


def index(client: FakeClient, bulk_max_bytes: int = BULK_MAX_BYTES) -> SearchIndex:
    typed: Any = client
    return SearchIndex(typed, bulk_max_bytes)


def test_an_index_of_another_version_is_not_written_to_and_says_what_helps() -> None:
    assert asyncio.run(index(FakeClient(VERSION)).current()) == ("events-3", 7)
    with pytest.raises(WrongMapping, match="make reindex"):
        asyncio.run(index(FakeClient(VERSION - 1)).current())


def test_an_alias_of_two_indices_is_not_written_to() -> None:
    with pytest.raises(WrongMapping, match="alias events is of events-3, events-4"):
        asyncio.run(index(FakeClient(VERSION, 4, 3)).current())


CHANGES: dict[str, dict[str, Any]] = {
    "made": {"__lsn": 5, "revision": 4},
    "before revisions": {"__lsn": 6},
    "read by a snapshot": {"__lsn": 20, "revision": 7},
    "unreadable": {"__lsn": 20, "revision": 8, "tags": [None]},
    "across the snapshot": {"__lsn": 11, "revision": 11},
    "deleted": {"__lsn": 12, "revision": 11, "__deleted": "true"},
    "made again": {"__lsn": 14, "revision": 13},
    "on a server whose positions began anew": {"__lsn": 3, "revision": 14},
    "deleted there": {"__lsn": 3, "revision": 14, "__deleted": "true"},
}


def test_each_state_of_a_row_has_a_later_version_than_those_before_it() -> None:
    changes = [json.dumps({"id": str(EVENT)} | change).encode() for change in CHANGES.values()]
    versions = [decode_event(change)[0].version for change in changes]
    assert versions == sorted(set(versions))


def test_no_version_is_beyond_what_elasticsearch_takes() -> None:
    """One that is has Elasticsearch refuse the whole request, with all other rows."""
    change = {"id": str(EVENT), "__lsn": 5, "__deleted": "true"}
    last, error = decode_event(json.dumps(change | {"revision": 2**63 - 2}).encode())
    assert (last.version, error) == (2**63 - 1, None)
    with pytest.raises(MalformedRecord):
        decode_event(json.dumps(change | {"revision": 2**63 - 1}).encode())


def test_what_an_index_was_built_from_is_told_by_the_position_and_not_by_the_revision() -> None:
    """A revision is taken before its change is in the log: the index may have been built in between."""
    client = FakeClient(VERSION)
    agent = IndexerAgent(FakeApp())  # type: ignore[arg-type]
    agent._index = index(client)
    asyncio.run(agent._write({str(EVENT): row(__lsn=8, revision=7)}))  # the floor is 7
    assert json.loads(client.written[0])["index"]["version"] == 7


@pytest.mark.parametrize("wrong", [{"tags": ["a", None]}, {"starts_at": "infinity"}, {"offers": 7}])
def test_a_change_that_cannot_be_read_tells_that_the_event_can_no_longer_be_found(wrong: dict[str, Any]) -> None:
    value = json.dumps({"id": str(EVENT), "__lsn": 9} | wrong).encode()

    gone, error = decode_event(value)

    assert (document(gone), gone.lsn) == ({"id": str(EVENT), "deleted": True}, 9)
    assert next(iter(wrong)) in str(error)


@pytest.mark.parametrize("value", [b"nope", b"{}", b'{"id": 7, "__lsn": 1, "tags": 1}', None])
def test_a_change_of_nobody_knows_which_event_is_malformed(value: bytes | None) -> None:
    with pytest.raises(MalformedRecord):
        decode_event(value)


@pytest.mark.parametrize("wrong", [{"tags": [None]}, {"title": "no event begins never"}], ids=["row", "document"])
def test_a_change_that_can_not_be_indexed_is_a_dead_letter_and_takes_its_event_out_of_the_search(
    monkeypatch: pytest.MonkeyPatch, wrong: dict[str, Any]
) -> None:
    client = FakeClient(VERSION)
    app: Any = FakeApp()
    agent = IndexerAgent(app)
    agent._index = index(client)
    buried: list[Any] = []

    async def send(_app: Any, _consumer: str, letters: list[Any]) -> None:
        buried.extend(letters)

    monkeypatch.setattr("streams.search.indexer.send_to_dead_letters", send)
    value = json.dumps({"id": str(EVENT), "__lsn": 9} | wrong).encode()
    message: Any = SimpleNamespace(topic="t", partition=1, offset=9, key=b"k", value=value, headers=[])
    asyncio.run(agent._handle([message]))

    assert json.loads(client.written[-1]) == {"id": str(EVENT), "deleted": True}
    assert [letter.value for letter in buried] == [value]


def test_a_row_that_no_document_can_be_made_of_holds_up_no_other() -> None:
    client = FakeClient(VERSION)

    refused = asyncio.run(index(client).write({"bad": row(__lsn=5, stock="[]"), str(EVENT): row(__lsn=6)}))

    assert set(refused) == {"bad"}
    assert json.loads(client.written[0]) == {"index": {"_id": str(EVENT), "version": 6, "version_type": "external"}}


@pytest.mark.parametrize("wrong", [{"stock": "[]"}, {"title": "refused by the mapping"}])
def test_an_event_that_no_document_can_be_made_of_is_no_longer_found(wrong: dict[str, str]) -> None:
    client = FakeClient(VERSION)

    refused = asyncio.run(index(client).write({str(EVENT): row(**{"__lsn": 5} | wrong)}))

    assert set(refused) == {str(EVENT)}
    assert [json.loads(line) for line in client.written[-2:]] == [
        {"index": {"_id": str(EVENT), "version": 5, "version_type": "external"}},
        {"id": str(EVENT), "deleted": True},
    ]


def test_no_request_is_larger_than_elasticsearch_takes() -> None:
    client = FakeClient(VERSION)
    rows = {str(number): row(__lsn=number, description=str(number) * 5_000) for number in range(1, 6)}

    assert asyncio.run(index(client, bulk_max_bytes=25_000).write(rows)) == {}
    assert client.requests == [2, 2, 1]
    assert [json.loads(line)["index"]["_id"] for line in client.written[::2]] == list(rows)


def test_nothing_is_refused_where_a_proxy_does_not_reach_the_server() -> None:
    client = FakeClient(VERSION)
    client.takes_bytes, client.status = 0, 503
    with pytest.raises(ApiError, match="503"):
        asyncio.run(index(client).write({str(EVENT): row(__lsn=5)}))


def test_what_a_proxy_does_not_take_is_sent_in_parts_and_a_document_alone_is_refused() -> None:
    client = FakeClient(VERSION)
    client.takes_bytes = 15_000
    rows = {str(number): row(__lsn=number, description=str(number) * 2_000) for number in range(1, 6)}
    rows["3"] = row(__lsn=3, description="3" * 9_000)

    assert set(asyncio.run(index(client).write(rows))) == {"3"}
    assert [json.loads(line)["index"]["_id"] for line in client.written[::2]] == ["1", "2", "4", "5", "3"]
    assert json.loads(client.written[-1])["deleted"] is True


def test_a_change_is_kept_where_not_even_that_the_event_is_gone_is_taken() -> None:
    """It is the index, or its alias, and not the document."""
    client = FakeClient(VERSION)
    client.refuses = b""
    with pytest.raises(NotIndexed, match="no such field"):
        asyncio.run(index(client).write({str(EVENT): row(__lsn=5)}))


def test_what_the_index_was_built_from_is_not_applied_again() -> None:
    client = FakeClient(VERSION)
    app: Any = FakeApp()
    agent = IndexerAgent(app)
    agent._index = index(client)
    gone, later = str(UUID(int=2)), row(__lsn=8)

    asyncio.run(agent._write({gone: row(__lsn=7, id=gone), str(EVENT): later}))

    assert [json.loads(line)["index"]["_id"] for line in client.written[::2]] == [str(EVENT)]
    assert app.counters.index_changes == {"below": 1, "written": 1, "refused": 0}


RUBBISH: tuple[Any, ...] = (
    "<html>Bad gateway</html>", None, [], {"items": None}, {"items": []}, {"items": [{}]}, {"items": [{"index": {}}]},
    {"items": [{"create": {"_id": "a", "status": 201}}]}, {"items": [{"index": {"_id": "a", "status": "201"}}]},
)  # fmt: skip


@pytest.mark.parametrize("rubbish", RUBBISH, ids=str)
def test_an_answer_that_is_not_about_the_documents_is_waited_out(rubbish: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy's page, say: the change must neither stop the worker nor pass for indexed."""
    client = FakeClient(VERSION)

    async def answer(**_: Any) -> Any:
        return rubbish

    monkeypatch.setattr(client, "bulk", answer)
    with pytest.raises(UnexpectedAnswer) as told:
        asyncio.run(index(client).write({str(EVENT): row(__lsn=9)}))
    assert isinstance(told.value, TRANSIENT)


@pytest.mark.parametrize(
    "rubbish",
    [
        "<html>Bad gateway</html>", None, [], {"items": None}, {"events-3": {"mappings": None}},
        {"events-3": {"mappings": {"_meta": {"version": VERSION}}}},
        {"events-3": {"mappings": {"_meta": {"version": VERSION, "floor": "7"}}}},
    ],
    ids=str,
)  # fmt: skip
def test_a_mapping_that_is_none_is_waited_out(rubbish: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    client = FakeClient(VERSION)

    async def answer(**_: Any) -> Any:
        return rubbish

    monkeypatch.setattr(client, "get_mapping", answer)
    with pytest.raises(TRANSIENT):
        asyncio.run(index(client).current())


@pytest.mark.parametrize(("told", "index_is_made"), [("index_not_found_exception", True), ("default backend", False)])
def test_an_index_is_made_where_elasticsearch_says_that_there_is_none(
    told: str, index_is_made: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, made = FakeClient(VERSION), []

    async def get_mapping(**_: Any) -> Any:
        raise NotFoundError(told, cast("Any", None), {})

    async def create(*, index: str, **_: Any) -> None:
        made.append(index)

    monkeypatch.setattr(client, "get_mapping", get_mapping)
    monkeypatch.setattr(client, "create", create, raising=False)
    with nullcontext() if index_is_made else pytest.raises(NotFoundError):
        asyncio.run(index(client).current())
    assert made == (["events-1"] if index_is_made else [])


@pytest.mark.parametrize("rubbish", ["<html>Bad gateway</html>", {"events-3": None}, {"events-3": {}}], ids=str)
def test_aliases_that_are_none_stop_a_new_index(rubbish: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    client = FakeClient(VERSION)

    async def answer(**_: Any) -> Any:
        return rubbish

    monkeypatch.setattr(client, "get_alias", answer, raising=False)
    with pytest.raises(UnexpectedAnswer):
        asyncio.run(index(client).create_next(7))
