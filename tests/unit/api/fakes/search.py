"""The search index."""

from dataclasses import dataclass, field

from api.schemas.search import FoundEvent, FoundEvents, SearchQuery, Suggestion, Suggestions, SuggestQuery


@dataclass
class FakeIndex:
    """Keeps what was asked."""

    found: list[FoundEvent] = field(default_factory=list)
    asked: list[SearchQuery] = field(default_factory=list)
    typed: list[SuggestQuery] = field(default_factory=list)

    def search(self, asked: SearchQuery) -> FoundEvents:
        self.asked.append(asked)
        return FoundEvents(items=self.found)

    def suggest(self, asked: SuggestQuery) -> Suggestions:
        self.typed.append(asked)
        return Suggestions(items=[Suggestion(text=each.title, kind="event", id=each.id) for each in self.found])
