"""The search index."""

from typing import Protocol

from api.schemas.search import FoundEvents, SearchQuery, Suggestions, SuggestQuery


class EventSearch(Protocol):
    """The searchable copy of the events."""

    def search(self, asked: SearchQuery) -> FoundEvents:
        """One page of events. Refused: invalid-input for a cursor of another search."""

    def suggest(self, asked: SuggestQuery) -> Suggestions:
        """Suggestions for the typed words."""
