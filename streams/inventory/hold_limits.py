"""Writes the limits on holds of this worker's settings to the log of its partitions, where other limits apply.

A limit applies from its place in the log on, whichever worker decides the commands that follow.
"""

import logging
from typing import Final

from connect.topics import COMMANDS
from settings import Settings
from streams.runtime.app import App
from streams.runtime.kafka_types import Record
from streams.runtime.produce import append
from streams.runtime.table import OffsetTable
from tables.ledger.hold_limits import HOLD_LIMITS_KEY, decode_limits
from tables.messages.commands import PAYMENT_DEFAULT_S, LimitHolds, encode_command

RECORD_KEY: Final = b"limit-holds"

log = logging.getLogger(__name__)


def limits_of(settings: Settings) -> LimitHolds:
    """The command that sets the limits of these settings, where 0 means no limit."""
    return LimitHolds(
        settings.hold_seconds_max or None,
        settings.hold_tickets_max or None,
        settings.hold_cooldown_seconds or None,
        None if settings.payment_seconds == PAYMENT_DEFAULT_S else settings.payment_seconds,
    )


class HoldLimitsWriter:
    """Makes the limits of this worker's settings those of its partitions."""

    def __init__(self, app: App, table: OffsetTable) -> None:
        self.app = app
        self.table = table
        self._wanted = limits_of(app.settings)
        self._written: set[int] = set()
        app.on_partitions_assigned.connect(self._forget)

    async def write(self, partition: int) -> None:
        """Append the limits if others apply; once after each assignment. Raises KafkaError, Interrupted."""
        if partition in self._written:
            return
        value = self.table.read(partition, HOLD_LIMITS_KEY)
        current = decode_limits(value)
        if current.command() != self._wanted:
            await append(self.app, COMMANDS, partition, [Record(RECORD_KEY, encode_command(self._wanted))])
            log.info("%s[%d]: limits on holds changed from %s to %s", COMMANDS, partition, current, self._wanted)
        self._written.add(partition)

    async def _forget(self, *_: object, **__: object) -> None:
        self._written.clear()
