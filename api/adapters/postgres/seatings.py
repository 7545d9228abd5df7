"""Seating plans in PostgreSQL. A plan, its pieces in the outbox and the event's next version are one transaction."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from typing import Any, Final
from uuid import UUID, uuid4

import msgspec
from psycopg import Connection
from psycopg.rows import DictRow

from api.adapters.postgres.database import Database
from api.adapters.postgres.events import announce, next_listing, read_listing, update_event
from api.adapters.postgres.rows import fetch, pass_over
from api.adapters.seat_feed import SeatFeed
from api.adapters.seat_occupancy import Changes, PurchaseSeats, SeatOccupancy
from api.organizing.seating import Section, categories_of, hall_of
from api.ports.events import Listing, PlanInForce
from api.ports.seating import Outline, SeatingNow, Seatings, StoredPlan
from api.problems import Refused
from api.schemas.seating import SeatingSection, Seats
from tables.messages.encoding import encode_json
from tables.messages.sections import DefineSection
from tables.seating.plan import HallSection, pieces_of
from telemetry.traces import current_traceparent

PLANS_MAX: Final = 100
_SELECT: Final = """
SELECT version, section::text FROM seating JOIN seating_section USING (event_id)
WHERE event_id = %(event)s ORDER BY position
"""
_SELECT_ONE: Final = """
SELECT section::text FROM seating_section WHERE event_id = %(event)s AND name = %(name)s
"""
_OUTLINE: Final = """
SELECT version, seated, name, title, seats FROM seating JOIN seating_section USING (event_id)
WHERE event_id = %(event)s ORDER BY position
"""
_TAKEN: Final = """
SELECT DISTINCT seat #>> '{}' AS name FROM purchase, jsonb_path_query(lines, '$[*].seats[*]') AS seat
WHERE event_id = %(event)s AND status IN ('held', 'confirmed') AND lines @? '$[*].seats'
"""
_VERSION: Final = "SELECT version FROM seating WHERE event_id = %(event)s"
_CHANGED: Final = """
SELECT id, ledger_offset, CASE WHEN status IN ('held', 'confirmed')
       THEN jsonb_path_query_array(lines, '$[*].seats[*]') ELSE '[]' END AS seats
FROM purchase WHERE event_id = %(event)s AND ledger_offset >= %(since)s AND lines @? '$[*].seats'
"""
_PUT: Final = """
INSERT INTO seating (event_id, version, categories, seated, plans)
VALUES (%(event)s, %(version)s, %(categories)s, %(seated)s, 1)
ON CONFLICT (event_id) DO UPDATE
SET version = excluded.version, categories = excluded.categories, seated = excluded.seated, plans = seating.plans + 1
WHERE seating.plans < %(most)s
RETURNING plans
"""
_DELETE: Final = "UPDATE seating SET version = NULL, categories = '{}', seated = '{}' WHERE event_id = %(event)s"
_DELETE_SECTIONS: Final = "DELETE FROM seating_section WHERE event_id = %(event)s"
_INSERT_SECTION: Final = """
INSERT INTO seating_section (event_id, position, name, title, seats, section)
VALUES (%(event)s, %(position)s, %(name)s, %(title)s, %(seats)s, %(section)s::json)
"""
_INSERT_PIECE: Final = """
INSERT INTO event_outbox (id, aggregate_id, event_type, version, part, payload, traceparent)
VALUES (%(id)s, %(event)s, 'section-defined', %(version)s, %(part)s, %(payload)s::jsonb, %(traceparent)s)
"""

Rows = Connection[DictRow]
_decode_section: Final = msgspec.json.Decoder(Section).decode


class SeatingRows(Seatings):
    """The tables ``seating`` and ``seating_section``, and the seats in the lines of ``purchase``."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._occupancy = SeatOccupancy(self.changes)
        self._feed = SeatFeed(self._occupancy.seats)

    def plan(self, event: UUID) -> StoredPlan | None:
        with self._database.transaction() as connection:
            return _plan(connection, event)

    def outline(self, event: UUID) -> Outline | None:
        rows = self._database.all(_OUTLINE, event=event)
        sections = [SeatingSection(name=row["name"], title=row["title"] or None, seats=row["seats"]) for row in rows]
        return Outline(rows[0]["version"], sections, frozenset(rows[0]["seated"])) if rows else None

    def section(self, event: UUID, name: str) -> Section | None:
        # No text in PostgreSQL has a NUL.
        row = None if "\0" in name else self._database.one(_SELECT_ONE, event=event, name=name)
        return None if row is None else _section_of(event, row)

    def pieces(self, event: UUID, plan: int) -> list[DefineSection]:
        """The pieces in which a plan goes to the ledger; none if it is not in force any more."""
        found = self.plan(event)
        return list(pieces_of(event, plan, hall_of(found.sections))) if found and found.version == plan else []

    def change(self, event: UUID, decide: Callable[[SeatingNow], list[Section]]) -> Listing | None:
        """Replace a plan by the result of ``decide``, none for an empty one, and announce the next version.

        Refused: too-many-plans.
        """
        with self._database.transaction() as connection:
            before = read_listing(connection, event, lock=True)
            if before is None:
                return None
            sections = decide(_now(connection, before))
            hall = hall_of(sections)
            after = _with_plan(next_listing(before, before), hall)
            update_event(connection, after.event)
            _store(connection, after, sections, hall)
            announce(connection, after)
        return after

    def seats(self, event: UUID, since: int) -> Seats | None:
        return self._occupancy.seats(event, since)

    def follow(self, event: UUID, since: int) -> AsyncIterator[bytes]:
        return self._feed.follow(event, since)

    def changes(self, event: UUID, plan: int, since: int) -> Changes:
        """What has changed since that offset under that plan; all of another plan, which comes with it."""
        with self._database.transaction() as connection:
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            row = connection.execute(_VERSION, {"event": event}).fetchone()
            if row is None or row["version"] is None:
                return Changes(None, None, ())
            new_plan = _plan(connection, event) if row["version"] != plan else None
            rows = fetch(connection, _CHANGED, {"event": event, "since": since if new_plan is None else -1})
        return Changes(row["version"], new_plan, [_seated(row) for row in rows])


