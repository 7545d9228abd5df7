"""The search index in Elasticsearch."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

from elastic_transport import TransportError
from elasticsearch import ApiError, BadRequestError, Elasticsearch, NotFoundError

from api.adapters.postgres.rows import shown
from api.ports.search import EventSearch
from api.problems import Unavailable, wrong
from api.schemas.search import Count, Facets, FoundEvent, FoundEvents, SearchQuery, Suggestions, SuggestQuery
from api.search import asking, suggesting
from api.search.cursors import after, encode_cursor
from api.search.distances import distance_km
from api.search.marking import highlights
from api.search.words import matching
from connect.client_options import NO_INDEX
from connect.elasticsearch_client import elasticsearch_client
from settings import Settings

ALIAS: Final = "events"
SERVER: Final = "elasticsearch"
TIMEOUT_S: Final = 2.0

Json = dict[str, Any]


class EventIndex(EventSearch):
    """The alias ``events``, or another index with its mapping."""

    def __init__(self, client: Elasticsearch, name: str = ALIAS, clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._name = name
        self._clock = clock

    def search(self, asked: SearchQuery) -> FoundEvents:
        begins, at_ms = after(asked), int(self._clock() * 1000)
        body = asking.body(asked, begins, at_ms)
        with _answering():
            try:
                answer = self._search(body)
            except BadRequestError as error:
                if begins is None:
                    raise
                raise wrong("?cursor", "is not a cursor of this search") from error
            hits: list[Json] = answer["hits"]["hits"]
            listed = hits[: asked.limit]
            found = [shown("the index", hit["_source"], partial(_event, hit, asked, at_ms)) for hit in listed]
            return FoundEvents(
                items=[event for event in found if event is not None],
                total=answer["hits"].get("total", {}).get("value"),
                facets=_facets(answer["aggregations"]) if "aggregations" in answer else None,
                next=encode_cursor(asked, listed[-1]["sort"]) if len(hits) > asked.limit else None,
            )

    def suggest(self, asked: SuggestQuery) -> Suggestions:
        """Suggestions for the typed words; none without words."""
        if not matching(asked.q):
            return Suggestions(items=[])
        body = suggesting.body(asked.q)
        with _answering():
            hits = self._search(body)["hits"]["hits"]
            return Suggestions(items=suggesting.suggestions(asked.q, [hit["_source"] for hit in hits], asked.limit))

    def count(self) -> int:
        """The number of events that can be found."""
        body: Json = {"size": 0, "track_total_hits": True, "query": {"term": {"deleted": False}}}
        with _answering():
            return int(self._search(body)["hits"]["total"]["value"])

    def probe(self) -> None:
        """Raises unless the index answers."""
        with _answering():
            _ = self._search({"size": 0})["hits"]

    def close(self) -> None:
        self._client.close()

    def _search(self, body: Json) -> Any:
        try:
            return self._client.search(index=self._name, **body)
        except NotFoundError as error:
            if error.error != NO_INDEX:
                raise
            # The indexer creates the index with the first event.
            return {"hits": {"hits": [], "total": {"value": 0}}}


@contextmanager
def _answering() -> Iterator[None]:
    """Raises Unavailable where no answer comes, or one that Elasticsearch did not write (such as a proxy's)."""
    try:
        yield
    except (TransportError, ApiError, LookupError, TypeError, AttributeError, ValueError) as error:
        raise Unavailable(SERVER) from error


def make_client(settings: Settings) -> Elasticsearch:
    """A client by the settings. It does not retry, since a request waits for it."""
    return elasticsearch_client(settings, TIMEOUT_S)


def _event(hit: Json, asked: SearchQuery, at_ms: int, source: Json) -> FoundEvent:
    more = {
        "availability": _tickets(source.get("sale", {}), at_ms),
        "highlights": highlights(source, hit.get("highlight", {})),
        "distance_km": distance_km(asked.place, source.get("location")),
    }
    return FoundEvent(**source | more)


def _tickets(sale: Json, at_ms: int) -> str | None:
    """Which of the document's periods that time is in."""
    for tickets, periods in sale.items():
        if any(each.get("gte", at_ms) <= at_ms < each.get("lt", at_ms + 1) for each in periods):
            return str(tickets)
    return None


def _facets(found: Json) -> Facets:
    counts = {name: _counts((it["key"], it) for it in found[name]["values"]["buckets"]) for name in asking.FACETS}
    states = found["availability"]["values"]["buckets"].items()
    return Facets(**counts, availability=_counts(sorted(states, key=lambda state: -state[1]["doc_count"])))


def _counts(buckets: Iterable[tuple[str, Json]]) -> list[Count]:
    return [Count(value=key, count=bucket["doc_count"]) for key, bucket in buckets if bucket["doc_count"]]
