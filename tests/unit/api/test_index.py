"""Queries for the search index, on a client that keeps them."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from elastic_transport import ConnectionError as NoConnection
from elasticsearch import NotFoundError

from api.problems import Refused, Unavailable
from api.servers.index import Cursor, EventIndex, encode_cursor


@dataclass
class KeepingClient:
    """Answers every search with the same hits."""

    hits: list[dict[str, Any]] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    failure: Exception | None = None

    def search(self, **body: Any) -> dict[str, Any]:
        if self.failure:
            raise self.failure
        self.asked.append(body)
        return {"hits": {"hits": self.hits[: body["size"]]}}


def hit(number: int) -> dict[str, Any]:
    source = {"id": f"id-{number}", "title": f"Event {number}", "status": "ACTIVE", "startsAt": "2030-01-01T00:00:00Z"}
    return {"_source": source, "sort": [1.5, f"id-{number}"]}


def make(client: KeepingClient) -> EventIndex:
    typed: Any = client
    return EventIndex(typed)


def test_words_are_folded_and_all_of_them_wanted() -> None:
    client = KeepingClient()
    make(client).search("Große ÉTÉ", 20, None)
    [asked] = client.asked
    matches = [clause["multi_match"] for clause in asked["query"]["bool"]["should"]]
    assert {match["query"] for match in matches} == {"grosse ete"}
    assert {match["operator"] for match in matches} == {"and"}
    assert all(name.startswith("folded.") for match in matches for name in match["fields"])


def test_drafts_and_deleted_events_are_never_asked_for() -> None:
    client = KeepingClient()
    index = make(client)
    index.search("", 20, None)
    index.search("jazz", 20, None)
    for asked in client.asked:
        assert asked["query"]["bool"]["must_not"] == [{"term": {"status": "DRAFT"}}]
        assert {"term": {"deleted": False}} in asked["query"]["bool"]["filter"]


def test_a_full_page_leads_to_the_next_and_the_last_to_none() -> None:
    client = KeepingClient([hit(1), hit(2)])
    index = make(client)
    page = index.search("jazz", 2, None)
    assert [item.id for item in page.items] == ["id-1", "id-2"]
    assert page.next is not None
    assert index.search("jazz", 3, page.next).next is None
    assert client.asked[1]["search_after"] == [1.5, "id-2"]


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "%%%",
        encode_cursor(Cursor("blues", [1.5, "id-1"])),
        encode_cursor(Cursor("jazz", ["id-1", 1.5])),
        encode_cursor(Cursor("jazz", [1.5])),
        encode_cursor(Cursor("jazz", [])),
    ],
)
def test_a_cursor_of_another_search_is_refused(cursor: str) -> None:
    with pytest.raises(Refused) as refused:
        make(KeepingClient()).search("Jazz", 20, cursor)
    assert refused.value.faults[0].pointer == "?cursor"


def test_an_index_that_is_down_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        make(KeepingClient(failure=NoConnection("refused"))).search("", 20, None)


def test_an_index_that_was_not_made_yet_has_no_events() -> None:
    meta: Any = None
    missing = NotFoundError("index_not_found_exception", meta, {})
    assert make(KeepingClient(failure=missing)).search("", 20, None).items == []
