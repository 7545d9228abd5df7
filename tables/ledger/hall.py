"""A hall by the plan in force: which categories are sold by seat, and the seats that are out."""

from collections.abc import Callable, Sequence
from uuid import UUID

from tables.seating.section_state import SectionState


class Hall:
    """The seated sections of plan number ``plan``, in its order, with their categories.

    ``state`` gives the seats of a section as this plan has them.
    """

    __slots__ = ("_names", "_sections", "_state", "plan")

    def __init__(
        self, plan: int, sections: Sequence[tuple[str, Sequence[UUID]]], state: Callable[[str], SectionState]
    ) -> None:
        self.plan = plan
        self._names = frozenset([name for name, _ in sections])
        self._state = state
        self._sections: dict[int, list[str]] = {}
        for name, categories in sections:
            for category in categories:
                self._sections.setdefault(category.int, []).append(name)

    def is_seated(self, category: UUID) -> bool:
        """Whether tickets of a type are sold by seat."""
        return category.int in self._sections

    def sections_of(self, category: UUID, section: str | None = None) -> list[SectionState]:
        """The sections that have seats of a category; only that of the name ``section``, if given."""
        names = self._sections.get(category.int, [])
        return [self._state(name) for name in names if section is None or name == section]

    def section(self, name: str) -> SectionState | None:
        """A seated section."""
        return self._state(name) if name in self._names else None
