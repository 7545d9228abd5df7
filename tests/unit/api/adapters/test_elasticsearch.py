"""Queries for the search index, on a client that keeps them, and what is made of the answers."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from elastic_transport import ConnectionError as NoConnection
from elasticsearch import BadRequestError, NotFoundError
from hypothesis import given

from api.adapters.elasticsearch import EventIndex
from api.problems import Refused, Unavailable
from api.schemas.search import SearchQuery, Suggestion, SuggestQuery
from api.search.asking import END, MARK, body
from api.search.cursors import encode_cursor
from api.search.distances import distance_km
from api.search.marking import highlights, mark
from api.search.suggesting import suggestions
from api.search.words import matching
from tables.text.folding import fold
from tests.documents import Document
from tests.hostile import TEXTS

META: Any = None
NOW = 1_000


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
        return {"hits": {"hits": self.hits[: body["size"]], "total": {"value": len(self.hits)}}}


def hit(number: int, **more: Any) -> dict[str, Any]:
    source = {"id": f"id-{number}", "title": f"Event {number}", "status": "ACTIVE", "startsAt": "2030-01-01T00:00:00Z"}
    return {"_source": source | more, "sort": [1.5, f"id-{number}"]}


def make(client: KeepingClient) -> EventIndex:
    typed: Any = client
    return EventIndex(typed, clock=lambda: NOW / 1000)


def asks(**parameters: Any) -> SearchQuery:
    return SearchQuery.model_validate(parameters)


def test_a_document_that_cannot_be_told_is_left_out_and_the_page_goes_on_behind_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = KeepingClient([hit(0), hit(1, startsAt=None), hit(2)])
    found = make(client).search(asks(limit=2))
    assert [item.id for item in found.items] == ["id-0"]
    assert found.next == encode_cursor(asks(limit=2), [1.5, "id-1"])
    assert "row id-1 of the index can't be shown: startsAt" in caplog.text


def every(node: Any, name: str) -> list[Any]:
    """What stands under ``name`` anywhere in a query."""
    if isinstance(node, list):
        return [found for each in node for found in every(each, name)]
    if not isinstance(node, dict):
        return []
    return [value for key, value in node.items() if key == name] + [
        found for value in node.values() for found in every(value, name)
    ]


def test_words_are_folded_and_each_is_looked_for_as_it_is_begun_and_mistyped() -> None:
    matches = every(body(asks(q="Große ÉTÉ"), None, NOW)["query"], "multi_match")
    assert {(match["query"], match.get("type"), "fuzziness" in match) for match in matches} == {
        ("grosse", "cross_fields", False),
        ("grosse", "bool_prefix", False),
        ("grosse", None, True),
        ("ete", "cross_fields", False),
        ("ete", "bool_prefix", False),
        ("ete", None, True),
    }
    assert all(name.startswith("folded.") for match in matches for name in match["fields"])


def test_a_very_long_question_stays_a_bounded_query() -> None:
    matches = every(body(asks(q=" ".join(["ab"] * 60)), None, NOW)["query"], "multi_match")
    assert len(matches) <= 16 * 3


@pytest.mark.parametrize("parameters", [{}, {"q": "jazz"}, {"status": ["ACTIVE"]}])
def test_drafts_and_deleted_events_are_never_asked_for(parameters: dict[str, Any]) -> None:
    filters = body(asks(**parameters), None, NOW)["query"]["bool"]["filter"]
    public = filters[0]["bool"]["filter"]
    assert {"term": {"deleted": False}} in public
    [statuses] = [each["terms"]["status"] for each in public if "terms" in each]
    assert "DRAFT" not in statuses
    assert "ACTIVE" in statuses


def test_a_facet_counts_what_all_filters_but_its_own_let_through() -> None:
    asked = body(asks(city=["Wien"], tag=["Jazz"]), None, NOW)
    city, tag = {"terms": {"keys.city": ["wien"]}}, {"terms": {"keys.tags": ["jazz"]}}
    assert asked["post_filter"]["bool"]["filter"] == [city, tag]
    assert asked["aggs"]["city"]["filter"]["bool"]["filter"] == [tag]
    assert asked["aggs"]["tag"]["filter"]["bool"]["filter"] == [city]
    assert asked["aggs"]["status"]["filter"]["bool"]["filter"] == [city, tag]


def test_a_day_is_the_events_own_and_counts_as_a_whole_a_moment_is_everybodys() -> None:
    days = body(asks(**{"from": "2030-05-17", "to": "2030-05-17"}), None, NOW)
    assert every(days["query"], "endsLocal") == [{"gt": "2030-05-17"}]
    assert every(days["query"], "startsLocal") == [{"lt": "2030-05-18"}]
    moment = body(asks(**{"from": "2030-05-17T20:00:00+02:00"}), None, NOW)
    assert every(moment["query"], "endsAt") == [{"gt": "2030-05-17T20:00:00+02:00"}]


@pytest.mark.parametrize(
    ("parameters", "first"),
    [
        ({}, {"startsAt": "asc"}),
        ({"q": "jazz"}, {"_score": "desc"}),
        ({"q": "jazz", "sort": "-date"}, {"startsAt": "desc"}),
        ({"sort": "price", "currency": "EUR"}, {"priceFrom.amount": {"order": "asc", "missing": "_last"}}),
    ],
)
def test_every_order_ends_with_the_id(parameters: dict[str, Any], first: dict[str, Any]) -> None:
    assert body(asks(**parameters), None, NOW)["sort"] == [first, {"id": "asc"}]


def test_a_full_page_leads_to_the_next_and_the_last_to_none() -> None:
    client = KeepingClient([hit(1), hit(2), hit(3)])
    index = make(client)
    page = index.search(asks(q="jazz", limit=2))
    assert [item.id for item in page.items] == ["id-1", "id-2"]
    assert page.next is not None
    assert index.search(asks(q="jazz", limit=3, cursor=page.next)).next is None
    assert client.asked[1]["search_after"] == [1.5, "id-2"]
    assert "aggs" not in client.asked[1]


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "%%%",
        encode_cursor(asks(q="blues"), [1.5, "id-1"]),
        encode_cursor(asks(q="jazz", city=["Wien"]), [1.5, "id-1"]),
        encode_cursor(asks(q="jazz"), ["id-1", "id-1"]),
    ],
)
def test_a_cursor_of_another_search_is_refused(cursor: str) -> None:
    with pytest.raises(Refused) as refused:
        make(KeepingClient()).search(asks(q="jazz", cursor=cursor))
    assert refused.value.faults[0].pointer == "?cursor"


def test_a_cursor_that_the_index_cannot_use_is_refused_too() -> None:
    cursor = encode_cursor(asks(), [2**80, "id-1"])
    client = KeepingClient(failure=BadRequestError("parse_exception", META, {}))
    with pytest.raises(Refused):
        make(client).search(asks(cursor=cursor))


@pytest.mark.parametrize("failure", [NoConnection("refused"), BadRequestError("no mapping", META, {})])
def test_an_index_that_is_down_or_another_is_unavailable(failure: Exception) -> None:
    index = make(KeepingClient(failure=failure))
    with pytest.raises(Unavailable):
        index.search(asks())
    with pytest.raises(Unavailable):
        index.suggest(SuggestQuery(q="a"))


@pytest.mark.parametrize(
    "rubbish",
    [
        "<html>Bad gateway</html>", None, [], {}, {"hits": None}, {"hits": {"hits": None}}, {"hits": {"hits": [{}]}},
        {"hits": {"hits": [{"_source": None}]}}, {"hits": {"hits": [{"_source": {}}], "total": None}},
    ],
    ids=str,
)  # fmt: skip
def test_an_answer_of_something_else_than_elasticsearch_is_none(rubbish: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    client = KeepingClient()
    monkeypatch.setattr(client, "search", lambda **_: rubbish)
    index = make(client)
    asked = [lambda: index.search(asks()), lambda: index.suggest(SuggestQuery(q="a")), index.count]
    for ask in asked:
        with pytest.raises(Unavailable):
            ask()


def test_a_probe_sees_a_refusal_and_a_page_of_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Unavailable):
        make(KeepingClient(failure=BadRequestError("no mapping", META, {}))).probe()
    client = KeepingClient()
    monkeypatch.setattr(client, "search", lambda **_: "<html>Bad gateway</html>")
    with pytest.raises(Unavailable):
        make(client).probe()


def test_an_index_that_was_not_made_yet_has_no_events() -> None:
    index = make(KeepingClient(failure=NotFoundError("index_not_found_exception", META, {})))
    assert index.search(asks()).items == []
    assert index.suggest(SuggestQuery(q="a")).items == []


def test_a_404_of_something_else_is_no_empty_index() -> None:
    index = make(KeepingClient(failure=NotFoundError("default backend - 404", META, "default backend - 404")))
    with pytest.raises(Unavailable):
        index.search(asks())
    with pytest.raises(Unavailable):
        index.suggest(SuggestQuery(q="a"))


def test_a_total_that_is_no_number_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    client = KeepingClient()
    monkeypatch.setattr(client, "search", lambda **_: {"hits": {"hits": [], "total": {"value": "many"}}})
    with pytest.raises(Unavailable):
        make(client).search(asks())


def test_what_was_found_is_marked_in_the_text_as_it_was_written() -> None:
    found = hit(1, title="Mañana <i>& Größe", description="x")
    found["highlight"] = {"folded.title": [f"{MARK}manana{END} i grosse", f"x {MARK}grosse y{END}"]}
    [item] = make(KeepingClient([found])).search(asks(q="manana grosse")).items
    assert item.highlights is not None
    assert item.highlights.title == "<em>Mañana</em> &lt;i&gt;&amp; <em>Größe</em>"
    assert item.highlights.description is None


@pytest.mark.parametrize(
    ("text", "words", "html"),
    [
        ("L'Usine à Glace", {"usine"}, "L&#x27;<em>Usine</em> à Glace"),
        ("東京ジャズの夜", {"ジャズ", "夜"}, "東京<em>ジャズ</em>の<em>夜</em>"),
        ("夜夜", {"夜"}, "<em>夜夜</em>"),
        ("nothing here", {"jazz"}, None),
    ],
)
def test_marks_stand_around_words_as_the_index_sees_them(text: str, words: set[str], html: str | None) -> None:
    assert mark(text, words) == html


def test_of_a_long_text_the_part_around_the_first_mark_is_shown() -> None:
    text = f"{'before ' * 60}jazz {'after ' * 60}"
    html = mark(text, {"jazz"}, 100)
    assert html is not None
    assert html.startswith("…before")
    assert html.endswith("after…")
    assert "<em>jazz</em>" in html
    assert len(html) < 130


def test_suggestions_go_on_as_was_typed_the_most_common_first() -> None:
    found = [
        {"id": "1", "title": "Winterreise", "city": "Wien", "venue": "Saal am Naschmarkt", "tags": ["klassik"]},
        {"id": "2", "title": "Ein Abend in Wien", "city": "Wien", "venue": "", "tags": [], "organizer": "Wiebke Ott"},
    ]
    assert suggestions("WIE", found, 3) == [
        Suggestion(text="Wien", kind="city"),
        Suggestion(text="Wiebke Ott", kind="organizer"),
        Suggestion(text="Ein Abend in Wien", kind="event", id="2"),
    ]


@pytest.mark.parametrize("typed", ["", "!?"])
def test_without_a_letter_nothing_is_asked_or_suggested(typed: str) -> None:
    client = KeepingClient([hit(1)])
    assert make(client).suggest(SuggestQuery(q=typed)).items == []
    assert client.asked == []


def test_where_nothing_goes_on_the_nearest_titles_are_suggested() -> None:
    found = [{"id": "1", "title": "Winterreise", "city": "Wien"}]
    assert suggestions("wimterreise", found, 3) == [Suggestion(text="Winterreise", kind="event", id="1")]


def test_distances_are_those_of_the_globe() -> None:
    assert distance_km((48.2082, 16.3738), {"lat": 47.0707, "lon": 15.4395}) == pytest.approx(144.6, abs=1)
    assert distance_km(None, {"lat": 0, "lon": 0}) is None
    assert distance_km((0, 0), None) is None


@given(TEXTS)
def test_what_is_marked_is_the_text_as_it_was_typed(typed: str) -> None:
    text = f"{typed} jazz {typed}"
    found = {"folded.title": [f"{typed}{MARK}jazz{END}{typed}", "\ue000x\ue001"]}
    shown = highlights({"title": text}, found)
    assert shown is not None
    places = Document(shown.title or "").places
    assert {place.tag for place in places} == {"", "em"}
    assert "".join(place.value for place in places) == text
    assert [place.value for place in places if place.tag == "em"] == ["jazz"]


@given(TEXTS)
def test_a_search_is_made_of_words_alone(typed: str) -> None:
    def texts(query: Any) -> Iterator[str]:
        if isinstance(query, dict):
            yield from ([query["query"]] if isinstance(query.get("query"), str) else [])
            query = list(query.values())
        for each in query if isinstance(query, list) else ():
            yield from texts(each)

    assert all(re.fullmatch(r"[^\W_]+( [^\W_]+)*", text) for text in texts(matching(fold(typed))))


def test_an_event_is_found_on_each_of_its_days_and_only_what_is_not_over_is_upcoming() -> None:
    asked = asks(**{"from": "2030-07-06", "to": "2030-07-07", "upcoming": True})
    assert body(asked, None, NOW)["query"]["bool"]["filter"][1:] == [
        {"range": {"endsLocal": {"gt": "2030-07-06"}}},
        {"range": {"startsLocal": {"lt": "2030-07-08"}}},
        {"range": {"endsAt": {"gt": "now"}}},
    ]


@pytest.mark.parametrize(("q", "query"), [("!!!", [{"match_none": {}}]), ("*", [{"match_none": {}}]), ("", [])])
def test_a_query_without_a_word_finds_nothing_and_no_query_finds_all(q: str, query: list[Any]) -> None:
    assert body(asks(q=q), None, NOW)["query"]["bool"]["must"] == query


@pytest.mark.parametrize(
    ("sale", "word"),
    [
        ({"not_on_sale_yet": [{"lt": NOW}], "available": [{"gte": NOW}]}, "available"),
        ({"available": [{"lt": NOW}], "sale_over": [{"gte": NOW}]}, "sale_over"),
        ({"low": [{}]}, "low"),
        ({}, None),
    ],
)
def test_availability_is_that_of_the_moment_of_the_search(sale: dict[str, Any], word: str | None) -> None:
    client = KeepingClient([hit(1, sale=sale)])
    [item] = make(client).search(asks(availability=["available", "held"])).items
    assert item.availability == word
    [asked] = client.asked
    chosen = [{"term": {"sale.available": NOW}}, {"term": {"sale.held": NOW}}]
    assert asked["post_filter"]["bool"]["filter"] == [{"bool": {"should": chosen}}]
    assert asked["aggs"]["availability"]["aggs"]["values"]["filters"]["filters"]["low"] == {"term": {"sale.low": NOW}}
