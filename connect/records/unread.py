"""The offsets that this process could not decode: each range is logged once, all offsets are counted."""

import logging
from collections import Counter
from functools import lru_cache
from typing import Final

# So many ranges are remembered as logged, since a topic may be read repeatedly.
LOGGED_MAX_PLACES: Final = 1_024

log = logging.getLogger(__name__)
# The number of offsets by topic that this process could not decode.
unreadable_offsets: Final[Counter[str]] = Counter()


def count_unreadable(topic: str, partition: int, first: int, last: int, error: Exception) -> None:
    """Log and count skipped offsets, once for each range."""
    _count_once(topic, partition, first, last, f"{type(error).__name__}: {error}")


@lru_cache(LOGGED_MAX_PLACES)
def _count_once(topic: str, partition: int, first: int, last: int, reason: str) -> None:
    unreadable_offsets[topic] += last + 1 - first
    log.error("skipped undecodable records: %s", reason, extra={"record": f"{topic}[{partition}]@{first}-{last}"})
