"""``python -m connect.wal_position``: where PostgreSQL's log has to begin after a restore, for ``pg_resetwal -l``.

Places in the log are versions: of documents, of contacts. A restored server would start them over, and what it tells
would be older than what is known. So its log begins in a segment (16 MiB) that is counted by the clock, one a second:
above every log that was written at less than 16 MiB a second on average, and above every restore before.
"""

from datetime import UTC, datetime
from typing import Final

BEGIN: Final = datetime(2025, 1, 1, tzinfo=UTC)
SEGMENT_BYTES: Final = 16 * 2**20
# Segments of one file name's middle part, 4 GiB.
SEGMENTS: Final = 256


def epoch(now: datetime) -> int:
    """Seconds since 2025, which no version that was counted by ones has come near to."""
    return int((now - BEGIN).total_seconds())


def position(now: datetime) -> int:
    """The place in the log at which a server restored at ``now`` begins, in bytes."""
    return epoch(now) * SEGMENT_BYTES


def segment(now: datetime, timeline: int = 1) -> str:
    """The name of the file of the log that begins there."""
    return f"{timeline:08X}{epoch(now) // SEGMENTS:08X}{epoch(now) % SEGMENTS:08X}"


if __name__ == "__main__":
    print(segment(datetime.now(UTC)))