def _seated(row: DictRow) -> PurchaseSeats:
    return PurchaseSeats(row["id"], row["ledger_offset"], [name for name in row["seats"] if isinstance(name, str)])


def _with_plan(listing: Listing, hall: list[HallSection]) -> Listing:
    plan = PlanInForce(listing.event.version, categories_of(hall)) if hall else None
    return replace(listing, plan=plan)


def _now(connection: Rows, listing: Listing) -> SeatingNow:
    event = listing.event.id
    taken = frozenset(row["name"] for row in fetch(connection, _TAKEN, {"event": event}))
    found = _plan(connection, event)
    return SeatingNow(listing, found.sections if found else (), taken)


def _plan(connection: Rows, event: UUID) -> StoredPlan | None:
    rows = fetch(connection, _SELECT, {"event": event})
    sections = [section for row in rows if (section := _section_of(event, row)) is not None]
    return StoredPlan(rows[0]["version"], sections) if rows and len(sections) == len(rows) else None


def _section_of(event: UUID, row: DictRow) -> Section | None:
    """The section of a row; None, and a warning, for JSON that SQL has put there and nobody can read."""
    try:
        return _decode_section(row["section"])
    except (msgspec.DecodeError, RecursionError) as error:
        pass_over("seating_section", event, type(error).__name__)
        return None


def _store(connection: Rows, listing: Listing, sections: Sequence[Section], hall: list[HallSection]) -> None:
    event, plan = listing.event.id, listing.plan
    connection.execute(_DELETE_SECTIONS, {"event": event})
    if plan is None:
        connection.execute(_DELETE, {"event": event})
        return
    values: dict[str, Any] = {"event": event, "version": plan.version, "most": PLANS_MAX}
    values |= {"categories": list(plan.categories), "seated": list(categories_of(each for each in hall if each.rows))}
    if not connection.execute(_PUT, values).fetchone():
        raise Refused("too-many-plans")
    trace = {"event": event, "version": plan.version, "traceparent": current_traceparent() or ""}
    with connection.cursor() as cursor:
        cursor.executemany(
            _INSERT_SECTION, [_section(event, *numbered) for numbered in enumerate(zip(sections, hall, strict=True))]
        )
        cursor.executemany(
            _INSERT_PIECE,
            [
                trace | {"id": uuid4(), "part": part, "payload": encode_json(piece).decode()}
                for part, piece in enumerate(pieces_of(event, plan.version, hall), 1)
            ],
        )


def _section(event: UUID, position: int, both: tuple[Section, HallSection]) -> dict[str, Any]:
    section, hall = both
    text = msgspec.json.encode(section).decode()
    place = {"event": event, "position": position, "section": text}
    return place | {"name": hall.name, "title": hall.title, "seats": hall.seats}
