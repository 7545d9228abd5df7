"""The time at which everything happens."""

from datetime import UTC, datetime

NOW = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
