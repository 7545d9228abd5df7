"""Times as the log and the records keep them: integer milliseconds since 1970 UTC."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

# The range of datetime. Rounding to milliseconds can lead out of it.
DATETIME_MIN_MS: Final = -62_135_596_800_000
DATETIME_MAX_MS: Final = 253_402_300_799_999


def to_milliseconds(time: datetime) -> int:
    """A time as milliseconds since 1970 UTC."""
    return round(time.timestamp() * 1000)


# The commands of one produced batch have the same timestamp.
@lru_cache(maxsize=1_024)
def from_milliseconds(milliseconds: int) -> datetime:
    """Milliseconds since 1970 as a datetime in UTC, clamped to the years 1 to 9999."""
    return datetime.fromtimestamp(min(max(milliseconds, DATETIME_MIN_MS), DATETIME_MAX_MS) / 1000, UTC)
