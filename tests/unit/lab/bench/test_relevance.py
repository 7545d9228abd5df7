"""Judging: what events are worth to a query, and how good an order of them is."""

from datetime import UTC, datetime

import pytest

from lab.bench.relevance import JudgedQuery, judged, ndcg, row_of
from lab.demo_catalogue import demo_catalogue
from streams.search.mapping import document

EVENTS = demo_catalogue(datetime(2030, 1, 2, tzinfo=UTC)).events
QUERIES = judged(EVENTS)


def test_there_are_many_queries_in_four_languages_and_each_means_something() -> None:
    assert len(QUERIES) >= 60
    assert {query.language for query in QUERIES} == {"en", "de", "fr", "es"}
    assert all(max(query.grades.values(), default=0) == 3 for query in QUERIES)
    assert len({query.q for query in QUERIES}) == len(QUERIES)


def test_the_best_rule_that_fits_counts() -> None:
    [query] = [each for each in QUERIES if each.q == "jazz london"]
    grades = {event["title"]: query.grades.get(event["id"], 0) for event in EVENTS}
    assert grades["Midnight Session: Songs for Two Basses"] == 3
    assert grades["The Lena Hartigan Trio"] == 1
    assert grades["Winterreise am Nachmittag"] == 0


@pytest.mark.parametrize(
    ("found", "figure"),
    [
        (["a", "b"], 1.0),
        (["a", "x", "b"], 0.98),
        (["b", "a"], 0.71),
        (["x", "y"], 0.0),
        ([], 0.0),
        (["x"] * 10 + ["a", "b"], 0.0),
    ],
)
def test_the_order_counts_and_only_the_first_ten(found: list[str], figure: float) -> None:
    assert ndcg(found, {"a": 3, "b": 1}) == pytest.approx(figure, abs=0.01)


def test_a_query_that_nothing_answers_is_no_success() -> None:
    assert ndcg(["a"], JudgedQuery("en", "nothing", {}).grades) == 0.0


def test_every_event_of_the_catalogue_becomes_a_document() -> None:
    for event in EVENTS:
        made = document(row_of(event))
        assert made["priceFrom"]["currency"] == event["ticketTypes"][0]["price"]["currency"]
        assert made["startsLocal"] == datetime.fromisoformat(event["startsAt"]).replace(tzinfo=None).isoformat()
