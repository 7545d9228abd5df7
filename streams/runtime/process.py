"""A worker's process: Faust's, with a deadline for its shutdown.

Faust waits for its consumer, agents and producer when it stops, and forever while the brokers are unavailable.
"""

import logging
import threading
from typing import Any, Final

import faust

from streams.runtime.failstop import EXIT_STATUS, exit_at_once

STOP_MAX_S: Final = 4.0

log = logging.getLogger(__name__)


class WorkerProcess(faust.Worker):
    """Ends within STOP_MAX_S of a signal or a crash, whatever it waits for.

    The work that this aborts was not committed: the next process reads it again.
    """

    def __init__(self, app: faust.App, **options: Any) -> None:
        super().__init__(app, **options)
        # The spinner would write to the terminal and handle every log record.
        self.spinner = None
        self._deadline = threading.Timer(STOP_MAX_S, self._abort)
        self._deadline.daemon = True

    async def stop(self) -> None:
        """Stop everything; the deadline runs from the first call."""
        if not self._deadline.is_alive():
            self._deadline.start()
        await super().stop()

    def _abort(self) -> None:
        log.warning("not stopped within %.0f s: ending the process; records in flight are read again", STOP_MAX_S)
        # A crash, unlike a signal, is a failure.
        exit_at_once(0 if self._signal_stop_time else EXIT_STATUS)
