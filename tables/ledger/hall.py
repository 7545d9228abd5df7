"""A hall by the plan in force: which categories are sold by seat, and the seats that are out."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from tables.seating.section_state import SectionState

# The number of seats of a section that are out and not in the plan, and whether any of the others may be free.
SectionOutline = tuple[int, bool]


class SeatedSection(NamedTuple):
    """A section with seats: its ticket types, and its outline unless that takes all of its plan."""

    name: str
    categories: Sequence[UUID]
    outline: SectionOutline | None


class Hall:
    """The seated sections of plan number ``plan``, in its order.

    ``states`` has the seats of the sections that were looked at, ``read`` those of any section as this plan has them.
    ``is_changed``: seats may be out that this plan doesn't have, since another one was in force.
    """

    __slots__ = ("_categories", "_left", "_outlines", "_read", "_sizes", "_states", "is_changed", "plan")

    def __init__(
        self,
        plan: int,
        sections: Sequence[SeatedSection],
        states: Mapping[str, SectionState],
        read: Callable[[str], SectionState],
    ) -> None:
        self.plan = plan
        self._outlines = {section.name: section.outline for section in sections}
        self.is_changed = any(outline is None or outline[0] for outline in self._outlines.values()) or any(
            state.layout.plan != plan or state.removed for state in states.values()
        )
        self._states = states
        self._read = read
        self._categories: dict[int, list[str]] = {}
        for section in sections:
            for category in section.categories:
                self._categories.setdefault(category.int, []).append(section.name)
        # The same without those that were full when they were last looked at.
        self._left: dict[int, list[str]] = {}
        # By category, section and accessibility. No plan has more than a few hundred of them.
        self._sizes: dict[tuple[int, str | None, bool], int] = {}

    def is_seated(self, category: UUID) -> bool:
        """Whether tickets of a type are sold by seat."""
        return category.int in self._categories

    def sections_of(self, category: UUID, section: str | None = None) -> Sequence[str]:
        """The names of the sections that have seats of a category; only that one ``section``, if given."""
        names = self._categories.get(category.int, [])
        return names if section is None else [name for name in names if name == section]

    def outline(self, name: str) -> SectionOutline:
        """The outline of a seated section. Its plan is not read for that, unless its seats are out by another one."""
        state = self._states.get(name)
        if state is None and (known := self._outlines[name]) is not None:
            return known
        if state is None or state.layout.plan != self.plan:
            state = self._read(name)
        return len(state.removed), not state.is_full

    def left(self, category: UUID, section: str | None = None) -> Iterator[SectionState]:
        """The sections of a category of which a seat is free; only that one ``section``, if given.

        A section is read when it is reached. One that is full is not looked at again before seats are given back.
        """
        if section is None:
            names = self._left.get(category.int)
            if names is None:
                names = self._left[category.int] = [*self.sections_of(category)]
        else:
            names = [*self.sections_of(category, section)]
        at = 0
        while at < len(names):
            state = self._left_in(names[at])
            if state is None:
                del names[at]
            else:
                yield state
                at += 1

    def counts(self, category: UUID, section: str | None, *, accessible: bool) -> tuple[int, int]:
        """How many seats of a category there are, and how many of them are held; of one ``section`` only, if given.

        They are those for wheelchairs and companions if ``accessible``, or else all others.
        """
        states = [self.state(name) for name in self.sections_of(category, section)]
        key = (category.int, section, accessible)
        size = self._sizes.get(key)
        if size is None:
            every = [state.layout.categories[category.int][accessible] for state in states]
            size = self._sizes[key] = sum([bits.bit_count() for bits in every])
        held = [state for state in states if state.held]
        return size, sum([(each.held & each.layout.categories[category.int][accessible]).bit_count() for each in held])

    def look_again(self) -> None:
        """Seats have been given back, so that a section that was full may have free ones."""
        self._left.clear()

    def _left_in(self, name: str) -> SectionState | None:
        """The seats of a seated section; None if none of them is free, and then its plan need not be read."""
        state = self._states.get(name)
        if state is None or state.layout.plan != self.plan:
            if not self.outline(name)[1]:
                return None
            state = self._read(name)
        return None if state.is_full else state

    def state(self, name: str) -> SectionState:
        """The seats of a seated section."""
        known = self._states.get(name)
        return self._read(name) if known is None or known.layout.plan != self.plan else known

    def section(self, name: str) -> SectionState | None:
        """The seats of a section; None if the plan has no such section with seats."""
        known = self._states.get(name)
        if known is not None and known.layout.plan == self.plan:
            return known
        return self._read(name) if name in self._outlines else None
