"""The server's desk: work is done in the order in which it comes, by one greenlet as long as none has to wait.

The one who does it is a clerk. Where a clerk has to wait after all, for the database say, another one goes on with the
rest; so there are as many clerks as there is work that waits, and one while there is none. What only waits to be
continued (api/steps.py) needs none.
"""

import logging
import time
from collections import deque
from typing import Final

from gevent import get_hub
from greenlet import getcurrent, greenlet

from api.steps import Call, Pause, nothing

# Clerks who have nothing to do and are kept for the next rush.
RESTING: Final = 32
LOOK_S: Final = 0.05

log = logging.getLogger(__name__)


class Desk:
    """Whoever hands something in is in the thread of the hub. Whatever work raises is logged."""

    def __init__(self) -> None:
        self._hub = get_hub()
        self._work: deque[Call] = deque()
        self._resting: list[greenlet] = []
        self._is_called = False
        self._pauses: dict[Pause, tuple[float, Call]] = {}
        self._timer = self._hub.loop.timer(LOOK_S, LOOK_S)

    def do(self, work: Call) -> None:
        """Do this soon."""
        self._work.append(work)
        if not self._is_called:
            self._is_called = True
            self._hub.loop.run_callback(self._call)

    def after(self, pause: Pause, work: Call) -> None:
        """Do this when the pause is over, or its seconds are."""
        if pause.is_over or pause.seconds <= 0:
            self.do(work)
            return
        if not self._pauses:
            self._timer.start(self._look)
        self._pauses[pause] = time.monotonic() + pause.seconds, work
        pause.on_over = lambda: self._end(pause)

    def _end(self, pause: Pause) -> None:
        found = self._pauses.pop(pause, None)
        if found is not None:
            # Else it would hold itself, and only the garbage collector could let it go.
            pause.on_over = nothing
            self.do(found[1])

    def _look(self) -> None:
        """In the hub: end what has waited for long enough."""
        now = time.monotonic()
        for pause in [pause for pause, (until, _) in self._pauses.items() if until <= now]:
            self._end(pause)
        if not self._pauses:
            self._timer.stop()

    def _call(self) -> None:
        """In the hub: let a clerk work until there is nothing left to do; whoever comes back early has to wait."""
        self._is_called = False
        while self._work:
            clerk = self._resting.pop() if self._resting else greenlet(self._serve, self._hub)
            clerk.switch()

    def _serve(self) -> None:
        while True:
            while self._work:
                try:
                    self._work.popleft()()
                except Exception:
                    log.exception("the desk could not do it")
            if len(self._resting) >= RESTING:
                return
            self._resting.append(getcurrent())
            self._hub.switch()
