"""A ledger on a table in memory, which decides in batches as on a filled topic."""

import gc
import time
from collections.abc import Sequence
from typing import Final

from tables.ids import TICKET_KEY_MIN_BYTES, TicketCodes
from tables.ledger.event_replay import MemoryTable
from tables.ledger.ledger import Ledger
from tables.messages.commands import Command

BATCH_COMMANDS: Final = 1_000


class Partition:
    """Measures without the garbage collector, which a worker runs rarely."""

    def __init__(self) -> None:
        self._table = MemoryTable()
        self._ledger = Ledger(self._table.load, self._table.scan, TicketCodes(bytes(TICKET_KEY_MIN_BYTES)))
        self._offset = 0

    def decide(self, commands: Sequence[Command], batch_commands: int = BATCH_COMMANDS) -> float:
        """Decide commands in batches of that number. Gives the CPU seconds of the ledger, without the table's."""
        seconds = 0.0
        gc.disable()
        try:
            for first in range(0, len(commands), batch_commands):
                began = time.process_time()
                changed = self._decide_batch(commands[first : first + batch_commands])
                seconds += time.process_time() - began
                self._table.write(changed.items())
        finally:
            gc.enable()
        return seconds

    def _decide_batch(self, commands: Sequence[Command]) -> dict[bytes, bytes]:
        self._ledger.read_ahead(commands)
        for command in commands:
            self._apply(self._ledger, self._offset, command)
            self._offset += 1
        return self._ledger.take_purchases() | self._ledger.take_events()

    def _apply(self, ledger: Ledger, offset: int, command: Command) -> None:
        ledger.apply_encoded(offset, offset, command)
