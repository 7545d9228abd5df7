"""A title that is typed as it stands finds itself first, and so do short words with one wrong letter."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID, uuid4

import pytest
from elasticsearch import AsyncElasticsearch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from api.adapters.elasticsearch import EventIndex, make_client
from api.schemas.search import SearchQuery
from lab.bench.relevance import STALL_TIMEOUT_S
from settings import Settings
from streams.search.index import SearchIndex, make_elasticsearch
from streams.search.mapping import index_body
from tables.messages.row_changes import EventRow
from tables.text.folding import words
from tests.pipeline import Pipeline

ROW: Final = EventRow(
    id=UUID(int=1),
    lsn=1,
    organizer_id=UUID(int=2),
    status="ACTIVE",
    starts_at=datetime(2040, 1, 1, 18, tzinfo=UTC),
    ends_at=datetime(2040, 1, 1, 20, tzinfo=UTC),
    time_zone="UTC",
)
HARD: Final = (
    *("Node.js", "snake_case", "J.Lo", "AC/DC", "P!nk", "Straße", "İstanbul", "東京", "Guns N' Roses", "C++ und C#"),
    *("24/7", "3.14", "1,000 Maniacs", "foo@bar.example", "e.e. cummings", "l'usine", "R.E.M.", "हिन्दी", "ไทย", "한국"),
    *("Node", "Node Node Node", "Music", "Jazz", "Jazz Jazz", "Jazz, Jazz and more Jazz", "Pop", "a_b.c", "word " * 39),
)
PIECES: Final = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12)
TITLES: Final = st.lists(PIECES | st.sampled_from(HARD[:20]), min_size=1, max_size=4).map("_".join)


class Titles:
    """An index of its own, with events of these titles."""

    def __init__(self, settings: Settings) -> None:
        self.name = f"events-titles-{uuid4().hex[:8]}"
        self._settings = settings
        self._client = make_client(settings).options(request_timeout=STALL_TIMEOUT_S)
        self._index = EventIndex(self._client, self.name)
        asyncio.run(self._with(lambda client: client.indices.create(index=self.name, **index_body(floor=0))))

    def add(self, titles: Iterable[str], **more: str) -> None:
        """Index events with these titles; ``more`` are other columns of all of them."""
        rows = [replace(ROW, id=uuid4(), title=title, **more) for title in titles]
        changes = {str(row.id): row for row in rows}
        refused = asyncio.run(self._with(lambda client: SearchIndex(client).write(changes, self.name)))
        assert refused == {}
        asyncio.run(self._with(lambda client: client.indices.refresh(index=self.name)))

    def found(self, q: str) -> list[str]:
        """The titles that a query finds, the best first."""
        return [event.title for event in self._index.search(SearchQuery(q=q)).items]

    def close(self) -> None:
        """Delete the index."""
        asyncio.run(self._with(lambda client: client.indices.delete(index=self.name)))
        self._client.close()

    async def _with(self, do: Callable[[AsyncElasticsearch], Awaitable[Any]]) -> Any:
        async with make_elasticsearch(self._settings) as client:
            return await do(client)


@pytest.fixture(scope="module")
def titles(pipeline: Pipeline) -> Iterator[Titles]:
    made = Titles(pipeline.settings)
    made.add(HARD)
    yield made
    made.close()


@pytest.mark.parametrize("title", HARD)
def test_a_hard_title_finds_itself_first(titles: Titles, title: str) -> None:
    assert words(titles.found(title)[0]) == words(title)


@settings(deadline=None, max_examples=5, suppress_health_check=list(HealthCheck))
@given(typed=st.lists(TITLES, min_size=10, max_size=10))
def test_any_title_finds_itself_first(titles: Titles, typed: list[str]) -> None:
    made = [title.strip()[:200] for title in typed if words(title.strip()[:200])]
    titles.add(made)
    for title in made:
        assert words(titles.found(title)[0]) == words(title)


@pytest.mark.parametrize(("typed", "meant"), [("muzic", "Music"), ("jzz", "Jazz"), ("jaz", "Jazz"), ("nod", "Node")])
def test_a_short_word_with_one_wrong_letter_is_found(titles: Titles, typed: str, meant: str) -> None:
    assert meant in titles.found(typed)


def test_every_beginning_of_a_word_of_a_description_finds_its_event_and_nothing_else_does(pipeline: Pipeline) -> None:
    word = "qwyxzliederabendprogramm"
    made = Titles(pipeline.settings)
    try:
        made.add(["Described"], description=f"Ein {word.capitalize()} für alle")
        for end in range(1, len(word) + 1):
            assert made.found(word[:end]) == ["Described"], word[:end]
            assert made.found(f"{word[:end]}xxxx") == [], word[:end]
    finally:
        made.close()


@pytest.mark.parametrize("typed", ["!!!", "*", '"', "_", "…"])
def test_a_query_without_a_word_finds_nothing(titles: Titles, typed: str) -> None:
    assert titles.found(typed) == []
