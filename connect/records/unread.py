"""What this process could not read of Kafka's topics: each place logged once, and all offsets counted."""

import logging
from collections import Counter
from functools import lru_cache
from typing import Final

# The last places that were told of: a topic may be read again and again.
TOLD_MAX: Final = 1_024

log = logging.getLogger(__name__)
# How many offsets of each topic this process could not read.
unread: Final[Counter[str]] = Counter()


def tell_unread(topic: str, partition: int, first: int, last: int, error: Exception) -> None:
    """Log and count offsets that are left out, once for each place."""
    _tell(topic, partition, first, last, f"{type(error).__name__}: {error}")


@lru_cache(TOLD_MAX)
def _tell(topic: str, partition: int, first: int, last: int, reason: str) -> None:
    unread[topic] += last + 1 - first
    log.error("left out what can't be read: %s", reason, extra={"record": f"{topic}[{partition}]@{first}-{last}"})
