"""The first WAL segment of a restored PostgreSQL, for ``pg_resetwal -l`` (``turnstile wal-segment``).

WAL positions are versions of documents and contacts. A restored server would start from lower ones, so its changes
would count as outdated. Therefore its WAL begins at a segment (16 MiB) counted by the clock, one per second since 2025:
above every WAL that was written at less than 16 MiB/s on average, and above every earlier restore.
"""

from datetime import UTC, datetime
from typing import Final

COUNTED_SINCE: Final = datetime(2025, 1, 1, tzinfo=UTC)
# A file name's middle part counts 4 GiB.
SEGMENTS_PER_FILE: Final = 256


def epoch(now: datetime) -> int:
    """Seconds since 2025. No version that counts single changes comes near it."""
    return int((now - COUNTED_SINCE).total_seconds())


def segment(now: datetime, timeline: int = 1) -> str:
    """The name of the WAL file with which a server restored at ``now`` begins."""
    return f"{timeline:08X}{epoch(now) // SEGMENTS_PER_FILE:08X}{epoch(now) % SEGMENTS_PER_FILE:08X}"
