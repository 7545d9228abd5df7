"""Puts the limits on holds of this worker's settings into the log of its partitions, where others are in force.

They count from their place in the log on, for whichever worker decides it then.
"""

import logging
from typing import Final

from connect.topics import COMMANDS
from settings import Settings
from streams.runtime.app import App
from streams.runtime.produce import Record
from streams.runtime.retry import append
from streams.runtime.table import OffsetTable
from tables.ledger.hold_limits import HOLD_LIMITS_KEY, UNLIMITED, decode_limits
from tables.messages.commands import LimitHolds, encode_command

RECORD_KEY: Final = b"limit-holds"

log = logging.getLogger(__name__)


def limits_of(settings: Settings) -> LimitHolds:
    """The command that sets the limits of these settings; 0 there means none."""
    return LimitHolds(
        settings.hold_seconds_max or None,
        settings.hold_tickets_max or None,
        settings.hold_cooldown_seconds or None,
    )


class LimitsInForce:
    """Sees to it that the limits in force on a partition are those of this worker's settings."""

    def __init__(self, app: App, table: OffsetTable) -> None:
        self.app = app
        self.table = table
        self._wanted = limits_of(app.settings)
        self._seen_to: set[int] = set()
        app.on_partitions_assigned.connect(self._forget)

    async def look(self, partition: int) -> None:
        """Append the limits once after an assignment, if others are in force. Raises KafkaError, Interrupted."""
        if partition in self._seen_to:
            return
        value = self.table.read(partition, HOLD_LIMITS_KEY)
        known = UNLIMITED if value is None else decode_limits(value)
        if known.command() != self._wanted:
            await append(self.app, COMMANDS, partition, [Record(RECORD_KEY, encode_command(self._wanted))])
            log.info("%s[%d]: holds are limited by %s, no longer by %s", COMMANDS, partition, self._wanted, known)
        self._seen_to.add(partition)

    async def _forget(self, *_: object, **__: object) -> None:
        self._seen_to.clear()
