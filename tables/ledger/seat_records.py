"""The seats of the events of one partition while the ledger works on a batch: their plans, and what of them is out."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from tables.ledger.hall import Hall, SeatedSection, SectionOutline
from tables.ledger.purchase_records import SeatEffect
from tables.ledger.records import (
    SectionPieceRecord,
    SectionRecord,
    decode_piece,
    decode_section,
    encode_record,
    piece_key,
    plan_prefix,
    section_key,
)
from tables.messages.commands import decode_command, encode_command
from tables.messages.sections import DefineSection, PlanRow
from tables.seating.layout import SEPARATOR, SectionLayout, section_of
from tables.seating.rows import RowBits
from tables.seating.section_state import SectionState

# Decoded layouts take about 100 bytes a seat.
CACHE_MAX_SEATS: Final = 500_000
# An event counts as this many seats at least.
EVENT_MIN_SIZE: Final = 500

# The values of the keys, in their order; None for a key without a record.
Load = Callable[[list[bytes]], Sequence[bytes | None]]
# The records whose keys begin with the first argument and come after the second, sorted by key.
Scan = Callable[[bytes, bytes], Iterable[tuple[bytes, bytes]]]


class _PieceHead(Struct, frozen=True):
    """What all pieces of a section must say alike, and rows that are only counted."""

    sections: int
    number: int
    section: str
    categories: list[UUID]
    parts: int = 1
    rows: list[tuple[msgspec.Raw, list[msgspec.Raw]]] = []


class _EventSeats:
    """What is kept of one event between batches; ``size`` is the number of seats of its layouts."""

    def __init__(self) -> None:
        self.halls: dict[int, Hall | None] = {}
        self.layouts: dict[tuple[int, str], SectionLayout] = {}
        self.states: dict[str, SectionState] = {}
        self.size = EVENT_MIN_SIZE


class SeatRecords:
    """The unit of work on the records of plans and sections."""

    def __init__(self, load: Load, scan: Scan, cached_seats: int = CACHE_MAX_SEATS) -> None:
        self._load = load
        self._scan = scan
        self._cached_seats = cached_seats
        self._events: dict[int, _EventSeats] = {}
        self._changed_pieces: dict[bytes, SectionPieceRecord] = {}
        # With their events.
        self._changed_states: dict[SectionState, UUID] = {}

    def define(self, offset: int, command: DefineSection) -> None:
        """Keep a piece of a plan, unless it is known."""
        key = piece_key(command.event, command.plan, command.section, command.part)
        record = self._piece(key)
        if record is None or record.offset == offset:
            self._changed_pieces[key] = SectionPieceRecord(offset, encode_command(command))
            self._of(command.event).halls.pop(command.plan, None)

    def hall(self, event: UUID, plan: int) -> Hall | None:
        """The hall by a plan; None if the plan is not complete, or if pieces of a section disagree about it."""
        seats = self._events.get(event.int) or self._of(event)
        if plan not in seats.halls:
            seats.halls[plan] = self._read_hall(event, plan)
        return seats.halls[plan]

    def book(self, event: UUID, offset: int, effects: Iterable[SeatEffect]) -> None:
        """Book what the command at ``offset`` does to seats where a section's record lacks it."""
        touched: dict[str, SectionState] = {}
        freed = False
        for effect in effects:
            freed = freed or effect.given != effect.taken
            for name, given, taken in _by_section(effect):
                state = touched[name] = self.state(event, name, effect.plan)
                if state.offset < offset:
                    if effect.plan:
                        self._move(event, state, effect.plan)
                    state.change(given, taken, sold=effect.sold)
        for state in touched.values():
            state.offset = max(state.offset, offset)
            self._changed_states[state] = event
        for hall in self._of(event).halls.values() if freed else ():
            if hall is not None:
                hall.look_again()

    def state(self, event: UUID, section: str, plan: int) -> SectionState:
        """The seats of a section that are out; by ``plan`` if none ever were."""
        states = self._of(event).states
        known = states.get(section)
        if known is None:
            value = self._load([section_key(event, section)])[0]
            known = states[section] = self._read_state(event, section, value, plan)
            self._mark_halls(event, known.layout.plan)
        return known

    def take(self, event: UUID, offset: int, plan: int, chosen: Mapping[str, list[RowBits]], *, sold: bool) -> None:
        """Book the seats that the command at ``offset`` was just given by a plan, by row of each section."""
        states = self._events[event.int].states
        for name, rows in chosen.items():
            state = states[name]
            if state.layout.plan != plan:
                self._move(event, state, plan)
            state.take(rows, sold=sold)
            state.offset = offset
            self._changed_states[state] = event

    def take_changed(self) -> dict[bytes, bytes]:
        """The records changed since the last call. Ends the batch."""
        taken = {key: encode_record(record) for key, record in self._changed_pieces.items()}
        for state, event in self._changed_states.items():
            taken[section_key(event, state.layout.name)] = encode_record(_record(state))
        self._changed_pieces.clear()
        self._changed_states.clear()
        size = sum([seats.size for seats in self._events.values()])
        while size > self._cached_seats:
            size -= self._events.pop(next(iter(self._events))).size
        return taken

    def _of(self, event: UUID) -> _EventSeats:
        seats = self._events.get(event.int)
        if seats is None:
            seats = self._events[event.int] = _EventSeats()
        return seats

    def _move(self, event: UUID, state: SectionState, plan: int) -> None:
        """Keep the seats of a section that are out by another plan."""
        if state.layout.plan != plan:
            state.move(self._layout(event, plan, state.layout.name))
            self._mark_halls(event)

    def _mark_halls(self, event: UUID, plan: int | None = None) -> None:
        """Say of all halls by other plans that a section's seats are out by that ``plan``, or that one was moved."""
        for hall in self._of(event).halls.values():
            if hall is not None and hall.plan != plan:
                hall.is_changed = True

    def _read_state(self, event: UUID, section: str, value: bytes | None, plan: int) -> SectionState:
        if value is None:
            return SectionState(self._layout(event, plan, section))
        record = decode_section(value)
        layout = self._layout(event, record.plan, section)
        held, sold = (int.from_bytes(bits, "little") for bits in (record.held, record.sold))
        return SectionState(layout, record.offset, held, sold, dict(record.removed))

    def _layout(self, event: UUID, plan: int, section: str) -> SectionLayout:
        """The layout of a section; one without seats if the plan doesn't have it."""
        seats = self._of(event)
        layout = seats.layouts.get((plan, section))
        if layout is None:
            layout = seats.layouts[plan, section] = self._read_layout(event, plan, section)
            seats.size += layout.size
        return layout

    def _read_layout(self, event: UUID, plan: int, section: str) -> SectionLayout:
        record = self._piece(piece_key(event, plan, section, 0))
        if record is None:
            return SectionLayout(section, plan, (), (0, 0), ())
        first = _decoded(record)
        rows: list[PlanRow] = list(first.rows)
        for part in range(1, first.parts):
            further = self._piece(piece_key(event, plan, section, part))
            rows += _decoded(further).rows if further else ()
        return SectionLayout(section, plan, first.categories, first.focal, rows)

    def _piece(self, key: bytes) -> SectionPieceRecord | None:
        changed = self._changed_pieces.get(key)
        if changed is not None:
            return changed
        value = self._load([key])[0]
        return None if value is None else decode_piece(value)

    def _read_hall(self, event: UUID, plan: int) -> Hall | None:
        heads: dict[str, _PieceHead] = {}
        parts, seats = Counter[str](), Counter[str]()
        for piece in self._pieces(plan_prefix(event, plan)):
            head = _decode_head(piece)
            name, said = head.section, replace(head, rows=[])
            if heads.setdefault(name, said) != said:
                return None
            parts[name] += 1
            seats[name] += sum([len(row) for _, row in head.rows])
        ordered = sorted(heads.values(), key=lambda head: (head.number, head.section))
        if not ordered or len(ordered) < ordered[0].sections or any(parts[h.section] < h.parts for h in ordered):
            return None
        seated = [head for head in ordered if seats[head.section]]
        records = self._load([section_key(event, head.section) for head in seated])
        sections = [
            SeatedSection(head.section, head.categories, _outline(record, plan, seats[head.section]))
            for head, record in zip(seated, records, strict=True)
        ]

        def read(name: str) -> SectionState:
            known = self.state(event, name, plan)
            return known if known.layout.plan == plan else known.seen_by(self._layout(event, plan, name))

        return Hall(plan, sections, self._of(event).states, read)

    def _pieces(self, prefix: bytes) -> Iterator[bytes]:
        changed = {key: record.piece for key, record in self._changed_pieces.items() if key.startswith(prefix)}
        stored = {key: decode_piece(value).piece for key, value in self._scan(prefix, prefix)}
        yield from (stored | changed).values()


