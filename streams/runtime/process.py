"""A worker's process: Faust's, with a deadline for its end.

Faust waits for its consumer, its agents and its producer when it stops, and for ever while the brokers are away.
"""

import logging
import os
import sys
import threading
from typing import Any, Final

import faust

STOP_MAX_S: Final = 4.0
# What nobody asked for is told from what was.
STATUS: Final = 70

log = logging.getLogger(__name__)


class WorkerProcess(faust.Worker):
    """Ends within STOP_MAX_S of being told to, or of a crash, whatever it waits for.

    What is cut off then was not acknowledged: the next process reads it again.
    """

    def __init__(self, app: faust.App, **options: Any) -> None:
        super().__init__(app, **options)
        # It would write to the terminal, and have every record of the log for it.
        self.spinner = None
        self._deadline = threading.Timer(STOP_MAX_S, self._cut_off)
        self._deadline.daemon = True

    async def stop(self) -> None:
        """Stop everything; the deadline counts from the first call."""
        if not self._deadline.is_alive():
            self._deadline.start()
        await super().stop()

    def _cut_off(self) -> None:
        log.warning("not stopped within %.0f s: ending the process; what was under way is read again", STOP_MAX_S)
        sys.stdout.flush()
        os._exit(0 if self._signal_stop_time else STATUS)
