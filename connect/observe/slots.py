"""PostgreSQL's replication slots: whether they have a reader, how far it is behind, and how much WAL is kept for it."""

from dataclasses import dataclass
from typing import Any, Final

from psycopg import Connection
from psycopg.rows import class_row

_SLOTS: Final = """
SELECT slot_name AS name, active, coalesce(wal_status, '') AS keeps,
       coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn), 0)::bigint AS behind,
       coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn), 0)::bigint AS kept
FROM pg_replication_slots WHERE database = current_database() ORDER BY slot_name
"""


@dataclass(frozen=True, slots=True)
class SlotState:
    """One slot: ``behind`` and ``kept`` are bytes of WAL; ``keeps`` is PostgreSQL's ``wal_status``."""

    name: str
    active: bool
    keeps: str
    behind: int
    kept: int

    @property
    def lost(self) -> bool:
        """Whether its reader has lost changes."""
        return self.keeps == "lost"


def read_slots(connection: Connection[Any]) -> list[SlotState]:
    """The slots of this database, sorted by name."""
    with connection.cursor(row_factory=class_row(SlotState)) as cursor:
        return cursor.execute(_SLOTS).fetchall()