_decode_head = msgspec.json.Decoder(_PieceHead).decode


def _decoded(record: SectionPieceRecord) -> DefineSection:
    command = decode_command(record.piece)
    assert isinstance(command, DefineSection)
    return command


def _by_section(effect: SeatEffect) -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """The seats that are given and taken in each section."""
    sections = list(dict.fromkeys([name.partition(SEPARATOR)[0] for name in effect.given + effect.taken]))
    if len(sections) == 1:
        return [(sections[0], effect.given, effect.taken)]
    return [(section, _within(section, effect.given), _within(section, effect.taken)) for section in sections]


def _within(section: str, names: Iterable[str]) -> tuple[str, ...]:
    return tuple([name for name in names if section_of(name) == section])


def _outline(value: bytes | None, plan: int, seats: int) -> SectionOutline | None:
    """What a record shows of a section with so many seats, those with the same name included."""
    if value is None:
        return 0, True
    record = decode_section(value)
    out = sum([int.from_bytes(bits, "little").bit_count() for bits in (record.held, record.sold)])
    return (len(record.removed), out < seats) if record.plan == plan else None


def _record(state: SectionState) -> SectionRecord:
    held, sold = (bits.to_bytes((bits.bit_length() + 7) // 8, "little") for bits in (state.held, state.sold))
    return SectionRecord(state.offset, state.layout.plan, held, sold, sorted(state.removed.items()))
