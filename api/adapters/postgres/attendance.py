"""Attendees of an event, and its sales over time, from the projection ``purchase``."""

from collections.abc import Iterator, Sequence
from typing import Any, Final
from uuid import UUID

from api.adapters.postgres.database import Database
from api.adapters.postgres.purchase_lines import LINES, QUANTITY
from api.adapters.postgres.rows import FIRST, LAST
from api.ports.sales import Attendance, Curve, Reached

CURVE_STEPS: Final = 100

_REACHED: Final = """
SELECT count(DISTINCT account_id) AS people, count(*) AS purchases FROM purchase
WHERE event_id = %(event)s AND status IN ('held', 'confirmed')
"""
_SOLD: Final = f"""
SELECT made_at, (line->>'ticketTypeId')::uuid AS kind, {QUANTITY} AS quantity
FROM purchase, {LINES}
WHERE event_id = %(event)s AND status = 'confirmed' AND made_at BETWEEN %(first)s AND %(last)s
"""
_CURVE: Final = f"""
WITH sold AS ({_SOLD}), span AS (SELECT min(made_at) AS begins, max(made_at) AS ends FROM sold)
SELECT begins, ends, kind, sum(quantity) AS quantity,
       CASE WHEN begins = ends THEN {CURVE_STEPS}
            ELSE width_bucket(extract(epoch FROM made_at - begins), 0, extract(epoch FROM ends - begins), {CURVE_STEPS})
       END AS step
FROM sold, span GROUP BY begins, ends, kind, step ORDER BY step
"""

_SEATS: Final = (
    "coalesce((SELECT string_agg(seat #>> '{}', ' ') FROM jsonb_path_query(line, '$.seats[*]') AS seat), '')"
)
# The columns of the list of attendees, and their sources.
_COLUMNS: Final = (
    ("lastName", "coalesce(last_name, '')"),
    ("firstName", "coalesce(first_name, '')"),
    ("ticketType", "line->>'name'"),
    ("quantity", QUANTITY),
    ("seats", _SEATS),
    ("purchase", "event_id || '.' || purchase.id"),
    ("boughtAt", "made_at"),
)
_ATTENDEES: Final = f"""
SELECT {", ".join(f'{source} AS "{name}"' for name, source in _COLUMNS)}
FROM purchase LEFT JOIN account ON account.id = account_id, {LINES}
WHERE event_id = %(event)s AND purchase.status = 'confirmed'
ORDER BY lower(last_name), lower(first_name), made_at, purchase.id
"""


class AttendanceRows(Attendance):
    """The tables ``purchase`` and ``account``. ``exports`` is for downloads."""

    def __init__(self, database: Database, exports: Database) -> None:
        self._database = database
        self._exports = exports

    def reached(self, event: UUID) -> Reached:
        row = self._database.one(_REACHED, event=event)
        return Reached(row["people"], row["purchases"]) if row else Reached(0, 0)

    def curve(self, event: UUID) -> Curve | None:
        rows = self._database.all(_CURVE, event=event, first=FIRST, last=LAST)
        return _curve(rows) if rows else None

    def attendees(self, event: UUID) -> Iterator[Sequence[object]]:
        return self._exports.stream(_ATTENDEES, event=event)


def _curve(rows: Sequence[Any]) -> Curve:
    grown: dict[UUID, list[tuple[float, int]]] = {}
    for row in rows:
        steps = grown.setdefault(row["kind"], [])
        before = steps[-1][1] if steps else 0
        steps.append((min(row["step"], CURVE_STEPS) / CURVE_STEPS, before + row["quantity"]))
    return Curve(rows[0]["begins"], rows[0]["ends"], {kind: tuple(steps) for kind, steps in grown.items()})
